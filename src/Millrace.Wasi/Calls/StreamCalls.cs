using Millrace.Wasi.Abi;
using Millrace.Wasi.Files;
using Millrace.Wasi.Sockets;

namespace Millrace.Wasi.Calls;

/// <summary>Reading, writing and moving in open files: <c>fd_read</c> to <c>fd_tell</c>.</summary>
static class StreamCalls
{
    public static readonly CallEntry[] Entries =
    [
        new("fd_read", "iiii", Read),
        new("fd_write", "iiii", Write),
        new("fd_pread", "iiiIi", ReadAt),
        new("fd_pwrite", "iiiIi", WriteAt),
        new("fd_seek", "iIii", Seek),
        new("fd_tell", "ii", Tell),
    ];

    /// <summary>One step of a scattered transfer: <paramref name="done"/> bytes went before it.</summary>
    delegate Errno Step(OpenFile file, Span<byte> buffer, ulong done, out int count);

    static Errno Read(WasiContext wasi, IGuestMemory memory, Arguments arguments)
    {
        var errno = wasi.FindFile(arguments.U32(0), Rights.FdRead, out _, out var file);
        if (file is OpenSocket) return SocketTransferCalls.Read(wasi, memory, arguments);
        return errno != Errno.Success ? errno : Transfer(
            file, memory, arguments.U32(1), arguments.U32(2), arguments.U32(3),
            static (OpenFile f, Span<byte> buffer, ulong _, out int count) => f.Read(buffer, out count));
    }

    static Errno Write(WasiContext wasi, IGuestMemory memory, Arguments arguments)
    {
        var errno = wasi.FindFile(arguments.U32(0), Rights.FdWrite, out _, out var file);
        if (file is OpenSocket) return SocketTransferCalls.Write(wasi, memory, arguments);
        return errno != Errno.Success ? errno : Transfer(
            file, memory, arguments.U32(1), arguments.U32(2), arguments.U32(3),
            static (OpenFile f, Span<byte> buffer, ulong _, out int count) => f.Write(buffer, out count));
    }

    static Errno ReadAt(WasiContext wasi, IGuestMemory memory, Arguments arguments)
    {
        var offset = arguments.U64(3);
        var errno = FindPositioned(wasi, arguments, Rights.FdRead | Rights.FdSeek, offset, out var file);
        return errno != Errno.Success ? errno : Transfer(
            file, memory, arguments.U32(1), arguments.U32(2), arguments.U32(4),
            (OpenFile f, Span<byte> buffer, ulong done, out int count) => f.ReadAt(buffer, offset + done, out count));
    }

    static Errno WriteAt(WasiContext wasi, IGuestMemory memory, Arguments arguments)
    {
        var offset = arguments.U64(3);
        var errno = FindPositioned(wasi, arguments, Rights.FdWrite | Rights.FdSeek, offset, out var file);
        return errno != Errno.Success ? errno : Transfer(
            file, memory, arguments.U32(1), arguments.U32(2), arguments.U32(4),
            (OpenFile f, Span<byte> buffer, ulong done, out int count) => f.WriteAt(buffer, offset + done, out count));
    }

    static Errno FindPositioned(WasiContext wasi, Arguments arguments, Rights needed, ulong offset, out OpenFile file)
    {
        var errno = wasi.FindFile(arguments.U32(0), Rights.None, out var descriptor, out file);
        if (errno != Errno.Success) return errno;
        if (!file.IsSeekable) return Errno.Spipe;
        if ((descriptor.Rights & needed) != needed) return Errno.Notcapable;
        // Room for all of a transfer below the largest offset.
        return offset > long.MaxValue - uint.MaxValue ? Errno.Inval : Errno.Success;
    }

    /// <summary>Goes through the buffers until one is not filled; an error after the first byte is kept for the next
    /// call, since those bytes are already moved.</summary>
    static Errno Transfer(OpenFile file, IGuestMemory memory, uint list, uint listCount, uint countAt, Step step)
    {
        if (listCount > IoVector.CountMax) return Errno.Inval;
        _ = memory.Bytes(countAt, 4);
        var done = 0UL;
        foreach (var vector in memory.ReadVectors(list, listCount))
        {
            if (vector.Length == 0) continue;
            if (vector.Length > int.MaxValue || done + vector.Length > uint.MaxValue) break;
            var buffer = memory.Bytes(vector.Address, vector.Length);
            var errno = step(file, buffer, done, out var count);
            if (errno != Errno.Success && done == 0) return errno;
            done += (uint)count;
            if (errno != Errno.Success || count < buffer.Length) break;
        }

        memory.WriteU32(countAt, (uint)done);
        return Errno.Success;
    }

    static Errno Seek(WasiContext wasi, IGuestMemory memory, Arguments arguments)
    {
        var (delta, whence) = ((long)arguments.U64(1), arguments.U32(2));
        // Asking for the position without moving is what fd_tell does, and needs its right only.
        var needed = whence == (uint)Whence.Cur && delta == 0 ? Rights.FdTell : Rights.FdSeek | Rights.FdTell;
        var errno = wasi.FindFile(arguments.U32(0), Rights.None, out var descriptor, out var file);
        if (errno != Errno.Success) return errno;
        if (!file.IsSeekable) return Errno.Spipe;
        if ((descriptor.Rights & needed) != needed) return Errno.Notcapable;
        if (whence > (uint)Whence.End) return Errno.Inval;
        _ = memory.Bytes(arguments.U32(3), 8);
        errno = file.Seek(delta, (Whence)whence, out var position);
        if (errno == Errno.Success) memory.WriteU64(arguments.U32(3), position);
        return errno;
    }

    static Errno Tell(WasiContext wasi, IGuestMemory memory, Arguments arguments)
    {
        var errno = wasi.FindFile(arguments.U32(0), Rights.None, out var descriptor, out var file);
        if (errno != Errno.Success) return errno;
        if (!file.IsSeekable) return Errno.Spipe;
        if (!descriptor.Rights.HasFlag(Rights.FdTell)) return Errno.Notcapable;
        errno = file.Seek(0, Whence.Cur, out var position);
        if (errno == Errno.Success) memory.WriteU64(arguments.U32(1), position);
        return errno;
    }
}
