using System.Collections.Immutable;
using Millrace.Nn;

namespace Millrace.Inference.Llama;

/// <summary>GGUF models by llama.cpp in the inference worker, with what WasmEdge's ggml plugin makes of the calls.</summary>
/// <param name="client">The worker, which starts when the first model is loaded.</param>
/// <param name="output">Where texts go of models that are told to print; null: they are dropped.</param>
sealed class LlamaBackend(InferenceClient client, Stream? output) : INnBackend
{
    public NnEncoding Encoding => NnEncoding.Ggml;

    public string? WhyAbsent => NativeLibraries.LlamaFolder() is null ? NativeLibraries.WhyAbsent : null;

    public INnGraph Load(NnModel model)
    {
        if (WhyAbsent is { } reason) throw new NnException(NnErrno.InvalidEncoding, reason);
        var options = model.Options is { } json ? GgmlOptions.None.With(json) : GgmlOptions.None;
        if (options.Is("tts")) throw new NnException(NnErrno.UnsupportedOperation, "speech (the option tts) is not computed here");
        if (options.Text("mmproj").Length > 0)
            throw new NnException(NnErrno.UnsupportedOperation, "pictures (the option mmproj) are not computed here");
        // llama.cpp maps files: whoever has bytes makes them one.
        var path = model.Path ?? throw new NnException(NnErrno.InvalidArgument, "a ggml model is a file");
        return File.Exists(path) ? new LlamaGraph(client, path, options, model.TokensMax, output)
            : throw new NnException(NnErrno.ModelNotFound, $"there is no model file {Path.GetFileName(path)}");
    }
}

/// <summary>A model that the worker loads, and its options.</summary>
sealed class LlamaGraph : INnGraph
{
    public LlamaGraph(InferenceClient client, string path, GgmlOptions options, int? tokensMax, Stream? output)
    {
        (Client, Path, Options, TokensMax, Output) = (client, path, options, tokensMax, output);
        Facts = Wait(client.DescribeAsync(path, default));
    }

    public InferenceClient Client { get; }

    public string Path { get; }

    public ModelFacts Facts { get; }

    public int? TokensMax { get; }

    public Stream? Output { get; }

    /// <summary>Contexts change the graph's options too.</summary>
    public GgmlOptions Options { get; set; }

    public ImmutableArray<TensorPort> Inputs => [];

    public ImmutableArray<TensorPort> Outputs => [];

    public INnContext CreateContext() => new LlamaTextContext(this);

    /// <summary>The border's calls wait; what the worker refuses becomes an errno.</summary>
    public static T Wait<T>(Task<T> task)
    {
        try
        {
            return task.GetAwaiter().GetResult();
        }
        catch (InferenceException e)
        {
            throw Error(e);
        }
    }

    public static NnException Error(InferenceException e) => new(
        e.Type switch
        {
            "context-exceeded" => NnErrno.PromptTooLong,
            "too-large" => NnErrno.TooLarge,
            "invalid" => NnErrno.InvalidArgument,
            _ when e.IsTransient => NnErrno.RuntimeError,
            _ => NnErrno.InvalidArgument,
        },
        e.Message);

    public void Dispose()
    {
        // The worker keeps the model for whoever comes next, and unloads it by itself.
    }
}
