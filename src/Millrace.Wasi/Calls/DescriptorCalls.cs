using System.Buffers.Binary;
using Millrace.Wasi.Abi;

namespace Millrace.Wasi.Calls;

/// <summary>State of descriptors: <c>fd_advise</c> to <c>fd_sync</c>, without the reading and writing.</summary>
static class DescriptorCalls
{
    public static readonly CallEntry[] Entries =
    [
        new("fd_advise", "iIIi", Advise),
        new("fd_allocate", "iII", Allocate),
        new("fd_close", "i", Close),
        new("fd_datasync", "i", static (w, _, a) => Sync(w, a, Rights.FdDatasync, true)),
        new("fd_fdstat_get", "ii", FdstatGet),
        new("fd_fdstat_set_flags", "ii", SetFlags),
        new("fd_fdstat_set_rights", "iII", SetRights),
        new("fd_filestat_get", "ii", FilestatGet),
        new("fd_filestat_set_size", "iI", SetSize),
        new("fd_filestat_set_times", "iIIi", SetTimes),
        new("fd_renumber", "ii", Renumber),
        new("fd_sync", "i", static (w, _, a) => Sync(w, a, Rights.FdSync, false)),
    ];

    const int AdviceMax = 5;

    static Errno Advise(WasiContext wasi, IGuestMemory memory, Arguments arguments)
    {
        var errno = wasi.FindFile(arguments.U32(0), Rights.None, out var descriptor, out var file);
        if (errno == Errno.Isdir) return Errno.Badf;
        if (errno != Errno.Success) return errno;
        if (!file.IsSeekable) return Errno.Spipe;
        if (!descriptor.Rights.HasFlag(Rights.FdAdvise)) return Errno.Notcapable;
        var (offset, length, advice) = (arguments.U64(1), arguments.U64(2), arguments.U32(3));
        if (advice > AdviceMax || offset > long.MaxValue || length > long.MaxValue) return Errno.Inval;
        return file.Advise(offset, length, (int)advice);
    }

    static Errno Allocate(WasiContext wasi, IGuestMemory memory, Arguments arguments)
    {
        var errno = wasi.FindFile(arguments.U32(0), Rights.None, out var descriptor, out var file);
        if (errno == Errno.Isdir) return Errno.Badf;
        if (errno != Errno.Success) return errno;
        if (!file.IsSeekable) return Errno.Spipe;
        if (!descriptor.Rights.HasFlag(Rights.FdAllocate)) return Errno.Notcapable;
        var (offset, length) = (arguments.U64(1), arguments.U64(2));
        if (length == 0) return Errno.Inval;
        if (offset > long.MaxValue || length > long.MaxValue - offset) return Errno.Fbig;
        return file.Allocate(offset, length);
    }

    static Errno Close(WasiContext wasi, IGuestMemory memory, Arguments arguments)
    {
        var errno = wasi.Find(arguments.U32(0), Rights.None, out _);
        if (errno == Errno.Success) wasi.Table.Close(arguments.U32(0));
        return errno;
    }

    static Errno Sync(WasiContext wasi, Arguments arguments, Rights needed, bool isDataOnly)
    {
        var errno = wasi.Find(arguments.U32(0), needed, out var descriptor);
        return errno != Errno.Success ? errno : descriptor.Node.Sync(isDataOnly);
    }

    static Errno FdstatGet(WasiContext wasi, IGuestMemory memory, Arguments arguments)
    {
        var errno = wasi.Find(arguments.U32(0), Rights.None, out var descriptor);
        if (errno != Errno.Success) return errno;
        var target = memory.Bytes(arguments.U32(1), 24);
        target.Clear();
        target[0] = (byte)descriptor.Node.Type;
        BinaryPrimitives.WriteUInt16LittleEndian(target[2..], (ushort)descriptor.Node.Flags);
        BinaryPrimitives.WriteUInt64LittleEndian(target[8..], (ulong)descriptor.Rights);
        BinaryPrimitives.WriteUInt64LittleEndian(target[16..], (ulong)descriptor.Inheriting);
        return Errno.Success;
    }

    static Errno SetFlags(WasiContext wasi, IGuestMemory memory, Arguments arguments)
    {
        var errno = wasi.Find(arguments.U32(0), Rights.FdFdstatSetFlags, out var descriptor);
        if (errno != Errno.Success) return errno;
        if ((arguments.U32(1) & ~(uint)Fdflags.All) != 0) return Errno.Inval;
        return descriptor.Node.SetFlags((Fdflags)arguments.U32(1));
    }

    static Errno SetRights(WasiContext wasi, IGuestMemory memory, Arguments arguments)
    {
        var errno = wasi.Find(arguments.U32(0), Rights.None, out var descriptor);
        if (errno != Errno.Success) return errno;
        var (rights, inheriting) = ((Rights)arguments.U64(1), (Rights)arguments.U64(2));
        // Rights can be given up, never won.
        if ((rights & ~descriptor.Rights) != 0 || (inheriting & ~descriptor.Inheriting) != 0) return Errno.Notcapable;
        (descriptor.Rights, descriptor.Inheriting) = (rights, inheriting);
        return Errno.Success;
    }

    static Errno FilestatGet(WasiContext wasi, IGuestMemory memory, Arguments arguments)
    {
        var errno = wasi.Find(arguments.U32(0), Rights.FdFilestatGet, out var descriptor);
        if (errno != Errno.Success) return errno;
        var target = memory.Bytes(arguments.U32(1), Filestat.ByteLength);
        errno = descriptor.Node.Stat(out var stat);
        if (errno == Errno.Success) stat.Write(target);
        return errno;
    }

    static Errno SetSize(WasiContext wasi, IGuestMemory memory, Arguments arguments)
    {
        var errno = wasi.FindFile(arguments.U32(0), Rights.FdFilestatSetSize, out _, out var file);
        if (errno != Errno.Success) return errno;
        return arguments.U64(1) > long.MaxValue ? Errno.Inval : file.SetSize(arguments.U64(1));
    }

    static Errno SetTimes(WasiContext wasi, IGuestMemory memory, Arguments arguments)
    {
        var errno = wasi.Find(arguments.U32(0), Rights.FdFilestatSetTimes, out var descriptor);
        if (errno != Errno.Success) return errno;
        var flags = (Fstflags)arguments.U32(3);
        return FileTimes.TryParse(arguments.U64(1), arguments.U64(2), flags, out var times)
            ? descriptor.Node.SetTimes(times)
            : Errno.Inval;
    }

    static Errno Renumber(WasiContext wasi, IGuestMemory memory, Arguments arguments)
    {
        var (from, to) = (arguments.U32(0), arguments.U32(1));
        if (!wasi.Table.TryFind(from, out _) || !wasi.Table.TryFind(to, out _)) return Errno.Badf;
        wasi.Table.Renumber(from, to);
        return Errno.Success;
    }
}
