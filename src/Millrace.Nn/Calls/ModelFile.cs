namespace Millrace.Nn.Calls;

/// <summary>A file for a model that is mapped and not read, with bytes that the guest brought.</summary>
sealed class ModelFile : IDisposable
{
    readonly DirectoryInfo _folder;

    /// <exception cref="NnException">It cannot be written.</exception>
    public ModelFile(ReadOnlySpan<byte> bytes)
    {
        _folder = Directory.CreateTempSubdirectory("millrace-nn-");
        Path = System.IO.Path.Combine(_folder.FullName, "model.gguf");
        try
        {
            File.WriteAllBytes(Path, bytes);
        }
        catch (IOException e)
        {
            Dispose();
            throw new NnException(NnErrno.RuntimeError, $"the model cannot be put into a file: {e.Message}");
        }
    }

    public string Path { get; }

    public void Dispose() => _folder.Delete(recursive: true);
}
