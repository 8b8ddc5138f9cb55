using System.Buffers.Binary;
using System.Net.Sockets;
using Millrace.Wasi.Abi;
using Millrace.Wasi.Files;
using Millrace.Wasi.Sockets;

namespace Millrace.Wasi.Calls;

/// <summary>
/// <c>poll_oneoff</c>. Files and standard streams are ready at once, as POSIX has it for files; so a call either
/// answers immediately or waits for the first of its clocks and sockets.
/// </summary>
static class PollCalls
{
    public static readonly CallEntry[] Entries = [new("poll_oneoff", "iiii", Poll)];

    const int SubscriptionLength = 48;
    const int EventLength = 32;
    const uint CountMax = 4096;
    const byte HangUp = 1;

    readonly record struct Subscription(ulong UserToken, Eventtype Type, Errno Error, ulong WaitNs)
    {
        /// <summary>Waited for together with the clocks; null for all else.</summary>
        public OpenSocket? Socket { get; init; }

        public bool IsSocketReady =>
            Socket?.IsReady(Type == Eventtype.FdRead ? SelectMode.SelectRead : SelectMode.SelectWrite) ?? false;
    }

    static Errno Poll(WasiContext wasi, IGuestMemory memory, Arguments arguments)
    {
        var (listAt, eventsAt, count) = (arguments.U32(0), arguments.U32(1), arguments.U32(2));
        if (count is 0 or > CountMax) return Errno.Inval;
        _ = memory.Bytes(eventsAt, count * EventLength);
        _ = memory.Bytes(arguments.U32(3), 4);
        var list = memory.Bytes(listAt, count * SubscriptionLength);
        var subscriptions = new Subscription[count];
        for (var i = 0; i < subscriptions.Length; i++)
        {
            var errno = Read(wasi, list[(i * SubscriptionLength)..], out subscriptions[i]);
            if (errno != Errno.Success) return errno;
        }

        var waitNs = subscriptions.Min(subscription => subscription.WaitNs);
        if (Array.Exists(subscriptions, subscription => subscription.Socket is not null))
            waitNs = WaitForSockets(wasi, subscriptions, waitNs);
        else if (waitNs > 0 && !wasi.System.Sleep(waitNs)) return Errno.Io;
        var written = 0u;
        foreach (var subscription in subscriptions)
        {
            var isDue = subscription.Socket is null ? subscription.WaitNs <= waitNs : subscription.IsSocketReady;
            if (!isDue) continue;
            WriteEvent(memory.Bytes(eventsAt + written * EventLength, EventLength), subscription);
            written++;
        }

        memory.WriteU32(arguments.U32(3), written);
        return Errno.Success;
    }

    /// <summary>Waits for the first clock or socket; how much of the clocks' time is over.</summary>
    static ulong WaitForSockets(WasiContext wasi, Subscription[] subscriptions, ulong waitNs)
    {
        // Each once, however often it is named: how many the machine waits for at a time is limited.
        var (readable, writable) = (new HashSet<Socket>(), new HashSet<Socket>());
        foreach (var subscription in subscriptions)
        {
            if (subscription.Socket is not { } socket) continue;
            (subscription.Type == Eventtype.FdRead ? readable : writable).Add(socket.Socket);
        }

        var isReady = wasi.Network.Wait(readable, writable, waitNs == ulong.MaxValue ? null : waitNs);
        return isReady ? 0 : waitNs;
    }

    static Errno Read(WasiContext wasi, ReadOnlySpan<byte> bytes, out Subscription subscription)
    {
        var userToken = BinaryPrimitives.ReadUInt64LittleEndian(bytes);
        subscription = default;
        if (bytes[8] > (byte)Eventtype.FdWrite) return Errno.Inval;
        var type = (Eventtype)bytes[8];
        if (type != Eventtype.Clock)
        {
            var errno = CheckDescriptor(wasi, bytes, type, out var socket);
            subscription = errno == Errno.Success && socket is not null
                ? new(userToken, type, errno, ulong.MaxValue) { Socket = socket }
                : new(userToken, type, errno, 0);
            return Errno.Success;
        }

        // A clock that cannot be waited on is that event's error, not the call's.
        var isKnown = ClockCalls.TryClock(BinaryPrimitives.ReadUInt32LittleEndian(bytes[16..]), out var clock)
            && clock is WasiClock.Realtime or WasiClock.Monotonic;
        var timeoutNs = BinaryPrimitives.ReadUInt64LittleEndian(bytes[24..]);
        var isAbsolute = (BinaryPrimitives.ReadUInt16LittleEndian(bytes[40..]) & 1) != 0;
        if (isKnown && isAbsolute)
        {
            var now = (ulong)wasi.System.ReadClock(clock);
            timeoutNs = timeoutNs > now ? timeoutNs - now : 0;
        }

        subscription = isKnown
            ? new(userToken, type, Errno.Success, timeoutNs)
            : new(userToken, type, Errno.Notsup, 0);
        return Errno.Success;
    }

    static Errno CheckDescriptor(
        WasiContext wasi, ReadOnlySpan<byte> bytes, Eventtype type, out OpenSocket? socket)
    {
        socket = null;
        var number = BinaryPrimitives.ReadUInt32LittleEndian(bytes[16..]);
        var errno = wasi.Find(number, Rights.PollFdReadwrite, out var descriptor);
        if (errno != Errno.Success) return errno;
        if (descriptor.Node is OpenDirectory) return Errno.Badf;
        socket = descriptor.Node as OpenSocket;
        var needed = type == Eventtype.FdRead ? Rights.FdRead : Rights.FdWrite;
        return descriptor.Rights.HasFlag(needed) ? Errno.Success : Errno.Notcapable;
    }

    static void WriteEvent(Span<byte> target, Subscription subscription)
    {
        target.Clear();
        BinaryPrimitives.WriteUInt64LittleEndian(target, subscription.UserToken);
        BinaryPrimitives.WriteUInt16LittleEndian(target[8..], (ushort)subscription.Error);
        target[10] = (byte)subscription.Type;
        if (subscription.Type == Eventtype.Clock || subscription.Error != Errno.Success) return;
        // How many bytes are ready is not known of most; one is the answer that makes a guest try.
        var available = 1;
        if (subscription is { Type: Eventtype.FdRead, Socket: { IsStream: true, IsListening: false } socket })
        {
            available = socket.Available;
            if (available == 0) target[24] = HangUp;
        }

        BinaryPrimitives.WriteUInt64LittleEndian(target[16..], (ulong)available);
    }
}
