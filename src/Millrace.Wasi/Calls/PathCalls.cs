using Millrace.Wasi.Abi;
using Millrace.Wasi.Files;

namespace Millrace.Wasi.Calls;

/// <summary><c>path_*</c>: what is done by name under an open directory.</summary>
static class PathCalls
{
    public static readonly CallEntry[] Entries =
    [
        new("path_create_directory", "iii", CreateDirectory),
        new("path_filestat_get", "iiiii", FilestatGet),
        new("path_filestat_set_times", "iiiiIIi", SetTimes),
        new("path_link", "iiiiiii", Link),
        new("path_open", "iiiiiIIii", Open),
        new("path_readlink", "iiiiii", ReadLink),
        new("path_remove_directory", "iii", RemoveDirectory),
        new("path_rename", "iiiiii", Rename),
        new("path_symlink", "iiiii", Symlink),
        new("path_unlink_file", "iii", Unlink),
    ];

    const uint SymlinkFollow = 1;

    /// <summary>The directory and path that two or three arguments name.</summary>
    static Errno Find(
        WasiContext wasi, IGuestMemory memory, uint number, Rights needed, (uint Address, uint Length) text,
        out OpenDirectory directory, out string path)
    {
        path = "";
        var errno = wasi.FindDirectory(number, needed, out _, out directory);
        if (errno != Errno.Success) return errno;
        path = memory.ReadText(text.Address, text.Length);
        return PathText.Check(path);
    }

    static Errno CreateDirectory(WasiContext wasi, IGuestMemory memory, Arguments a)
    {
        var errno = Find(wasi, memory, a.U32(0), Rights.PathCreateDirectory, (a.U32(1), a.U32(2)), out var dir, out var path);
        return errno != Errno.Success ? errno : dir.CreateDirectory(path);
    }

    static Errno RemoveDirectory(WasiContext wasi, IGuestMemory memory, Arguments a)
    {
        var errno = Find(wasi, memory, a.U32(0), Rights.PathRemoveDirectory, (a.U32(1), a.U32(2)), out var dir, out var path);
        return errno != Errno.Success ? errno : dir.RemoveDirectory(path);
    }

    static Errno Unlink(WasiContext wasi, IGuestMemory memory, Arguments a)
    {
        var errno = Find(wasi, memory, a.U32(0), Rights.PathUnlinkFile, (a.U32(1), a.U32(2)), out var dir, out var path);
        return errno != Errno.Success ? errno : dir.Unlink(path);
    }

    static Errno FilestatGet(WasiContext wasi, IGuestMemory memory, Arguments a)
    {
        var errno = Find(wasi, memory, a.U32(0), Rights.PathFilestatGet, (a.U32(2), a.U32(3)), out var dir, out var path);
        if (errno != Errno.Success) return errno;
        if (!TryFollow(a.U32(1), out var follow)) return Errno.Inval;
        var target = memory.Bytes(a.U32(4), Filestat.ByteLength);
        errno = dir.StatAt(path, follow, out var stat);
        if (errno == Errno.Success) stat.Write(target);
        return errno;
    }

    static Errno SetTimes(WasiContext wasi, IGuestMemory memory, Arguments a)
    {
        var errno = Find(wasi, memory, a.U32(0), Rights.PathFilestatSetTimes, (a.U32(2), a.U32(3)), out var dir, out var path);
        if (errno != Errno.Success) return errno;
        if (!TryFollow(a.U32(1), out var follow)) return Errno.Inval;
        return FileTimes.TryParse(a.U64(4), a.U64(5), (Fstflags)a.U32(6), out var times)
            ? dir.SetTimesAt(path, follow, times)
            : Errno.Inval;
    }

    static Errno Link(WasiContext wasi, IGuestMemory memory, Arguments a)
    {
        var errno = Find(wasi, memory, a.U32(0), Rights.PathLinkSource, (a.U32(2), a.U32(3)), out var dir, out var path);
        if (errno != Errno.Success) return errno;
        errno = Find(wasi, memory, a.U32(4), Rights.PathLinkTarget, (a.U32(5), a.U32(6)), out var target, out var targetPath);
        if (errno != Errno.Success) return errno;
        return TryFollow(a.U32(1), out var follow) ? dir.Link(path, follow, target, targetPath) : Errno.Inval;
    }

