using System.Net;
using System.Net.Sockets;
using Millrace.Wasi.Abi;
using Millrace.Wasi.Sockets;

namespace Millrace.Wasi.Calls;

/// <summary>
/// Making sockets and connections. Preview 1 can only accept and shut down; the rest is WasmEdge's extension, whose
/// functions came in two versions: by the same name with another type, or with <c>_v2</c> behind it.
/// </summary>
static class SocketCalls
{
    /// <summary>Those of preview 1.</summary>
    public static readonly CallEntry[] Entries =
    [
        new("sock_accept", "iii", static (w, m, a) => Accept(w, m, a.U32(0), a.U32(1), a.U32(2))),
        new("sock_shutdown", "ii", Shutdown),
    ];

    public static readonly CallEntry[] Extension =
    [
        new("sock_accept", "ii", static (w, m, a) => Accept(w, m, a.U32(0), 0, a.U32(1))),
        new("sock_accept_v2", "iii", static (w, m, a) => Accept(w, m, a.U32(0), a.U32(1), a.U32(2))),
        new("sock_open", "iii", Open),
        new("sock_open_v2", "iii", Open),
        new("sock_bind", "iii", Bind),
        new("sock_bind_v2", "iii", Bind),
        new("sock_listen", "ii", Listen),
        new("sock_listen_v2", "ii", Listen),
        new("sock_connect", "iii", Connect),
        new("sock_connect_v2", "iii", Connect),
        new("sock_getlocaladdr", "iiii", static (w, m, a) => Address(w, m, a, isPeer: false)),
        new("sock_getlocaladdr", "iii", static (w, m, a) => AddressV2(w, m, a, isPeer: false)),
        new("sock_getlocaladdr_v2", "iii", static (w, m, a) => AddressV2(w, m, a, isPeer: false)),
        new("sock_getpeeraddr", "iiii", static (w, m, a) => Address(w, m, a, isPeer: true)),
        new("sock_getpeeraddr", "iii", static (w, m, a) => AddressV2(w, m, a, isPeer: true)),
        new("sock_getpeeraddr_v2", "iii", static (w, m, a) => AddressV2(w, m, a, isPeer: true)),
    ];

    const uint TypeV4 = 4;
    const uint TypeV6 = 6;

    static Errno Open(WasiContext wasi, IGuestMemory memory, Arguments arguments)
    {
        var (family, type, answerAt) = (arguments.U32(0), arguments.U32(1), arguments.U32(2));
        _ = memory.Bytes(answerAt, 4);
        if (family is 0 or > 3 || type is not (1 or 2)) return Errno.Inval;
        // Sockets of the machine's own file system are not given out.
        if (family == 3) return Errno.Afnosupport;
        if (!wasi.Table.HasRoom) return Errno.Mfile;
        var machineFamily = family == 1 ? AddressFamily.InterNetwork : AddressFamily.InterNetworkV6;
        var errno = OpenSocket.Open(wasi.Network, machineFamily, type == 2, out var socket);
        return errno == Errno.Success ? Add(wasi, memory, socket!, answerAt) : errno;
    }

    static Errno Accept(WasiContext wasi, IGuestMemory memory, uint number, uint flags, uint answerAt)
    {
        var errno = wasi.FindSocket(number, Rights.SockAccept, out var listener);
        if (errno != Errno.Success) return errno;
        _ = memory.Bytes(answerAt, 4);
        if ((flags & ~(uint)Fdflags.Nonblock) != 0) return Errno.Inval;
        if (!wasi.Table.HasRoom) return Errno.Mfile;
        errno = listener.Accept(out var accepted);
        if (errno != Errno.Success) return errno;
        accepted!.IsNonblocking = flags != 0;
        return Add(wasi, memory, accepted, answerAt);
    }

