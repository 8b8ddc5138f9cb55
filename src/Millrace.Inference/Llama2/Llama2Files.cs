using Millrace.Nn;
using Millrace.Wasi;

namespace Millrace.Inference.Llama2;

/// <summary>The files that the guest sees: a model and, for a checkpoint, its tokenizer; read only.</summary>
sealed record Llama2Files(string Model, string? Tokenizer)
{
    // Beside the file: the cache of a context, what is between, and the guest itself.
    const long RoomBytes = 1L << 30;
    const long MemoryBytesPossible = 4L << 30;
    const string TokenizerFolder = "/tokenizer";

    /// <summary>How much the guest may take: the file is in its memory, norms and tokens once more.</summary>
    public long MemoryBytesMax => Math.Min(MemoryBytesPossible, new FileInfo(Model).Length * 2 + RoomBytes);

    /// <exception cref="NnException">A file is not there.</exception>
    public static Llama2Files Of(string path, string tokenizer)
    {
        if (!File.Exists(path)) throw new NnException(NnErrno.ModelNotFound, $"there is no model file {Path.GetFileName(path)}");
        if (IsGguf(path)) return new(Real(path), null);
        // Options may come from a guest, which is to name no other folder.
        if (tokenizer.Length == 0) tokenizer = "tokenizer.bin";
        if (tokenizer != Path.GetFileName(tokenizer))
            throw new NnException(NnErrno.InvalidArgument, "the option tokenizer names a file beside the model, without a folder");
        var beside = Path.Combine(Path.GetDirectoryName(Path.GetFullPath(path))!, tokenizer);
        return File.Exists(beside) ? new(Real(path), Real(beside)) : throw new NnException(
            NnErrno.ModelNotFound, $"there is no {tokenizer} beside the checkpoint: the option tokenizer names the file of its tokens");
    }

    /// <summary>What the guest finds around it.</summary>
    public WasiOptions Options(Stream input, Stream output, Stream log) => new()
    {
        Arguments =
        [
            "llama2", Name(Model), "--frames",
            .. Tokenizer is null ? [] : (string[])["-z", $"{TokenizerFolder}/{Path.GetFileName(Tokenizer)}"],
        ],
        Preopens =
        [
            new(Folder(Model), ".", true),
            .. Tokenizer is null ? [] : (Preopen[])[new(Folder(Tokenizer), TokenizerFolder, true)],
        ],
        Stdin = input,
        Stdout = output,
        Stderr = log,
    };

    static bool IsGguf(string path)
    {
        using var file = File.OpenRead(path);
        var head = new byte[4];
        return file.ReadAtLeast(head, head.Length, throwOnEndOfStream: false) == head.Length && head.AsSpan().SequenceEqual("GGUF"u8);
    }

    // A guest's folder ends where a link leads out of it.
    static string Real(string path) => File.ResolveLinkTarget(path, returnFinalTarget: true)?.FullName ?? Path.GetFullPath(path);

    static string Folder(string path) => Path.GetDirectoryName(path)!;

    // One that begins with a dash would be an option.
    static string Name(string path) => Path.GetFileName(path) is ['-', ..] name ? $"./{name}" : Path.GetFileName(path);
}
