using System.Collections.Immutable;
using Millrace.Inference.Llama;
using Millrace.Nn;

namespace Millrace.Inference.Llama2;

/// <summary>
/// llama2.c's checkpoints and GGUF files of Llama's architecture, computed by a guest of ours (<c>guests/llama2</c>): it
/// needs no native library. Its calls are those of the ggml backend.
/// </summary>
sealed class Llama2Backend : INnBackend
{
    static readonly string[] Refused = ["grammar", "json-schema", "image", "mmproj", "reverse-prompt"];

    public NnEncoding Encoding => NnEncoding.Llama2;

    public string? WhyAbsent => null;

    public string Engine => "guests/llama2 in Millrace's own engine";

    public INnGraph Load(NnModel model)
    {
        var path = model.Path ?? throw new NnException(NnErrno.InvalidArgument, "a llama2 model is a file");
        var options = With(GgmlOptions.None, model.Options ?? "{}");
        try
        {
            return new Llama2Graph(Llama2Files.Of(path, options.Text("tokenizer")), options, model.TokensMax);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new NnException(NnErrno.ModelNotFound, $"{Path.GetFileName(path)} cannot be read: {e.Message}");
        }
    }

    /// <summary>Options over options. What would change the text and is not there is refused, the rest ignored.</summary>
    /// <exception cref="NnException">No JSON object, a value of the wrong type, or an option that is refused.</exception>
    public static GgmlOptions With(GgmlOptions options, string json)
    {
        var with = options.With(json);
        var refused = Refused.FirstOrDefault(name => with.Text(name).Length > 0) ?? (with.Is("embedding") ? "embedding" : null);
        return refused is null ? with : throw new NnException(
            NnErrno.UnsupportedOperation, $"the option {refused} is not for llama2: the ggml backend has it");
    }
}

/// <summary>Llama2 where GGUF models are asked for and llama.cpp is not here.</summary>
sealed class Llama2Substitute(INnBackend llama2) : INnBackend
{
    public NnEncoding Encoding => NnEncoding.Ggml;

    public string? WhyAbsent => llama2.WhyAbsent;

    public string Engine => llama2.Engine;

    public INnGraph Load(NnModel model) => llama2.Load(model);
}

/// <summary>A model, and guests that have it in memory: one for each text that is written at one time.</summary>
sealed class Llama2Graph : INnGraph
{
    readonly Lock _gate = new();
    readonly Llama2Files _files;
    Llama2Guest? _idle;
    bool _isDisposed;

    public Llama2Graph(Llama2Files files, GgmlOptions options, int? tokensMax)
    {
        (_files, Options, TokensMax) = (files, options, tokensMax);
        _idle = new(files);
        ContextTokens = _idle.ContextTokens;
    }

    public int ContextTokens { get; }

    public int? TokensMax { get; }

    /// <summary>Contexts change the graph's options too.</summary>
    public GgmlOptions Options { get; set; }

    public ImmutableArray<TensorPort> Inputs => [];

    public ImmutableArray<TensorPort> Outputs => [];

    public INnContext CreateContext() => new Llama2TextContext(this);

    public Llama2Guest Take()
    {
        lock (_gate)
        {
            var idle = _idle;
            _idle = null;
            if (idle is not null) return idle;
        }

        return new(_files);
    }

    public void Return(Llama2Guest guest)
    {
        lock (_gate)
        {
            if (!_isDisposed && _idle is null && !guest.HasEnded)
            {
                _idle = guest;
                return;
            }
        }

        guest.Dispose();
    }

    public void Dispose()
    {
        lock (_gate)
        {
            _isDisposed = true;
            _idle?.Dispose();
            _idle = null;
        }
    }
}
