using System.Collections.Immutable;

namespace Millrace.Nn;

/// <summary>An engine that computes models of one encoding. Thread-safe.</summary>
public interface INnBackend
{
    /// <summary>What it loads.</summary>
    NnEncoding Encoding { get; }

    /// <summary>Null when it can work; else one sentence why not, and the way out.</summary>
    string? WhyAbsent { get; }

    /// <summary>What computes, with its version: asked only of a backend that can work.</summary>
    string Engine => "Millrace's own";

    /// <summary>Whether it opens <see cref="NnModel.Files"/> itself; else their bytes are handed to it as builders.</summary>
    bool OpensFiles => false;

    /// <summary>Reads a model. What cannot be computed is refused here, by name, never computed wrongly.</summary>
    /// <exception cref="NnException">The model is damaged, of another encoding, or uses what the backend does not have.</exception>
    INnGraph Load(NnModel model);
}

/// <summary>A model as it is handed to a backend.</summary>
/// <param name="Builders">
/// Its parts in the encoding's order; empty where <see cref="Path"/> names a file. Of a ggml model that a guest brings, the
/// file's bytes and its options.
/// </param>
/// <param name="Target">Where it is to run.</param>
public sealed record NnModel(ImmutableArray<ReadOnlyMemory<byte>> Builders, NnTarget Target = NnTarget.Cpu)
{
    /// <summary>The file of a ggml model, which is mapped and not read; null for the others.</summary>
    public string? Path { get; init; }

    /// <summary>Files that were granted: the first parts of the model, before <see cref="Builders"/>.</summary>
    public ImmutableArray<NnFile> Files { get; init; } = [];

    /// <summary>Options of a ggml model, JSON; null for none.</summary>
    public string? Options { get; init; }

    /// <summary>Most tokens that one text may have, whatever the options say; null for any number.</summary>
    public int? TokensMax { get; init; }

    /// <summary>Breaks the load off: whoever waits for it goes on, and what was loaded all the same is freed.</summary>
    public CancellationToken Cancel { get; init; }

    /// <summary>
    /// Names of the tensors that are wanted as outputs, in their order; empty for the model's own. Only a TensorFlow
    /// graph has others, and only <c>wasmedge_tensorflow</c> asks for them.
    /// </summary>
    public ImmutableArray<string> Outputs { get; init; } = [];

    /// <summary>The one part of a model that has no other.</summary>
    /// <param name="what">What it is, as <c>an ONNX model</c>.</param>
    /// <exception cref="NnException">There are none, or more.</exception>
    public ReadOnlyMemory<byte> Only(string what) => Builders is [var only] ? only
        : throw new NnException(NnErrno.InvalidArgument, $"{what} has one builder, its file, not {Builders.Length}");
}

/// <summary>A loaded model. One caller at a time.</summary>
public interface INnGraph : IDisposable
{
    /// <summary>What it takes, in the order of the indices; empty for a model of text.</summary>
    ImmutableArray<TensorPort> Inputs { get; }

    /// <summary>What it gives, in the order of the indices; empty for a model of text.</summary>
    ImmutableArray<TensorPort> Outputs { get; }

    /// <summary>Makes room for one computation.</summary>
    /// <exception cref="NnException">There is not enough memory.</exception>
    INnContext CreateContext();
}

/// <summary>Inputs, a computation, and its outputs. One caller at a time. When its graph is gone, outputs can still be read.</summary>
public interface INnContext : IDisposable
{
    /// <summary>Sets an input. The data is copied or used up before this returns.</summary>
    /// <exception cref="NnException">No such input, or the wrong type, rank, size or length.</exception>
    void SetInput(int index, Tensor tensor);

    /// <summary>Computes all outputs.</summary>
    /// <exception cref="NnException">An input is missing, or the engine failed.</exception>
    /// <exception cref="OperationCanceledException">Cancelled; outputs are undefined until the next computation.</exception>
    void Compute(CancellationToken cancel);

    /// <summary>An output of the last computation, in the model's own type.</summary>
    /// <exception cref="NnException">No such output, or nothing was computed.</exception>
    Tensor GetOutput(int index);
}

/// <summary>A context that can compute a text token by token: WasmEdge's <c>compute_single</c>.</summary>
public interface INnTextContext : INnContext
{
    /// <summary>Computes the next token. The first call reads the prompt.</summary>
    /// <exception cref="NnException">
    /// With <see cref="NnErrno.EndOfSequence"/> at the end, <see cref="NnErrno.ContextFull"/> where there is no more room.
    /// </exception>
    void ComputeSingle(CancellationToken cancel);

    /// <summary>The bytes of the last token alone; half a character may be among them.</summary>
    Tensor GetOutputSingle(int index);

    /// <summary>Ends the text that was computed token by token; the next begins anew.</summary>
    void FinishSingle();
}

/// <summary>A model cannot be loaded or computed.</summary>
/// <param name="errno">What a guest is told.</param>
/// <param name="message">One sentence: the cause, and the way out where there is one.</param>
public sealed class NnException(NnErrno errno, string message) : Exception(message)
{
    /// <summary>What a guest is told.</summary>
    public NnErrno Errno { get; } = errno;
}
