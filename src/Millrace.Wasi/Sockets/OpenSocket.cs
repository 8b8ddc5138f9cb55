using System.Net;
using System.Net.Sockets;
using Millrace.Wasi.Abi;
using Millrace.Wasi.Files;

namespace Millrace.Wasi.Sockets;

/// <summary>
/// A socket of a guest. The machine's socket never blocks; where the guest's does, <see cref="Network"/> waits, so that
/// a stopped guest wakes. What is granted is checked here, so no call can forget it.
/// </summary>
sealed class OpenSocket : UnseekableFile
{
    /// <summary>No datagram is larger.</summary>
    public const int DatagramBytesMax = 1 << 16;

    const int BacklogMax = 4096;

    readonly Network _network;
    readonly Socket _socket;
    bool _mayHearAnyone;

    OpenSocket(Network network, Socket socket)
    {
        (_network, _socket) = (network, socket);
        socket.Blocking = false;
        network.Opened();
    }

    public Socket Socket => _socket;

    public AddressFamily Family => _socket.AddressFamily;

    public bool IsStream => _socket.SocketType == SocketType.Stream;

    public bool IsNonblocking { get; set; }

    public bool IsListening { get; private set; }

    /// <summary>Null: a wait for bytes or a connection has no end.</summary>
    public ulong? ReceiveTimeoutNs { get; set; }

    /// <summary>Null: a wait for room or a connection has no end.</summary>
    public ulong? SendTimeoutNs { get; set; }

    public override Filetype Type => IsStream ? Filetype.SocketStream : Filetype.SocketDgram;

    public override Fdflags Flags => IsNonblocking ? Fdflags.Nonblock : Fdflags.None;

    public static Errno Open(Network network, AddressFamily family, bool isStream, out OpenSocket? opened)
    {
        opened = null;
        if (!network.IsOpen) return Errno.Acces;
        if (!network.HasRoom) return Errno.Mfile;
        try
        {
            opened = new(network, isStream
                ? new(family, SocketType.Stream, ProtocolType.Tcp)
                : new(family, SocketType.Dgram, ProtocolType.Udp));
            return Errno.Success;
        }
        catch (Exception e) when (SocketErrno.TryFrom(e, out var errno))
        {
            return errno;
        }
    }

    public Errno Bind(IPEndPoint at)
    {
        if (at.AddressFamily != Family) return Errno.Afnosupport;
        if (!_network.MayListen(at)) return Errno.Acces;
        var errno = Try(() => _socket.Bind(at));
        _mayHearAnyone |= errno == Errno.Success;
        return errno;
    }

    public Errno Listen(uint backlog)
    {
        if (!IsStream) return Errno.Notsup;
        // Without a bind the machine would choose an address that nobody granted.
        if (!_mayHearAnyone) return Errno.Destaddrreq;
        var errno = Try(() => _socket.Listen((int)Math.Min(backlog, BacklogMax)));
        IsListening |= errno == Errno.Success;
        return errno;
    }

    public Errno Accept(out OpenSocket? accepted)
    {
        accepted = null;
        if (!IsStream) return Errno.Notsup;
        if (!IsListening) return Errno.Inval;
        if (!_network.HasRoom) return Errno.Mfile;
        while (true)
        {
            try
            {
                accepted = new(_network, _socket.Accept());
                return Errno.Success;
            }
            catch (Exception e) when (SocketErrno.TryFrom(e, out var errno))
            {
                if (errno != Errno.Again || !WaitToReceive()) return errno;
            }
        }
    }

    public Errno Connect(IPEndPoint to)
    {
        if (to.AddressFamily != Family) return Errno.Afnosupport;
        if (IsListening) return Errno.Isconn;
        if (!_network.MayConnect(to)) return Errno.Acces;
        var errno = Try(() => _socket.Connect(to));
        if (errno is not (Errno.Again or Errno.Inprogress)) return errno;
        if (IsNonblocking || !_network.Wait([], [_socket], SendTimeoutNs)) return Errno.Inprogress;
        return TakeError();
    }

    /// <summary>What became of a connection that was made in the background, once.</summary>
    public Errno TakeError()
    {
        var error = SocketError.Success;
        var errno = Try(() => error =
            (SocketError)(int)_socket.GetSocketOption(SocketOptionLevel.Socket, SocketOptionName.Error)!);
        return errno != Errno.Success ? errno : SocketErrno.From(error);
    }

    public Errno Shutdown(SocketShutdown how) => Try(() => _socket.Shutdown(how));

    /// <summary>The own address; of a socket that has none, the empty one.</summary>
    public Errno LocalAddress(out IPEndPoint address)
    {
        EndPoint? found = null;
        var errno = Try(() => found = _socket.LocalEndPoint);
        address = found as IPEndPoint ?? Empty;
        return errno;
    }

