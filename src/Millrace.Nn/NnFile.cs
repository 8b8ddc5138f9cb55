namespace Millrace.Nn;

/// <summary>A file of the host's as it was when it was granted.</summary>
/// <param name="Path">Where it lies.</param>
/// <param name="Length">How long it was.</param>
/// <param name="ModifiedAt">When it was written last, in UTC.</param>
public sealed record NnFile(string Path, long Length, DateTime ModifiedAt)
{
    /// <summary>A file as it is now.</summary>
    /// <exception cref="FileNotFoundException">There is none.</exception>
    public static NnFile Of(string path)
    {
        var file = new FileInfo(System.IO.Path.GetFullPath(path));
        return new(file.FullName, file.Length, file.LastWriteTimeUtc);
    }

    /// <summary>Opens it to be read.</summary>
    /// <exception cref="NnException">It is another file by now.</exception>
    /// <exception cref="IOException">It is gone.</exception>
    public FileStream Open()
    {
        var file = File.OpenRead(Path);
        if (file.Length == Length && File.GetLastWriteTimeUtc(file.SafeFileHandle) == ModifiedAt) return file;
        file.Dispose();
        throw new NnException(NnErrno.ModelNotFound, $"{Path} was changed after it was granted: grant it again, by a new start");
    }

    /// <summary>All of its bytes.</summary>
    /// <exception cref="NnException">It is another file by now, or too long.</exception>
    /// <exception cref="IOException">It is gone.</exception>
    public byte[] Read()
    {
        using var file = Open();
        var bytes = new byte[Whole()];
        file.ReadExactly(bytes);
        return bytes;
    }

    /// <summary>Its length, where one span can hold it.</summary>
    /// <exception cref="NnException">It is longer.</exception>
    public int Whole() => Length <= Array.MaxLength ? (int)Length
        : throw new NnException(NnErrno.TooLarge, $"{Path} has {Length} bytes, and a model may have {Array.MaxLength}");
}
