using System.Net.Sockets;
using Millrace.Wasi.Abi;

namespace Millrace.Wasi.Sockets;

/// <summary>What .NET says of a socket, as the guest hears it.</summary>
static class SocketErrno
{
    public static Errno From(SocketError error) => error switch
    {
        SocketError.Success => Errno.Success,
        SocketError.AccessDenied => Errno.Acces,
        SocketError.AddressAlreadyInUse => Errno.Addrinuse,
        SocketError.AddressNotAvailable => Errno.Addrnotavail,
        SocketError.AddressFamilyNotSupported or SocketError.ProtocolFamilyNotSupported => Errno.Afnosupport,
        SocketError.WouldBlock or SocketError.IOPending => Errno.Again,
        SocketError.AlreadyInProgress => Errno.Already,
        SocketError.ConnectionAborted => Errno.Connaborted,
        SocketError.ConnectionRefused => Errno.Connrefused,
        SocketError.ConnectionReset => Errno.Connreset,
        SocketError.DestinationAddressRequired => Errno.Destaddrreq,
        SocketError.HostDown or SocketError.HostUnreachable => Errno.Hostunreach,
        SocketError.InProgress => Errno.Inprogress,
        SocketError.Interrupted => Errno.Intr,
        SocketError.InvalidArgument => Errno.Inval,
        SocketError.IsConnected => Errno.Isconn,
        SocketError.MessageSize => Errno.Msgsize,
        SocketError.NetworkDown => Errno.Netdown,
        SocketError.NetworkReset => Errno.Netreset,
        SocketError.NetworkUnreachable => Errno.Netunreach,
        SocketError.NoBufferSpaceAvailable => Errno.Nobufs,
        SocketError.NotConnected => Errno.Notconn,
        SocketError.OperationNotSupported => Errno.Notsup,
        SocketError.ProtocolNotSupported => Errno.Protonosupport,
        SocketError.ProtocolOption => Errno.Noprotoopt,
        SocketError.ProtocolType => Errno.Prototype,
        SocketError.Shutdown => Errno.Pipe,
        SocketError.TimedOut => Errno.Timedout,
        SocketError.TooManyOpenSockets => Errno.Mfile,
        _ => Errno.Io,
    };

    /// <summary>Of a failed resolution.</summary>
    public static Errno FromResolution(SocketError error) => error switch
    {
        SocketError.HostNotFound => Errno.Ainoname,
        SocketError.NoData => Errno.Ainodata,
        SocketError.TryAgain => Errno.Aiagain,
        _ => Errno.Aifail,
    };

    /// <summary>Of an exception that a socket throws for what the guest did; false for any other.</summary>
    public static bool TryFrom(Exception exception, out Errno errno)
    {
        errno = exception switch
        {
            SocketException socket => From(socket.SocketErrorCode),
            NotSupportedException => Errno.Notsup,
            // Sockets check their own state: sending before connecting, say.
            InvalidOperationException or ArgumentException => Errno.Inval,
            _ => Errno.Success,
        };
        return errno != Errno.Success;
    }
}
