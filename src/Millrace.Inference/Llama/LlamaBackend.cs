using System.Collections.Immutable;
using Millrace.Nn;

namespace Millrace.Inference.Llama;

/// <summary>GGUF models by llama.cpp in the inference worker, with what WasmEdge's ggml plugin makes of the calls.</summary>
/// <param name="client">The worker, which starts when the first model is loaded.</param>
/// <param name="output">Where texts go of models that are told to print; null: they are dropped.</param>
/// <param name="log">Takes a line for each option that is asked for and does nothing here.</param>
sealed class LlamaBackend(InferenceClient client, Stream? output, Action<string> log) : INnBackend
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
        return File.Exists(path) ? new LlamaGraph(client, path, options, model.TokensMax, output, log)
            : throw new NnException(NnErrno.ModelNotFound, $"there is no model file {Path.GetFileName(path)}");
    }
}

/// <summary>A model that the worker loads, and its options.</summary>
sealed class LlamaGraph : INnGraph
{
    readonly Action<string> _log;
    readonly HashSet<string> _said = [];

    public LlamaGraph(
        InferenceClient client, string path, GgmlOptions options, int? tokensMax, Stream? output, Action<string> log)
    {
        (Client, Path, Options, TokensMax, Output, _log) = (client, path, options, tokensMax, output, log);
        (Facts, Commit) = Describe(options);
    }

    public InferenceClient Client { get; }

    public string Path { get; }

    public ModelFacts Facts { get; private set; }

    /// <summary>The commit that llama.cpp was built from.</summary>
    public string Commit { get; }

    public int? TokensMax { get; }

    public Stream? Output { get; }

    /// <summary>What the contexts to come begin with.</summary>
    public GgmlOptions Options { get; private set; }

    public ImmutableArray<TensorPort> Inputs => [];

    public ImmutableArray<TensorPort> Outputs => [];

    /// <summary>A context changes its options, and the graph's with them.</summary>
    /// <exception cref="NnException">The model cannot be loaded with them.</exception>
    public void Set(GgmlOptions options)
    {
        if (options.Model() != Options.Model()) Facts = Describe(options).Facts;
        else Tell(options);
        Options = options;
    }

    (ModelFacts Facts, string Commit) Describe(GgmlOptions options)
    {
        var described = Wait(Client.DescribeAsync(Path, options.Model(), default));
        Tell(options, described.Facts);
        return described;
    }

    void Tell(GgmlOptions options, ModelFacts? facts = null)
    {
        var most = (facts ?? Facts).StretchedTokens;
        var lines = options.Unkept();
        if (options.Whole("ctx-size", 0) > most)
            lines = lines.Append($"the option ctx-size is cut to {most} tokens, which the model is loaded with");
        foreach (var line in lines.Where(_said.Add)) _log($"{System.IO.Path.GetFileName(Path)}: {line}");
    }

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
