using System.Buffers.Binary;
using System.Net.Sockets;
using Millrace.Wasi.Abi;
using Millrace.Wasi.Sockets;

namespace Millrace.Wasi.Calls;

/// <summary><c>sock_getsockopt</c> and <c>sock_setsockopt</c>: options of the socket level.</summary>
static class SocketOptionCalls
{
    public static readonly CallEntry[] Entries =
    [
        new("sock_getsockopt", "iiiii", Get),
        new("sock_setsockopt", "iiiii", Set),
    ];

    const uint SocketLevel = 0;
    const uint NumberLength = 4;
    const uint LingerLength = 8;
    const uint TimeLength = 16;
    const int TypeDatagram = 1;
    const int TypeStream = 2;
    const int BufferBytesMax = 4 << 20;
    const int MicrosecondsPerSecond = 1_000_000;

    enum Option : uint
    {
        ReuseAddress = 0,
        Type = 1,
        Error = 2,
        DontRoute = 3,
        Broadcast = 4,
        SendBuffer = 5,
        ReceiveBuffer = 6,
        KeepAlive = 7,
        OutOfBandInline = 8,
        Linger = 9,
        ReceiveLowWater = 10,
        ReceiveTimeout = 11,
        SendTimeout = 12,
        AcceptsConnections = 13,
    }

    /// <summary>What .NET keeps as a number under its own name.</summary>
    static readonly Dictionary<Option, SocketOptionName> Numbers = new()
    {
        [Option.DontRoute] = SocketOptionName.DontRoute,
        [Option.Broadcast] = SocketOptionName.Broadcast,
        [Option.SendBuffer] = SocketOptionName.SendBuffer,
        [Option.ReceiveBuffer] = SocketOptionName.ReceiveBuffer,
        [Option.KeepAlive] = SocketOptionName.KeepAlive,
        [Option.OutOfBandInline] = SocketOptionName.OutOfBandInline,
    };

    static Errno Get(WasiContext wasi, IGuestMemory memory, Arguments arguments)
    {
        var errno = wasi.FindSocket(arguments.U32(0), Rights.None, out var socket);
        if (errno != Errno.Success) return errno;
        if (arguments.U32(1) != SocketLevel) return Errno.Noprotoopt;
        var option = (Option)arguments.U32(2);
        var (valueAt, lengthAt) = (arguments.U32(3), arguments.U32(4));
        var value = memory.Bytes(valueAt, LengthOf(option));
        if (memory.ReadU32(lengthAt) < value.Length) return Errno.Inval;
        errno = Get(socket, option, value);
        if (errno == Errno.Success) memory.WriteU32(lengthAt, (uint)value.Length);
        return errno;
    }

    static Errno Get(OpenSocket socket, Option option, Span<byte> value)
    {
        var number = 0;
        switch (option)
        {
            // Whatever is asked for here, .NET lets a server have its port back at once, and no one else beside it.
            case Option.ReuseAddress or Option.ReceiveLowWater:
                number = 1;
                break;
            case Option.Type:
                number = socket.IsStream ? TypeStream : TypeDatagram;
                break;
            case Option.Error:
                number = (int)socket.TakeError();
                break;
            case Option.AcceptsConnections:
                number = socket.IsListening ? 1 : 0;
                break;
            case Option.Linger:
                var linger = socket.Socket.LingerState ?? new(false, 0);
                BinaryPrimitives.WriteInt32LittleEndian(value, linger.Enabled ? 1 : 0);
                BinaryPrimitives.WriteInt32LittleEndian(value[4..], linger.LingerTime);
                return Errno.Success;
            case Option.ReceiveTimeout:
                WriteTime(value, socket.ReceiveTimeoutNs);
                return Errno.Success;
            case Option.SendTimeout:
                WriteTime(value, socket.SendTimeoutNs);
                return Errno.Success;
            default:
                if (!Numbers.TryGetValue(option, out var name)) return Errno.Noprotoopt;
                var errno = OpenSocket.Try(() =>
                    number = (int)socket.Socket.GetSocketOption(SocketOptionLevel.Socket, name)!);
                if (errno != Errno.Success) return errno;
                break;
        }

        BinaryPrimitives.WriteInt32LittleEndian(value, number);
        return Errno.Success;
    }

    static Errno Set(WasiContext wasi, IGuestMemory memory, Arguments arguments)
    {
        var errno = wasi.FindSocket(arguments.U32(0), Rights.None, out var socket);
        if (errno != Errno.Success) return errno;
        if (arguments.U32(1) != SocketLevel) return Errno.Noprotoopt;
        var option = (Option)arguments.U32(2);
        var length = LengthOf(option);
        if (arguments.U32(4) < length) return Errno.Inval;
        return Set(socket, option, memory.Bytes(arguments.U32(3), length));
    }

    static Errno Set(OpenSocket socket, Option option, ReadOnlySpan<byte> value)
    {
        var number = BinaryPrimitives.ReadInt32LittleEndian(value);
        switch (option)
        {
            // As it is in any case; .NET's option of this name would share the port with other programs.
            case Option.ReuseAddress:
                return Errno.Success;
            case Option.Linger:
                var seconds = BinaryPrimitives.ReadInt32LittleEndian(value[4..]);
                // Closing must not hold a guest that is to end.
                if (seconds is < 0 or > ushort.MaxValue || number != 0 && seconds > 0) return Errno.Inval;
                return OpenSocket.Try(() => socket.Socket.LingerState = new(number != 0, seconds));
            case Option.ReceiveTimeout:
                if (!TryReadTime(value, out var receiveNs)) return Errno.Inval;
                socket.ReceiveTimeoutNs = receiveNs;
                return Errno.Success;
            case Option.SendTimeout:
                if (!TryReadTime(value, out var sendNs)) return Errno.Inval;
                socket.SendTimeoutNs = sendNs;
                return Errno.Success;
            default:
                if (!Numbers.TryGetValue(option, out var name)) return Errno.Noprotoopt;
                var isLength = option is Option.SendBuffer or Option.ReceiveBuffer;
                if (isLength && number < 0) return Errno.Inval;
                var given = isLength ? Math.Min(number, BufferBytesMax) : number == 0 ? 0 : 1;
                return OpenSocket.Try(() =>
                    socket.Socket.SetSocketOption(SocketOptionLevel.Socket, name, given));
        }
    }

    static uint LengthOf(Option option) => option switch
    {
        Option.ReceiveTimeout or Option.SendTimeout => TimeLength,
        Option.Linger => LingerLength,
        _ => NumberLength,
    };

    /// <summary>Seconds and microseconds; zero is no limit.</summary>
    static bool TryReadTime(ReadOnlySpan<byte> value, out ulong? nanoseconds)
    {
        var seconds = BinaryPrimitives.ReadInt64LittleEndian(value);
        var microseconds = BinaryPrimitives.ReadInt64LittleEndian(value[8..]);
        nanoseconds = null;
        if (seconds is < 0 or > uint.MaxValue || microseconds is < 0 or >= MicrosecondsPerSecond) return false;
        if (seconds + microseconds > 0)
            nanoseconds = ((ulong)seconds * MicrosecondsPerSecond + (ulong)microseconds) * 1000;
        return true;
    }

    static void WriteTime(Span<byte> value, ulong? nanoseconds)
    {
        var microseconds = (nanoseconds ?? 0) / 1000;
        BinaryPrimitives.WriteUInt64LittleEndian(value, microseconds / MicrosecondsPerSecond);
        BinaryPrimitives.WriteUInt64LittleEndian(value[8..], microseconds % MicrosecondsPerSecond);
    }
}