    public Errno PeerAddress(out IPEndPoint address)
    {
        EndPoint? found = null;
        var errno = Try(() => found = _socket.RemoteEndPoint);
        address = found as IPEndPoint ?? Empty;
        return errno == Errno.Success && found is null ? Errno.Notconn : errno;
    }

    /// <summary>One receipt from a stream; waits only where the guest's socket blocks and the caller lets it.</summary>
    public Errno Receive(Span<byte> buffer, bool isPeek, bool mayWait, out int count)
    {
        count = 0;
        while (buffer.Length > 0)
        {
            count = _socket.Receive(buffer, isPeek ? SocketFlags.Peek : SocketFlags.None, out var error);
            if (error == SocketError.Success) break;
            count = 0;
            var errno = SocketErrno.From(error);
            if (errno != Errno.Again || !mayWait || !WaitToReceive()) return errno;
        }

        return Errno.Success;
    }

    /// <summary>One whole datagram; the buffer has room for any.</summary>
    public Errno ReceiveDatagram(Span<byte> buffer, bool isPeek, out int count, out IPEndPoint from)
    {
        from = Empty;
        while (true)
        {
            try
            {
                EndPoint sender = Empty;
                count = _socket.ReceiveFrom(buffer, isPeek ? SocketFlags.Peek : SocketFlags.None, ref sender);
                from = (IPEndPoint)sender;
                if (_mayHearAnyone || _network.MayConnect(from)) return Errno.Success;
                // It sent to an address that the machine chose: whoever is not granted is not heard.
                if (isPeek) _socket.ReceiveFrom(buffer, ref sender);
                _network.ThrowIfStopped();
            }
            catch (Exception e) when (SocketErrno.TryFrom(e, out var errno))
            {
                count = 0;
                if (errno != Errno.Again || !WaitToReceive()) return errno;
            }
        }
    }

    /// <summary>One send; of a stream as many bytes as there is room for.</summary>
    public Errno Send(ReadOnlySpan<byte> bytes, bool mayWait, out int count)
    {
        while (true)
        {
            count = _socket.Send(bytes, SocketFlags.None, out var error);
            if (error == SocketError.Success) return Errno.Success;
            count = 0;
            var errno = SocketErrno.From(error);
            if (errno != Errno.Again || !mayWait || !WaitToSend()) return errno;
        }
    }

    public Errno SendDatagram(ReadOnlySpan<byte> bytes, IPEndPoint to, out int count)
    {
        count = 0;
        if (to.AddressFamily != Family) return Errno.Afnosupport;
        if (!_network.MayConnect(to)) return Errno.Acces;
        while (true)
        {
            try
            {
                count = _socket.SendTo(bytes, to);
                return Errno.Success;
            }
            catch (Exception e) when (SocketErrno.TryFrom(e, out var errno))
            {
                if (errno != Errno.Again || !WaitToSend()) return errno;
            }
        }
    }

    /// <summary>Whether a call would not wait now.</summary>
    public bool IsReady(SelectMode mode) => _socket.Poll(0, mode);

    /// <summary>How many bytes are there to read; none also at the end of a stream.</summary>
    public int Available
    {
        get
        {
            var available = 0;
            return Try(() => available = _socket.Available) == Errno.Success ? available : 0;
        }
    }

    public override Errno Read(Span<byte> buffer, out int count) => Receive(buffer, false, !IsNonblocking, out count);

    public override Errno Write(ReadOnlySpan<byte> bytes, out int count) => Send(bytes, !IsNonblocking, out count);

    public override Errno SetFlags(Fdflags flags)
    {
        if ((flags & ~Fdflags.Nonblock) != 0) return Errno.Notsup;
        IsNonblocking = flags.HasFlag(Fdflags.Nonblock);
        return Errno.Success;
    }

    public override Errno Sync(bool isDataOnly) => Errno.Inval;

    protected override void Close()
    {
        _socket.Dispose();
        _network.Closed();
    }

    IPEndPoint Empty => new(Family == AddressFamily.InterNetwork ? IPAddress.Any : IPAddress.IPv6Any, 0);

    bool WaitToReceive() => !IsNonblocking && _network.Wait([_socket], [], ReceiveTimeoutNs);

    bool WaitToSend() => !IsNonblocking && _network.Wait([], [_socket], SendTimeoutNs);

    /// <summary>Does what a socket may refuse by an exception.</summary>
    public static Errno Try(Action call)
    {
        try
        {
            call();
            return Errno.Success;
        }
        catch (Exception e) when (SocketErrno.TryFrom(e, out var errno))
        {
            return errno;
        }
    }
}
