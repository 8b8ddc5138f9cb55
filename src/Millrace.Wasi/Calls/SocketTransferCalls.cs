using System.Buffers;
using System.Buffers.Binary;
using System.Net;
using Millrace.Wasi.Abi;
using Millrace.Wasi.Sockets;

namespace Millrace.Wasi.Calls;

/// <summary>Bytes through sockets: <c>sock_recv</c> and <c>sock_send</c>, the same with addresses, and what
/// <c>fd_read</c> and <c>fd_write</c> do with a socket.</summary>
static class SocketTransferCalls
{
    /// <summary>Those of preview 1.</summary>
    public static readonly CallEntry[] Entries =
    [
        new("sock_recv", "iiiiii", static (w, m, a) => Receive(
            w, m, a, new(a.U32(3)) { CountAt = a.U32(4), FlagsAt = a.U32(5) })),
        new("sock_send", "iiiii", static (w, m, a) => Send(w, m, a, null, a.U32(3), a.U32(4))),
    ];

    public static readonly CallEntry[] Extension =
    [
        new("sock_recv_v2", "iiiiii", static (w, m, a) => Receive(
            w, m, a, new(a.U32(3)) { CountAt = a.U32(4), FlagsAt = a.U32(5) })),
        new("sock_recv_from", "iiiiiii", static (w, m, a) => Receive(
            w, m, a, new(a.U32(4)) { AddressAt = a.U32(3), CountAt = a.U32(5), FlagsAt = a.U32(6) })),
        new("sock_recv_from", "iiiiiiii", ReceiveFromV2),
        new("sock_recv_from_v2", "iiiiiiii", ReceiveFromV2),
        new("sock_send_v2", "iiiii", static (w, m, a) => Send(w, m, a, null, a.U32(3), a.U32(4))),
        new("sock_send_to", "iiiiiii", SendTo),
        new("sock_send_to_v2", "iiiiiii", SendTo),
    ];

    const uint Peek = 1;
    const uint WaitAll = 2;
    const ushort Truncated = 1;

    // A guest's list of buffers may name gigabytes; a call takes no more, so that it ends soon when it is stopped.
    const uint BytesMax = 1 << 24;

    /// <summary>Where the answers of one receipt go.</summary>
    readonly record struct Receipt(uint Flags)
    {
        public uint CountAt { get; init; }

        public uint? FlagsAt { get; init; }

        public uint? AddressAt { get; init; }

        public uint? PortAt { get; init; }
    }

    public static Errno Read(WasiContext wasi, IGuestMemory memory, Arguments arguments) =>
        Receive(wasi, memory, arguments, new(0) { CountAt = arguments.U32(3) });

    public static Errno Write(WasiContext wasi, IGuestMemory memory, Arguments arguments) =>
        Send(wasi, memory, arguments, null, 0, arguments.U32(3));

    static Errno ReceiveFromV2(WasiContext wasi, IGuestMemory memory, Arguments arguments) => Receive(
        wasi, memory, arguments, new(arguments.U32(4))
        {
            AddressAt = arguments.U32(3),
            PortAt = arguments.U32(5),
            CountAt = arguments.U32(6),
            FlagsAt = arguments.U32(7),
        });

    static Errno Receive(WasiContext wasi, IGuestMemory memory, Arguments arguments, Receipt receipt)
    {
        var errno = wasi.FindSocket(arguments.U32(0), Rights.FdRead, out var socket);
        if (errno != Errno.Success) return errno;
        if ((receipt.Flags & ~(Peek | WaitAll)) != 0 || arguments.U32(2) > IoVector.CountMax) return Errno.Inval;
        // All answers must have their place before bytes leave the socket.
        _ = memory.Bytes(receipt.CountAt, 4);
        if (receipt.FlagsAt is { } at) _ = memory.Bytes(at, 2);
        if (receipt.PortAt is { } portAt) _ = memory.Bytes(portAt, 4);
        if (receipt.AddressAt is { } addressAt) errno = GuestAddress.Check(memory, addressAt, socket.Family);
        if (errno != Errno.Success) return errno;
        var vectors = memory.ReadVectors(arguments.U32(1), arguments.U32(2));
        return socket.IsStream
            ? ReceiveStream(memory, socket, vectors, receipt)
            : ReceiveDatagram(memory, socket, vectors, receipt);
    }

    static Errno ReceiveStream(IGuestMemory memory, OpenSocket socket, IoVector[] vectors, Receipt receipt)
    {
        var (isPeek, isWhole) = ((receipt.Flags & Peek) != 0, (receipt.Flags & WaitAll) != 0);
        var done = 0u;
        foreach (var vector in vectors)
        {
            var length = Math.Min(vector.Length, BytesMax - done);
            if (length == 0) continue;
            var errno = Fill(socket, memory.Bytes(vector.Address, length), isPeek, isWhole, done > 0, out var count);
            if (errno != Errno.Success && done + count == 0) return errno;
            done += count;
            // A look at the first bytes sees the same ones again in a second buffer.
            if (errno != Errno.Success || count < length || isPeek) break;
        }

        IPEndPoint? peer = null;
        if (receipt.AddressAt is not null)
        {
            var errno = socket.PeerAddress(out peer);
            if (errno != Errno.Success && done == 0) return errno;
        }

        Answer(memory, receipt, done, 0, peer);
        return Errno.Success;
    }

