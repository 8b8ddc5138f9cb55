using System.Text;
using Microsoft.Win32.SafeHandles;
using Millrace.Wasi.Abi;
using Millrace.Wasi.Files;

namespace Millrace.Wasi.Portable;

/// <summary>
/// An open directory of the host, by .NET's own means: paths are walked here, link by link. A name can be made to mean
/// something else between walk and use; where the system tells the true path of an open file (/proc), that is checked
/// before the guest gets it.
/// </summary>
sealed class ManagedDirectory(HostEntry root) : OpenDirectory
{
    public static ManagedDirectory OpenRoot(string path)
    {
        if (!Directory.Exists(path)) throw new IOException($"cannot open directory '{path}': it does not exist");
        return new(new(TruePath(Path.GetFullPath(path)), Filetype.Directory));
    }

    public override Errno Open(string path, OpenMode mode, out OpenNode? node)
    {
        node = null;
        var isNew = mode.Oflags.HasFlag(Oflags.Creat | Oflags.Excl);
        var errno = Resolve(path, mode.Follow && !isNew, out var place);
        if (errno != Errno.Success) return errno;
        if (mode.Oflags.HasFlag(Oflags.Creat | Oflags.Directory)) return Errno.Inval;
        switch (place.Node)
        {
            case null:
                if (!mode.Oflags.HasFlag(Oflags.Creat)) return Errno.Noent;
                if (place.IsDirectoryNamed) return Errno.Isdir;
                break;
            case not null when isNew:
                return Errno.Exist;
            case { Type: Filetype.SymbolicLink }:
                return mode.Oflags.HasFlag(Oflags.Directory) ? Errno.Notdir : Errno.Loop;
            case { Type: Filetype.Directory } directory:
                if (mode.CanWrite || (mode.Oflags & (Oflags.Creat | Oflags.Trunc)) != 0) return Errno.Isdir;
                node = new ManagedDirectory(directory);
                return Errno.Success;
        }

        return mode.Oflags.HasFlag(Oflags.Directory)
            ? Errno.Notdir
            : OpenFile(Path.Join(place.Parent.Path, place.Name), mode, isNew, out node);
    }

    static Errno OpenFile(string path, OpenMode mode, bool isNew, out OpenNode? node)
    {
        node = null;
        try
        {
            var isTruncated = mode.Oflags.HasFlag(Oflags.Trunc);
            var fileMode = isNew ? FileMode.CreateNew
                : mode.Oflags.HasFlag(Oflags.Creat) ? FileMode.OpenOrCreate : FileMode.Open;
            var access = (mode.CanRead ? FileAccess.Read : 0) | (mode.CanWrite || isTruncated ? FileAccess.Write : 0);
            if (fileMode != FileMode.Open) access |= FileAccess.Write;
            var handle = File.OpenHandle(path, fileMode, access, FileShare.ReadWrite | FileShare.Delete);
            if (!IsWhere(handle, path))
            {
                handle.Dispose();
                return Errno.Notcapable;
            }

            // Truncated only after the check: what lies elsewhere is not to be touched.
            if (isTruncated) RandomAccess.SetLength(handle, 0);
            node = new ManagedFile(handle, path, mode.Fdflags);
            return Errno.Success;
        }
        catch (Exception e) when (Managed.TryErrno(e, out _))
        {
            Managed.TryErrno(e, out var errno);
            return errno;
        }
    }

    public override Errno List(out List<DirectoryEntry> entries)
    {
        var found = new List<DirectoryEntry>();
        var errno = Managed.Try(() =>
        {
            foreach (var path in Directory.EnumerateFileSystemEntries(root.Path))
            {
                if (HostTree.Instance.Find(root, Path.GetFileName(path)) is { } entry)
                    found.Add(new(Path.GetFileName(path), Managed.Stat(path, default).Inode, entry.Type));
            }
        });
        entries = found;
        return errno;
    }

    public override Errno Stat(out Filestat stat) => Stat(root, out stat);

    public override Errno SetTimes(FileTimes times) => SetTimes(root, times);

    public override Errno Sync(bool isDataOnly) => Errno.Success;

    public override Errno CreateDirectory(string path) => At(path, false, static place =>
    {
        if (place.Node is not null) return Errno.Exist;
        Directory.CreateDirectory(Path.Join(place.Parent.Path, place.Name));
        return Errno.Success;
    });

    public override Errno StatAt(string path, bool follow, out Filestat stat)
    {
        stat = default;
        var errno = Resolve(path, follow, out var place);
        if (errno != Errno.Success) return errno;
        return place.Node is null ? Errno.Noent : Stat(place.Node, out stat);
    }

    public override Errno SetTimesAt(string path, bool follow, FileTimes times) =>
        At(path, follow, place => place.Node is null ? Errno.Noent : SetTimes(place.Node, times));

    // .NET 10 makes no hard links.
    public override Errno Link(string path, bool follow, OpenDirectory target, string targetPath) => Errno.Notsup;

