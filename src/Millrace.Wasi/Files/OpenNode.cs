using Millrace.Wasi.Abi;

namespace Millrace.Wasi.Files;

/// <summary>An open file or directory, wherever it lives.</summary>
abstract class OpenNode : IDisposable
{
    public abstract Filetype Type { get; }

    public virtual Fdflags Flags => Fdflags.None;

    public abstract Errno Stat(out Filestat stat);

    public abstract Errno SetTimes(FileTimes times);

    public abstract Errno Sync(bool isDataOnly);

    public virtual Errno SetFlags(Fdflags flags) => flags == Fdflags.None ? Errno.Success : Errno.Notsup;

    public void Dispose() => Close();

    protected virtual void Close() { }
}

/// <summary>An open file: bytes at a position.</summary>
abstract class OpenFile : OpenNode
{
    /// <summary>Whether there is a position that can be moved.</summary>
    public virtual bool IsSeekable => true;

    public abstract Errno Read(Span<byte> buffer, out int count);

    public abstract Errno Write(ReadOnlySpan<byte> bytes, out int count);

    public abstract Errno ReadAt(Span<byte> buffer, ulong offset, out int count);

    public abstract Errno WriteAt(ReadOnlySpan<byte> bytes, ulong offset, out int count);

    public abstract Errno Seek(long delta, Whence whence, out ulong position);

    public abstract Errno SetSize(ulong size);

    public abstract Errno Allocate(ulong offset, ulong length);

    /// <summary>Advice on use; where it means nothing it is taken and ignored.</summary>
    public virtual Errno Advise(ulong offset, ulong length, int advice) => Errno.Success;
}

/// <summary>One entry of a directory.</summary>
readonly record struct DirectoryEntry(string Name, ulong Inode, Filetype Type);

/// <summary>How <c>path_open</c> opens.</summary>
readonly record struct OpenMode(bool Follow, Oflags Oflags, Fdflags Fdflags, bool CanRead, bool CanWrite);

/// <summary>
/// An open directory. Paths are relative to it and never lead out of it: not by <c>..</c>, not by an absolute path,
/// not by a symbolic link, however the tree changes meanwhile; such a path is <see cref="Errno.Notcapable"/>.
/// </summary>
abstract class OpenDirectory : OpenNode
{
    public override Filetype Type => Filetype.Directory;

    public abstract Errno Open(string path, OpenMode mode, out OpenNode? node);

    /// <summary>All entries but <c>.</c> and <c>..</c>.</summary>
    public abstract Errno List(out List<DirectoryEntry> entries);

    public abstract Errno CreateDirectory(string path);

    public abstract Errno StatAt(string path, bool follow, out Filestat stat);

    public abstract Errno SetTimesAt(string path, bool follow, FileTimes times);

    public abstract Errno Link(string path, bool follow, OpenDirectory target, string targetPath);

    /// <summary>Makes a link; the caller has refused an absolute one.</summary>
    public abstract Errno Symlink(string content, string path);

    public abstract Errno ReadLink(string path, out byte[] content);

    public abstract Errno RemoveDirectory(string path);

    public abstract Errno Unlink(string path);

    public abstract Errno Rename(string path, OpenDirectory target, string targetPath);
}