    static Errno Rename(WasiContext wasi, IGuestMemory memory, Arguments a)
    {
        var errno = Find(wasi, memory, a.U32(0), Rights.PathRenameSource, (a.U32(1), a.U32(2)), out var dir, out var path);
        if (errno != Errno.Success) return errno;
        errno = Find(wasi, memory, a.U32(3), Rights.PathRenameTarget, (a.U32(4), a.U32(5)), out var target, out var targetPath);
        return errno != Errno.Success ? errno : dir.Rename(path, target, targetPath);
    }

    static Errno Symlink(WasiContext wasi, IGuestMemory memory, Arguments a)
    {
        var errno = Find(wasi, memory, a.U32(2), Rights.PathSymlink, (a.U32(3), a.U32(4)), out var dir, out var path);
        if (errno != Errno.Success) return errno;
        var content = memory.ReadText(a.U32(0), a.U32(1));
        errno = PathText.Check(content);
        // An absolute link would lead out for everybody who follows it on the host's side.
        return errno != Errno.Success ? errno : dir.Symlink(content, path);
    }

    static Errno ReadLink(WasiContext wasi, IGuestMemory memory, Arguments a)
    {
        var errno = Find(wasi, memory, a.U32(0), Rights.PathReadlink, (a.U32(1), a.U32(2)), out var dir, out var path);
        if (errno != Errno.Success) return errno;
        var buffer = memory.Bytes(a.U32(3), a.U32(4));
        _ = memory.Bytes(a.U32(5), 4);
        errno = dir.ReadLink(path, out var content);
        if (errno != Errno.Success) return errno;
        var length = Math.Min(buffer.Length, content.Length);
        content.AsSpan(0, length).CopyTo(buffer);
        memory.WriteU32(a.U32(5), (uint)length);
        return Errno.Success;
    }

    static Errno Open(WasiContext wasi, IGuestMemory memory, Arguments a)
    {
        var errno = Find(wasi, memory, a.U32(0), Rights.PathOpen, (a.U32(2), a.U32(3)), out var dir, out var path);
        if (errno != Errno.Success) return errno;
        if (!wasi.Table.TryFind(a.U32(0), out var parent)) return Errno.Badf;
        var (oflags, fdflags) = ((Oflags)a.U32(4), (Fdflags)a.U32(7));
        var (rights, inheriting) = ((Rights)a.U64(5), (Rights)a.U64(6));
        if ((oflags & ~Oflags.All) != 0 || (fdflags & ~Fdflags.All) != 0) return Errno.Inval;
        if (!TryFollow(a.U32(1), out var follow)) return Errno.Inval;
        errno = CheckRights(parent, oflags, rights);
        if (errno != Errno.Success) return errno;
        _ = memory.Bytes(a.U32(8), 4);
        if (!wasi.Table.HasRoom) return Errno.Mfile;

        var canWrite = (rights & Rights.OpenForWriting) != 0;
        var mode = new OpenMode(follow, oflags, fdflags, rights.HasFlag(Rights.FdRead) || !canWrite, canWrite);
        errno = dir.Open(path, mode, out var node);
        if (errno != Errno.Success) return errno;
        var applicable = node is OpenDirectory ? Rights.Directory : Rights.File;
        wasi.Table.TryAdd(new(node!, rights & parent.Inheriting & applicable, inheriting & parent.Inheriting), out var number);
        memory.WriteU32(a.U32(8), number);
        return Errno.Success;
    }

    /// <summary>What the directory must allow. Reading and writing are refused when missing; other rights that are
    /// missing are left out, since libraries ask for all of them always.</summary>
    static Errno CheckRights(Files.Descriptor parent, Oflags oflags, Rights rights)
    {
        if (oflags.HasFlag(Oflags.Creat) && !parent.Rights.HasFlag(Rights.PathCreateFile)) return Errno.Notcapable;
        if (oflags.HasFlag(Oflags.Trunc) && !parent.Rights.HasFlag(Rights.PathFilestatSetSize)) return Errno.Notcapable;
        return (rights & Rights.Access & ~parent.Inheriting) != 0 ? Errno.Notcapable : Errno.Success;
    }

    static bool TryFollow(uint lookupflags, out bool follow)
    {
        follow = lookupflags == SymlinkFollow;
        return lookupflags <= SymlinkFollow;
    }
}
