using System.Security.Cryptography;

namespace Millrace.Inference.Store;

/// <summary>A file that is not whole yet. It is locked while open, and its hash grows with it.</summary>
sealed class PartialFile : IDisposable
{
    public const string Ending = ".partial";

    const int BufferBytes = 256 << 10;

    readonly string _path;
    readonly FileStream _file;
    readonly IncrementalHash _hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);

    PartialFile(string path, FileStream file) => (_path, _file) = (path, file);

    public long Length { get; private set; }

    /// <summary>Opens what there is of a file, if it is of the same origin; else begins it.</summary>
    /// <exception cref="ModelHubException">Another process has it open.</exception>
    public static async Task<PartialFile> OpenAsync(string target, ModelOrigin origin, CancellationToken cancel)
    {
        var path = target + Ending;
        FileStream file;
        try
        {
            file = new(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None, bufferSize: 0, useAsync: true);
        }
        catch (IOException e) when (File.Exists(path) && !DiskFull.Is(e))
        {
            throw new ModelHubException($"{Path.GetFileName(target)} is being pulled already, by another process", e);
        }

        var partial = new PartialFile(path, file);
        try
        {
            if (file.Length > 0 && ModelOrigin.Find(path)?.IsSameAs(origin) == true && !(file.Length > origin.Bytes))
                await partial.TakeUpAsync(cancel);
            else
                partial.Restart();
            origin.WriteBeside(path);
            return partial;
        }
        catch
        {
            partial.Dispose();
            throw;
        }
    }

    async Task TakeUpAsync(CancellationToken cancel)
    {
        var buffer = new byte[BufferBytes];
        for (int read; (read = await _file.ReadAsync(buffer, cancel)) > 0; Length += read) _hash.AppendData(buffer, 0, read);
    }

    /// <summary>What is there is of no use.</summary>
    public void Restart()
    {
        if (_file.Length > 0) _file.SetLength(0);
        _file.Position = 0;
        _hash.GetHashAndReset();
        Length = 0;
    }

    public async Task AppendAsync(ReadOnlyMemory<byte> bytes, CancellationToken cancel)
    {
        await _file.WriteAsync(bytes, cancel);
        _hash.AppendData(bytes.Span);
        Length += bytes.Length;
    }

    /// <summary>Whether it begins as models do.</summary>
    public bool IsGguf()
    {
        var start = new byte[4];
        return RandomAccess.Read(_file.SafeFileHandle, start, 0) == 4 && start.AsSpan().SequenceEqual("GGUF"u8);
    }

    public string Sha256() => Convert.ToHexStringLower(_hash.GetCurrentHash());

    /// <summary>Gives it its name; it is on the disk before.</summary>
    public void Complete(string target, ModelOrigin origin)
    {
        _file.Flush(flushToDisk: true);
        File.Move(_path, target, overwrite: true);
        origin.WriteBeside(target);
        File.Delete(ModelOrigin.PathBeside(_path));
    }

    public void Dispose()
    {
        // While it is locked: nobody else can have begun it.
        if (Length == 0)
        {
            File.Delete(_path);
            File.Delete(ModelOrigin.PathBeside(_path));
        }

        _file.Dispose();
        _hash.Dispose();
    }
}
