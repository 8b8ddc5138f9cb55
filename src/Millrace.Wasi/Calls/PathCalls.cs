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

    /// <summary>A path and the directory it starts from.</summary>
    readonly record struct Start(OpenDirectory Directory, string Path);

    /// <summary>What a descriptor and a text among the arguments name.</summary>
    static Errno Find(
        WasiContext wasi, IGuestMemory memory, Arguments a, (int Fd, int Path) at, Rights needed, out Start start)
    {
        start = default;
        var errno = wasi.FindDirectory(a.U32(at.Fd), needed, out _, out var directory);
        if (errno != Errno.Success) return errno;
        start = new(directory, memory.ReadText(a.U32(at.Path), a.U32(at.Path + 1)));
        return PathText.Check(start.Path);
    }

    static Errno CreateDirectory(WasiContext wasi, IGuestMemory memory, Arguments a)
    {
        var errno = Find(wasi, memory, a, (0, 1), Rights.PathCreateDirectory, out var start);
        return errno != Errno.Success ? errno : start.Directory.CreateDirectory(start.Path);
    }

    static Errno RemoveDirectory(WasiContext wasi, IGuestMemory memory, Arguments a)
    {
        var errno = Find(wasi, memory, a, (0, 1), Rights.PathRemoveDirectory, out var start);
        return errno != Errno.Success ? errno : start.Directory.RemoveDirectory(start.Path);
    }

    static Errno Unlink(WasiContext wasi, IGuestMemory memory, Arguments a)
    {
        var errno = Find(wasi, memory, a, (0, 1), Rights.PathUnlinkFile, out var start);
        return errno != Errno.Success ? errno : start.Directory.Unlink(start.Path);
    }

    static Errno FilestatGet(WasiContext wasi, IGuestMemory memory, Arguments a)
    {
        var errno = Find(wasi, memory, a, (0, 2), Rights.PathFilestatGet, out var start);
        if (errno != Errno.Success) return errno;
        if (!TryFollow(a.U32(1), out var follow)) return Errno.Inval;
        var target = memory.Bytes(a.U32(4), Filestat.ByteLength);
        errno = start.Directory.StatAt(start.Path, follow, out var stat);
        if (errno == Errno.Success) stat.Write(target);
        return errno;
    }

    static Errno SetTimes(WasiContext wasi, IGuestMemory memory, Arguments a)
    {
        var errno = Find(wasi, memory, a, (0, 2), Rights.PathFilestatSetTimes, out var start);
        if (errno != Errno.Success) return errno;
        if (!TryFollow(a.U32(1), out var follow)) return Errno.Inval;
        return FileTimes.TryParse(a.U64(4), a.U64(5), (Fstflags)a.U32(6), out var times)
            ? start.Directory.SetTimesAt(start.Path, follow, times)
            : Errno.Inval;
    }

    static Errno Link(WasiContext wasi, IGuestMemory memory, Arguments a)
    {
        var errno = Find(wasi, memory, a, (0, 2), Rights.PathLinkSource, out var start);
        if (errno != Errno.Success) return errno;
        errno = Find(wasi, memory, a, (4, 5), Rights.PathLinkTarget, out var target);
        if (errno != Errno.Success) return errno;
        return TryFollow(a.U32(1), out var follow)
            ? start.Directory.Link(start.Path, follow, target.Directory, target.Path)
            : Errno.Inval;
    }

    static Errno Rename(WasiContext wasi, IGuestMemory memory, Arguments a)
    {
        var errno = Find(wasi, memory, a, (0, 1), Rights.PathRenameSource, out var start);
        if (errno != Errno.Success) return errno;
        errno = Find(wasi, memory, a, (3, 4), Rights.PathRenameTarget, out var target);
        return errno != Errno.Success ? errno : start.Directory.Rename(start.Path, target.Directory, target.Path);
    }

    static Errno Symlink(WasiContext wasi, IGuestMemory memory, Arguments a)
    {
        var errno = Find(wasi, memory, a, (2, 3), Rights.PathSymlink, out var start);
        if (errno != Errno.Success) return errno;
        var content = memory.ReadText(a.U32(0), a.U32(1));
        errno = PathText.Check(content);
        // An absolute link would lead out for everybody who follows it on the host's side.
        return errno != Errno.Success ? errno : start.Directory.Symlink(content, start.Path);
    }

    static Errno ReadLink(WasiContext wasi, IGuestMemory memory, Arguments a)
    {
        var errno = Find(wasi, memory, a, (0, 1), Rights.PathReadlink, out var start);
        if (errno != Errno.Success) return errno;
        var buffer = memory.Bytes(a.U32(3), a.U32(4));
        _ = memory.Bytes(a.U32(5), 4);
        errno = start.Directory.ReadLink(start.Path, out var content);
        if (errno != Errno.Success) return errno;
        var length = Math.Min(buffer.Length, content.Length);
        content.AsSpan(0, length).CopyTo(buffer);
        memory.WriteU32(a.U32(5), (uint)length);
        return Errno.Success;
    }

    static Errno Open(WasiContext wasi, IGuestMemory memory, Arguments a)
    {
        var errno = Find(wasi, memory, a, (0, 2), Rights.PathOpen, out var start);
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
        errno = start.Directory.Open(start.Path, mode, out var node);
        if (errno != Errno.Success) return errno;
        var applicable = node is OpenDirectory ? Rights.Directory : Rights.File;
        rights &= parent.Inheriting & applicable;
        wasi.Table.TryAdd(new(node!, rights, inheriting & parent.Inheriting), out var number);
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