    public override Errno Symlink(string content, string path) => At(path, false, place =>
    {
        if (place.Node is not null) return Errno.Exist;
        if (place.IsDirectoryNamed) return Errno.Noent;
        File.CreateSymbolicLink(Path.Join(place.Parent.Path, place.Name), content);
        return Errno.Success;
    });

    public override Errno ReadLink(string path, out byte[] content)
    {
        content = [];
        var errno = Resolve(path, false, out var place);
        if (errno != Errno.Success) return errno;
        if (place.Node is null) return Errno.Noent;
        if (place.Node.Type != Filetype.SymbolicLink) return Errno.Inval;
        content = Encoding.UTF8.GetBytes(HostTree.Instance.ContentOf(place.Node));
        return Errno.Success;
    }

    public override Errno RemoveDirectory(string path) => At(path, false, static place =>
    {
        if (place.Node is null) return Errno.Noent;
        if (place.Node.Type != Filetype.Directory) return Errno.Notdir;
        if (place.Name == ".") return Errno.Inval;
        if (Directory.EnumerateFileSystemEntries(place.Node.Path).Any()) return Errno.Notempty;
        Directory.Delete(place.Node.Path, recursive: false);
        return Errno.Success;
    });

    public override Errno Unlink(string path) => At(path, false, static place =>
    {
        if (place.Node is null) return Errno.Noent;
        if (place.Node.Type == Filetype.Directory) return Errno.Isdir;
        File.Delete(place.Node.Path);
        return Errno.Success;
    });

    public override Errno Rename(string path, OpenDirectory target, string targetPath)
    {
        if (target is not ManagedDirectory other) return Errno.Xdev;
        return At(path, false, source => other.At(targetPath, false, place =>
        {
            if (source.Node is null) return Errno.Noent;
            if (source.Name == "." || place.Name == ".") return Errno.Busy;
            var destination = Path.Join(place.Parent.Path, place.Name);
            if (source.Node.Type != Filetype.Directory)
            {
                if (place.Node is { Type: Filetype.Directory }) return Errno.Isdir;
                if (place.IsDirectoryNamed) return Errno.Notdir;
                File.Move(source.Node.Path, destination, overwrite: true);
                return Errno.Success;
            }

            if (place.Node is { Type: not Filetype.Directory }) return Errno.Notdir;
            if ((place.Parent.Path + "/").StartsWith(source.Node.Path + "/", StringComparison.Ordinal))
                return Errno.Inval;
            if (place.Node is not null)
            {
                if (Directory.EnumerateFileSystemEntries(destination).Any()) return Errno.Notempty;
                Directory.Delete(destination, recursive: false);
            }

            Directory.Move(source.Node.Path, destination);
            return Errno.Success;
        }));
    }

    Errno Resolve(string path, bool follow, out Place<HostEntry> place) =>
        PathWalk.Resolve(HostTree.Instance, root, path, follow, out place);

    Errno At(string path, bool follow, Func<Place<HostEntry>, Errno> call)
    {
        var result = Errno.Success;
        var errno = Resolve(path, follow, out var place);
        if (errno != Errno.Success) return errno;
        errno = Managed.Try(() => result = call(place));
        return errno != Errno.Success ? errno : result;
    }

    static Errno Stat(HostEntry entry, out Filestat stat)
    {
        var found = default(Filestat);
        var errno = Managed.Try(() =>
        {
            var info = entry.Status();
            var size = entry.Type switch
            {
                Filetype.RegularFile => (ulong)((FileInfo)info).Length,
                Filetype.SymbolicLink => (ulong)Encoding.UTF8.GetByteCount(HostTree.Instance.ContentOf(entry)),
                _ => 0UL,
            };
            found = Managed.Stat(entry.Path, new(
                0, 0, entry.Type, 1, size, Managed.Nanoseconds(info.LastAccessTimeUtc),
                Managed.Nanoseconds(info.LastWriteTimeUtc), 0));
        });
        stat = found;
        return errno;
    }

    // .NET sets the times of what a link leads to, which may be outside.
    static Errno SetTimes(HostEntry entry, FileTimes times) => entry.Type == Filetype.SymbolicLink
        ? Errno.Notsup
        : Managed.Try(() =>
        {
            var info = entry.Status();
            if (Managed.Time(times.AccessedNs) is { } accessed) info.LastAccessTimeUtc = accessed;
            if (Managed.Time(times.ModifiedNs) is { } modified) info.LastWriteTimeUtc = modified;
        });

    /// <summary>Whether an open file is where the walk ended; true where the system cannot tell.</summary>
    static bool IsWhere(SafeFileHandle handle, string path) =>
        new FileInfo($"/proc/self/fd/{handle.DangerousGetHandle()}").LinkTarget is not { } target || target == path;

    static string TruePath(string path)
    {
        var parent = Path.GetDirectoryName(path);
        if (parent is null) return path;
        var here = Path.Join(TruePath(parent), Path.GetFileName(path));
        return new DirectoryInfo(here).LinkTarget is { } target
            ? TruePath(Path.GetFullPath(target, Path.GetDirectoryName(here)!))
            : here;
    }
}
