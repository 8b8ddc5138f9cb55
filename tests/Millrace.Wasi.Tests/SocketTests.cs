using System.Net;
using System.Net.Sockets;
using System.Text;
using Millrace.Wasi.Abi;
using Millrace.Wasi.Calls;
using Millrace.Wasm;

namespace Millrace.Wasi.Tests;

/// <summary>Each socket function by itself, against sockets of this machine.</summary>
public sealed class SocketTests : IDisposable
{
    const uint Address = 1024;
    const uint AddressBytes = 1040;
    const int Datagram = 1;
    const int Stream = 2;
    const int HangUpAt = 24;

    static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    readonly CancellationTokenSource _stop = new();
    readonly Guest _guest;

    public SocketTests() => _guest = new(new()
    {
        Connect = [NetworkGrant.Parse("127.0.0.1:*")],
        Listen = [NetworkGrant.Parse("127.0.0.1:*")],
        SocketsMax = 4,
        Stop = _stop.Token,
    });

    public void Dispose()
    {
        _guest.Dispose();
        _stop.Dispose();
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_server_takes_connections_by_either_signature(bool isV2)
    {
        var (listener, port) = Listening();
        using var client = Connected(port);

        Assert.Equal(Errno.Success, isV2 ? _guest.Call("sock_accept", listener, 0, Guest.Out) : _guest.Call("sock_accept", listener, Guest.Out));
        var peer = _guest.U32(Guest.Out);
        client.Send("question"u8);
        Assert.Equal("question", Receive(peer));
        Assert.Equal(Errno.Success, Send(peer, "answer"));
        Assert.Equal("answer", Hear(client));
        // As a file: what a C program does.
        client.Send("more"u8);
        Assert.Equal("more", _guest.Read(peer));
        Assert.Equal(Errno.Success, _guest.Write(peer, "bye"));
        Assert.Equal("bye", Hear(client));
        client.Shutdown(SocketShutdown.Send);
        Assert.Equal("", Receive(peer));
        Assert.Equal(Errno.Success, _guest.Call("fd_close", peer));
        Assert.Equal("", Hear(client));
    }

    [Fact]
    public void Tells_addresses_in_each_form()
    {
        var (listener, port) = Listening();

        PointTo(16);
        Assert.Equal(Errno.Success, _guest.Call("sock_getlocaladdr", listener, Address, Guest.Out, Guest.Out + 4));
        Assert.Equal((4u, (uint)port), (_guest.U32(Guest.Out), _guest.U32(Guest.Out + 4)));
        Assert.Equal([127, 0, 0, 1], At(AddressBytes, 4));
        PointTo(128);
        Assert.Equal(Errno.Success, _guest.Call("sock_getlocaladdr", listener, Address, Guest.Out));
        Assert.Equal((uint)port, _guest.U32(Guest.Out));
        Assert.Equal([1, 0, 127, 0, 0, 1, 0], At(AddressBytes, 7));
        Assert.Equal(Errno.Notconn, _guest.Call("sock_getpeeraddr", listener, Address, Guest.Out));
        PointTo(5);
        Assert.Equal(Errno.Inval, _guest.Call("sock_getlocaladdr", listener, Address, Guest.Out));
    }

    [Fact]
    public void A_socket_that_does_not_block_says_so_and_can_be_polled()
    {
        var (listener, port) = Listening();
        Assert.Equal(Errno.Success, _guest.Call("fd_fdstat_set_flags", listener, (uint)Fdflags.Nonblock));
        Assert.Equal(Errno.Again, _guest.Call("sock_accept", listener, Guest.Out));
        Assert.Equal([7ul], Poll(Clock(7, 1_000_000), Ready(8, Eventtype.FdRead, listener)));

        using var client = Connected(port);
        Assert.Equal([8ul], Poll(Ready(8, Eventtype.FdRead, listener)));
        Assert.Equal(Errno.Success, _guest.Call("sock_accept", listener, (uint)Fdflags.Nonblock, Guest.Out));
        var peer = _guest.U32(Guest.Out);
        Assert.Equal(Errno.Again, _guest.Call("sock_recv", peer, _guest.Vectors((Guest.Buffer, 9)), 1, 0, Guest.Out, Guest.Out + 4));
        Assert.Equal([2ul], Poll(Clock(1, 1UL << 40), Ready(2, Eventtype.FdWrite, peer), Ready(3, Eventtype.FdRead, peer)));
        client.Send("12"u8);
        Assert.Equal([3ul], Poll(Ready(3, Eventtype.FdRead, peer)));
        Assert.Equal((2ul, 0), (_guest.U64(Guest.Buffer + 16), _guest.Memory.Array[Guest.Buffer + HangUpAt]));
        Receive(peer);
        client.Shutdown(SocketShutdown.Send);
        Assert.Equal([3ul], Poll(Ready(3, Eventtype.FdRead, peer)));
        Assert.Equal((0ul, 1), (_guest.U64(Guest.Buffer + 16), _guest.Memory.Array[Guest.Buffer + HangUpAt]));
    }

    [Fact]
    public void A_connection_in_the_background_ends_in_the_sockets_error()
    {
        using var server = Server(out var port);
        var socket = Open(Stream);
        _guest.Call("fd_fdstat_set_flags", socket, (uint)Fdflags.Nonblock);

        Assert.Contains(Connect(socket, port), new[] { Errno.Success, Errno.Inprogress });
        Assert.Equal([1ul], Poll(Ready(1, Eventtype.FdWrite, socket)));
        Assert.Equal(0u, Option(socket, 2));
        // The first further call may take note of the connection instead.
        Connect(socket, port);
        Assert.Equal(Errno.Isconn, Connect(socket, port));

        server.Dispose();
        var late = Open(Stream);
        Assert.Equal(Errno.Connrefused, Connect(late, port));
        var background = Open(Stream);
        _guest.Call("fd_fdstat_set_flags", background, (uint)Fdflags.Nonblock);
        if (Connect(background, port) != Errno.Inprogress) return;
        Assert.Equal([1ul], Poll(Ready(1, Eventtype.FdWrite, background)));
        Assert.Equal((uint)Errno.Connrefused, Option(background, 2));
    }

    [Fact]
    public void A_limit_of_time_ends_a_receipt()
    {
        using var server = Server(out var port);
        var socket = Open(Stream);
        Assert.Equal(Errno.Success, Connect(socket, port));
        var time = _guest.Bytes([.. BitConverter.GetBytes(0L), .. BitConverter.GetBytes(30_000L)]).At;

        Assert.Equal(Errno.Success, _guest.Call("sock_setsockopt", socket, 0, 11, time, 16));
        Assert.Equal(Errno.Again, _guest.TryRead(socket, out _));
        Assert.Equal(Errno.Inval, _guest.Call("sock_setsockopt", socket, 0, 11, time, 8));
    }

    [Fact]
    public void Datagrams_keep_their_borders_and_name_their_sender()
    {
        using var other = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        other.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        var otherPort = ((IPEndPoint)other.LocalEndPoint!).Port;
        var socket = Open(Datagram);
        PointTo(4, IPAddress.Loopback);
        var (at, length) = _guest.Text("one");
        Assert.Equal(Errno.Success, _guest.Call("sock_send_to", socket, _guest.Vectors((at, length)), 1, Address, otherPort, 0, Guest.Out));
        EndPoint sender = new IPEndPoint(IPAddress.Any, 0);
        var heard = new byte[16];
        Assert.Equal(3, other.ReceiveFrom(heard, ref sender));

        other.SendTo("longer"u8, sender);
        PointTo(128);
        Assert.Equal(Errno.Success, _guest.Call(
            "sock_recv_from", socket, _guest.Vectors((Guest.Buffer, 2), (Guest.Buffer + 8, 2)), 2, Address, 0, Guest.Out, Guest.Out + 4, Guest.Out + 8));
        Assert.Equal(((uint)otherPort, 4u, 1u), (_guest.U32(Guest.Out), _guest.U32(Guest.Out + 4), _guest.U32(Guest.Out + 8) & 0xffff));
        Assert.Equal("lo", Encoding.UTF8.GetString(At(Guest.Buffer, 2)));
        Assert.Equal("ng", Encoding.UTF8.GetString(At(Guest.Buffer + 8, 2)));

        other.SendTo("x"u8, sender);
        PointTo(16);
        Assert.Equal(Errno.Success, _guest.Call(
            "sock_recv_from", socket, _guest.Vectors((Guest.Buffer, 9)), 1, Address, 0, Guest.Out, Guest.Out + 4));
        Assert.Equal([127, 0, 0, 1], At(AddressBytes, 4));
        PointTo(4, IPAddress.Parse("127.0.0.2"));
        Assert.Equal(Errno.Acces, _guest.Call("sock_send_to", socket, _guest.Vectors((at, length)), 1, Address, otherPort, 0, Guest.Out));
    }

    [Fact]
    public void A_stop_ends_every_wait()
    {
        var (listener, port) = Listening();
        using var client = Connected(port);
        _guest.Call("sock_accept", listener, Guest.Out);
        var peer = _guest.U32(Guest.Out);
        _stop.CancelAfter(TimeSpan.FromMilliseconds(50));

        Assert.Equal(TrapCode.Interrupted, Assert.Throws<TrapException>(() => _guest.TryRead(peer, out _)).Code);
        Assert.Equal(TrapCode.Interrupted, Assert.Throws<TrapException>(() => _guest.Call("sock_accept", listener, Guest.Out)).Code);
        Assert.Equal(TrapCode.Interrupted, Assert.Throws<TrapException>(() => Poll(Ready(1, Eventtype.FdRead, peer))).Code);
    }

    [Fact]
    public void Looks_names_up_into_the_records_that_the_guest_gave()
    {
        using var guest = new Guest(new() { Connect = [NetworkGrant.Parse("localhost:80")] });
        uint[] records = [2048, 2304];
        foreach (var record in records)
        {
            BitConverter.TryWriteBytes(guest.Memory.Array.AsSpan((int)record + 12), record + 32);
            BitConverter.TryWriteBytes(guest.Memory.Array.AsSpan((int)record + 24), record == 2048 ? 2304u : 0);
            BitConverter.TryWriteBytes(guest.Memory.Array.AsSpan((int)record + 40), record + 64);
        }

        BitConverter.TryWriteBytes(guest.Memory.Array.AsSpan((int)Guest.Out), 2048u);
        Errno Resolve(string node, string service, int max = 10)
        {
            var ((nodeAt, nodeLength), (serviceAt, serviceLength)) = (guest.Text(node), guest.Text(service));
            var hints = guest.Bytes([0, 0, 1, 2, .. new byte[24]]).At;
            return guest.Call("sock_getaddrinfo", nodeAt, nodeLength, serviceAt, serviceLength, hints, Guest.Out, max, Guest.Out + 4);
        }

        Assert.Equal(Errno.Success, Resolve("localhost\0", "http\0"));
        Assert.True(guest.U32(Guest.Out + 4) > 0);
        Assert.Equal([1, 2, 1], guest.Memory.Array[2050..2053]);
        Assert.Equal(14u, guest.U32(2048 + 32 + 4));
        Assert.Equal([0, 80, 127, 0, 0, 1], guest.Memory.Array[(2048 + 64)..(2048 + 70)]);
        Assert.Equal(Errno.Success, Resolve("10.1.2.3", "8080"));
        Assert.Equal([0x1f, 0x90, 10, 1, 2, 3], guest.Memory.Array[(2048 + 64)..(2048 + 70)]);
        Assert.Equal(1u, guest.U32(Guest.Out + 4));
        Assert.Equal(Errno.Acces, Resolve("elsewhere.invalid", "http"));
        Assert.Equal(Errno.Aiservice, Resolve("localhost", "no such"));
        Assert.Equal(Errno.Ainoname, Resolve("", ""));
        Assert.Equal(Errno.Aimemory, Resolve("localhost", "", 0));
    }

    [Fact]
    public void Keeps_options_and_refuses_unknown_ones()
    {
        var socket = Open(Stream);
        var one = _guest.Bytes([1, 0, 0, 0, 0, 0, 0, 0]).At;

        foreach (var name in (int[])[0, 7]) Assert.Equal(Errno.Success, _guest.Call("sock_setsockopt", socket, 0, name, one, 4));
        Assert.Equal(1u, Option(socket, 7));
        Assert.Equal(2u, Option(socket, 1));
        Assert.Equal(0u, Option(socket, 13));
        Assert.True(Option(socket, 6) > 0);
        Assert.Equal(Errno.Noprotoopt, _guest.Call("sock_setsockopt", socket, 0, 14, one, 4));
        Assert.Equal(Errno.Noprotoopt, _guest.Call("sock_setsockopt", socket, 6, 1, one, 4));
        Assert.Equal(Errno.Fault, _guest.Call("sock_setsockopt", socket, 0, 7, 65534, 4));
        Assert.Equal(Errno.Notsock, _guest.Call("sock_getsockopt", 1, 0, 1, one, one));
    }

    [Fact]
    public void Opens_no_more_sockets_than_are_allowed()
    {
        Assert.Equal(Errno.Inval, _guest.Call("sock_open", 0, Stream, Guest.Out));
        Assert.Equal(Errno.Inval, _guest.Call("sock_open", 1, 3, Guest.Out));
        Assert.Equal(Errno.Afnosupport, _guest.Call("sock_open", 3, Stream, Guest.Out));
        Assert.Equal(Errno.Fault, _guest.Call("sock_open", 1, Stream, 65534));
        var first = Open(Stream);
        for (var i = 1; i < 4; i++) Open(Stream);

        Assert.Equal(Errno.Mfile, _guest.Call("sock_open", 1, Stream, Guest.Out));
        _guest.Call("fd_close", first);
        Assert.Equal(first, Open(Stream));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void Random_calls_on_sockets_answer_an_errno_and_nothing_else(int seed)
    {
        var chance = new Random(seed);
        var entries = CallTable.All.Where(entry => entry.Name.StartsWith("sock_", StringComparison.Ordinal) || entry.Name is "fd_close" or "poll_oneoff").ToArray();
        _stop.CancelAfter(TimeSpan.FromSeconds(2));
        for (var i = 0; i < 4000 && !_stop.IsCancellationRequested; i++)
        {
            var entry = entries[chance.Next(entries.Length)];
            if (entry.Name == "fd_close" && chance.Next(8) > 0) continue;
            for (var fd = 3u; fd < 8; fd++) _guest.Call("fd_fdstat_set_flags", fd, (uint)Fdflags.Nonblock);
            PointTo(chance.Next(8) == 0 ? (uint)chance.Next() : 4, IPAddress.Loopback);
            try
            {
                var errno = _guest.Call(entry.Name, [.. entry.Parameters.Select((_, at) => (object)Argument(chance, at))]);
                Assert.True(Enum.IsDefined(errno), $"{entry.Name}: {errno}");
            }
            catch (TrapException trap)
            {
                Assert.Equal(TrapCode.Interrupted, trap.Code);
            }
        }
    }

    static uint Argument(Random chance, int at) => at == 0 && chance.Next(8) > 0
        ? (uint)chance.Next(8)
        : chance.Next(5) switch
        {
            0 => (uint)chance.Next(),
            1 => (uint)chance.Next(4),
            2 => Address,
            3 => 65530,
            _ => Guest.Buffer,
        };

    uint Open(int type)
    {
        Assert.Equal(Errno.Success, _guest.Call("sock_open", 1, type, Guest.Out));
        return _guest.U32(Guest.Out);
    }

    (uint Socket, int Port) Listening()
    {
        var socket = Open(Stream);
        PointTo(4, IPAddress.Loopback);
        Assert.Equal(Errno.Destaddrreq, _guest.Call("sock_listen", socket, 8));
        Assert.Equal(Errno.Success, _guest.Call("sock_bind", socket, Address, 0));
        Assert.Equal(Errno.Success, _guest.Call("sock_listen", socket, 8));
        PointTo(128);
        Assert.Equal(Errno.Success, _guest.Call("sock_getlocaladdr_v2", socket, Address, Guest.Out));
        return (socket, (int)_guest.U32(Guest.Out));
    }

    Errno Connect(uint socket, int port)
    {
        PointTo(4, IPAddress.Loopback);
        return _guest.Call("sock_connect", socket, Address, port);
    }

    static Socket Server(out int port)
    {
        var server = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        server.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        server.Listen();
        port = ((IPEndPoint)server.LocalEndPoint!).Port;
        return server;
    }

    static Socket Connected(int port)
    {
        var client = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp)
        {
            ReceiveTimeout = (int)Patience.TotalMilliseconds,
        };
        client.Connect(IPAddress.Loopback, port);
        return client;
    }

    static string Hear(Socket socket)
    {
        var buffer = new byte[64];
        return Encoding.UTF8.GetString(buffer, 0, socket.Receive(buffer));
    }

    string Receive(uint socket)
    {
        Assert.Equal(Errno.Success, _guest.Call(
            "sock_recv", socket, _guest.Vectors((Guest.Buffer, 64)), 1, 0, Guest.Out, Guest.Out + 4));
        return Encoding.UTF8.GetString(At(Guest.Buffer, (int)_guest.U32(Guest.Out)));
    }

    Errno Send(uint socket, string text)
    {
        var (at, length) = _guest.Text(text);
        return _guest.Call("sock_send", socket, _guest.Vectors((at, length)), 1, 0, Guest.Out);
    }

    uint Option(uint socket, int name)
    {
        var length = _guest.Bytes([4, 0, 0, 0]).At;
        Assert.Equal(Errno.Success, _guest.Call("sock_getsockopt", socket, 0, name, Guest.Out, length));
        return _guest.U32(Guest.Out);
    }

    void PointTo(uint length, IPAddress? address = null)
    {
        BitConverter.TryWriteBytes(_guest.Memory.Array.AsSpan((int)Address), AddressBytes);
        BitConverter.TryWriteBytes(_guest.Memory.Array.AsSpan((int)Address + 4), length);
        address?.TryWriteBytes(_guest.Memory.Array.AsSpan((int)AddressBytes), out _);
    }

    byte[] At(uint at, int length) => _guest.Memory.Array[(int)at..((int)at + length)];

    static byte[] Clock(ulong token, ulong timeoutNs) =>
        [.. BitConverter.GetBytes(token), .. new byte[8], 1, .. new byte[7], .. BitConverter.GetBytes(timeoutNs), .. new byte[16]];

    static byte[] Ready(ulong token, Eventtype type, uint fd) =>
        [.. BitConverter.GetBytes(token), (byte)type, .. new byte[7], .. BitConverter.GetBytes(fd), .. new byte[28]];

    List<ulong> Poll(params byte[][] subscriptions)
    {
        var at = _guest.Bytes([.. subscriptions.SelectMany(bytes => bytes)]).At;
        Assert.Equal(Errno.Success, _guest.Call("poll_oneoff", at, Guest.Buffer, subscriptions.Length, Guest.Out));
        return [.. Enumerable.Range(0, (int)_guest.U32(Guest.Out)).Select(i => _guest.U64(Guest.Buffer + (uint)i * 32))];
    }
}