    /// <summary>Receives into one buffer: once, or until it is full.</summary>
    static Errno Fill(
        OpenSocket socket, Span<byte> buffer, bool isPeek, bool isWhole, bool isLater, out uint count)
    {
        count = 0;
        while (true)
        {
            // Bytes that are there already are not kept back for more, unless all are wanted.
            var mayWait = !socket.IsNonblocking && (isWhole || !isLater);
            var errno = socket.Receive(buffer[(int)count..], isPeek, mayWait, out var once);
            count += (uint)once;
            if (errno != Errno.Success || once == 0 || !isWhole || isPeek || count == buffer.Length) return errno;
        }
    }

    static Errno ReceiveDatagram(IGuestMemory memory, OpenSocket socket, IoVector[] vectors, Receipt receipt)
    {
        var datagram = ArrayPool<byte>.Shared.Rent(OpenSocket.DatagramBytesMax);
        try
        {
            var errno = socket.ReceiveDatagram(datagram, (receipt.Flags & Peek) != 0, out var count, out var from);
            if (errno != Errno.Success) return errno;
            var rest = datagram.AsSpan(0, count);
            foreach (var vector in vectors)
            {
                var part = rest[..(int)Math.Min(vector.Length, rest.Length)];
                part.CopyTo(memory.Bytes(vector.Address, vector.Length));
                rest = rest[part.Length..];
            }

            Answer(memory, receipt, (uint)(count - rest.Length), rest.IsEmpty ? (ushort)0 : Truncated, from);
            return Errno.Success;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(datagram);
        }
    }

    static void Answer(IGuestMemory memory, Receipt receipt, uint count, ushort flags, IPEndPoint? from)
    {
        memory.WriteU32(receipt.CountAt, count);
        if (receipt.FlagsAt is { } flagsAt)
            BinaryPrimitives.WriteUInt16LittleEndian(memory.Bytes(flagsAt, 2), flags);
        if (from is null) return;
        if (receipt.AddressAt is { } addressAt)
            GuestAddress.Write(memory, addressAt, from.Address, isTagged: receipt.PortAt is not null);
        if (receipt.PortAt is { } portAt) memory.WriteU32(portAt, (uint)from.Port);
    }

    static Errno SendTo(WasiContext wasi, IGuestMemory memory, Arguments arguments)
    {
        var errno = wasi.FindSocket(arguments.U32(0), Rights.FdWrite, out _);
        if (errno != Errno.Success) return errno;
        errno = GuestAddress.Read(memory, arguments.U32(3), arguments.U32(4), out var to);
        return errno == Errno.Success
            ? Send(wasi, memory, arguments, to, arguments.U32(5), arguments.U32(6))
            : errno;
    }

    static Errno Send(
        WasiContext wasi, IGuestMemory memory, Arguments arguments, IPEndPoint? to, uint flags, uint countAt)
    {
        var errno = wasi.FindSocket(arguments.U32(0), Rights.FdWrite, out var socket);
        if (errno != Errno.Success) return errno;
        if (flags != 0 || arguments.U32(2) > IoVector.CountMax) return Errno.Inval;
        _ = memory.Bytes(countAt, 4);
        var vectors = memory.ReadVectors(arguments.U32(1), arguments.U32(2));
        // A stream is where its connection leads, whatever address is named.
        errno = socket.IsStream
            ? SendStream(memory, socket, vectors, out var count)
            : SendDatagram(memory, socket, vectors, to, out count);
        if (errno == Errno.Success) memory.WriteU32(countAt, count);
        return errno;
    }

    static Errno SendStream(IGuestMemory memory, OpenSocket socket, IoVector[] vectors, out uint done)
    {
        done = 0;
        foreach (var vector in vectors)
        {
            var bytes = memory.Bytes(vector.Address, Math.Min(vector.Length, BytesMax - done));
            while (!bytes.IsEmpty)
            {
                var errno = socket.Send(bytes, !socket.IsNonblocking, out var count);
                // What went is told now, and the error at the next call.
                if (errno != Errno.Success) return done == 0 ? errno : Errno.Success;
                done += (uint)count;
                bytes = bytes[count..];
            }
        }

        return Errno.Success;
    }

    static Errno SendDatagram(
        IGuestMemory memory, OpenSocket socket, IoVector[] vectors, IPEndPoint? to, out uint done)
    {
        done = 0;
        if (vectors.Sum(vector => (long)vector.Length) > OpenSocket.DatagramBytesMax) return Errno.Msgsize;
        var datagram = ArrayPool<byte>.Shared.Rent(OpenSocket.DatagramBytesMax);
        try
        {
            var length = 0;
            foreach (var vector in vectors)
            {
                memory.Bytes(vector.Address, vector.Length).CopyTo(datagram.AsSpan(length));
                length += (int)vector.Length;
            }

            var bytes = datagram.AsSpan(0, length);
            var errno = to is null
                ? socket.Send(bytes, !socket.IsNonblocking, out var count)
                : socket.SendDatagram(bytes, to, out count);
            done = (uint)count;
            return errno;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(datagram);
        }
    }
}
