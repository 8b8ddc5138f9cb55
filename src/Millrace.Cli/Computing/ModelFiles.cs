using System.Collections.Immutable;
using Millrace.Nn;

namespace Millrace.Cli.Computing;

/// <summary>A model on disk.</summary>
static class ModelFiles
{
    /// <summary>Loads it with the backend of its encoding.</summary>
    /// <param name="encoding">The encoding's word; null: the ending tells, or the first bytes.</param>
    /// <param name="outputs">Names of the tensors wanted, for an encoding whose models have others than their outputs.</param>
    /// <exception cref="NnException">The backend is not there, or refuses it.</exception>
    public static (NnEncoding Encoding, INnGraph Graph) Load(
        string[] paths, string? encoding, string? options, ImmutableArray<string> outputs, ImmutableArray<INnBackend> backends)
    {
        if (paths.FirstOrDefault(path => !File.Exists(path)) is { } missing) throw new CommandException($"there is no file {missing}");
        try
        {
            var known = encoding is null ? Detect(paths[0]) : NamedModel.ParseEncoding(encoding);
            var backend = backends.FirstOrDefault(backend => backend.Encoding == known)
                ?? throw new CommandException($"{paths[0]}: there is no backend for {known}");
            if (backend.WhyAbsent is { } why) throw new CommandException($"{paths[0]}: {known}: {why}");
            return (known, backend.Load(Read(backend, paths, options) with { Outputs = known == NnEncoding.TensorFlow ? outputs : [] }));
        }
        catch (FormatException e)
        {
            throw new CommandException($"--encoding {encoding}: {e.Message}");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new CommandException(e.Message);
        }
    }

    static NnModel Read(INnBackend backend, string[] paths, string? options)
    {
        var encoding = backend.Encoding;
        if (encoding is NnEncoding.Ggml or NnEncoding.Llama2)
        {
            return paths.Length == 1
                ? new([]) { Path = Path.GetFullPath(paths[0]), Options = options }
                : throw new CommandException($"a model of encoding {encoding} is one file, not {paths.Length}");
        }

        if (options is not null) throw new CommandException($"--options is for models of text, not for encoding {encoding}");
        if (encoding == NnEncoding.OpenVino && paths.Length == 1) paths = [paths[0], Weights(paths[0])];
        return backend.OpensFiles
            ? new([]) { Files = [.. paths.Select(NnFile.Of)] }
            : new([.. paths.Select(path => (ReadOnlyMemory<byte>)File.ReadAllBytes(path))]);
    }

    static string Weights(string path)
    {
        var weights = Path.ChangeExtension(path, ".bin");
        return File.Exists(weights)
            ? weights : throw new CommandException($"{path}: its weights are not beside it ({weights}): name both files");
    }

    static NnEncoding Detect(string path)
    {
        if (ModelFormat.OfPath(path) is { } named) return named;
        using var file = File.OpenRead(path);
        var head = new byte[ModelFormat.HeadBytes];
        var count = file.ReadAtLeast(head, head.Length, throwOnEndOfStream: false);
        return ModelFormat.OfBytes(head.AsSpan(0, count)) ?? throw new CommandException(
            $"{path}: neither the name nor the bytes tell what it is; --encoding says it, as --encoding onnx");
    }
}