    /// <summary>Gives a socket a number; the caller saw to it that there is room for both.</summary>
    static Errno Add(WasiContext wasi, IGuestMemory memory, OpenSocket socket, uint answerAt)
    {
        if (!wasi.Table.TryAdd(new(socket, Rights.Socket, Rights.Socket), out var number)) return Errno.Mfile;
        memory.WriteU32(answerAt, number);
        return Errno.Success;
    }

    static Errno Bind(WasiContext wasi, IGuestMemory memory, Arguments arguments)
    {
        var errno = FindWithAddress(wasi, memory, arguments, out var socket, out var address);
        return errno == Errno.Success ? socket.Bind(address) : errno;
    }

    static Errno Connect(WasiContext wasi, IGuestMemory memory, Arguments arguments)
    {
        var errno = FindWithAddress(wasi, memory, arguments, out var socket, out var address);
        return errno == Errno.Success ? socket.Connect(address) : errno;
    }

    static Errno FindWithAddress(
        WasiContext wasi, IGuestMemory memory, Arguments arguments, out OpenSocket socket, out IPEndPoint address)
    {
        address = null!;
        var errno = wasi.FindSocket(arguments.U32(0), Rights.None, out socket);
        return errno == Errno.Success
            ? GuestAddress.Read(memory, arguments.U32(1), arguments.U32(2), out address)
            : errno;
    }

    static Errno Listen(WasiContext wasi, IGuestMemory memory, Arguments arguments)
    {
        var errno = wasi.FindSocket(arguments.U32(0), Rights.None, out var socket);
        return errno == Errno.Success ? socket.Listen(arguments.U32(1)) : errno;
    }

    static Errno Shutdown(WasiContext wasi, IGuestMemory memory, Arguments arguments)
    {
        var errno = wasi.FindSocket(arguments.U32(0), Rights.SockShutdown, out var socket);
        if (errno != Errno.Success) return errno;
        return arguments.U32(1) switch
        {
            1 => socket.Shutdown(SocketShutdown.Receive),
            2 => socket.Shutdown(SocketShutdown.Send),
            3 => socket.Shutdown(SocketShutdown.Both),
            _ => Errno.Inval,
        };
    }

    static Errno Address(WasiContext wasi, IGuestMemory memory, Arguments arguments, bool isPeer)
    {
        var (addressAt, typeAt, portAt) = (arguments.U32(1), arguments.U32(2), arguments.U32(3));
        var errno = FindAddress(wasi, memory, arguments.U32(0), addressAt, isPeer, out var address);
        if (errno != Errno.Success) return errno;
        _ = memory.Bytes(typeAt, 4);
        _ = memory.Bytes(portAt, 4);
        GuestAddress.Write(memory, addressAt, address.Address, isTagged: false);
        memory.WriteU32(typeAt, GuestAddress.IsV4(address.Address) ? TypeV4 : TypeV6);
        memory.WriteU32(portAt, (uint)address.Port);
        return Errno.Success;
    }

    static Errno AddressV2(WasiContext wasi, IGuestMemory memory, Arguments arguments, bool isPeer)
    {
        var (addressAt, portAt) = (arguments.U32(1), arguments.U32(2));
        var errno = FindAddress(wasi, memory, arguments.U32(0), addressAt, isPeer, out var address);
        if (errno != Errno.Success) return errno;
        _ = memory.Bytes(portAt, 4);
        GuestAddress.Write(memory, addressAt, address.Address, isTagged: true);
        memory.WriteU32(portAt, (uint)address.Port);
        return Errno.Success;
    }

    static Errno FindAddress(
        WasiContext wasi, IGuestMemory memory, uint number, uint addressAt, bool isPeer, out IPEndPoint address)
    {
        address = null!;
        var errno = wasi.FindSocket(number, Rights.None, out var socket);
        if (errno == Errno.Success) errno = GuestAddress.Check(memory, addressAt, socket.Family);
        if (errno != Errno.Success) return errno;
        return isPeer ? socket.PeerAddress(out address) : socket.LocalAddress(out address);
    }
}
