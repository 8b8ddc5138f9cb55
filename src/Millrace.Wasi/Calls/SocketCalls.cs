using Millrace.Wasi.Abi;

namespace Millrace.Wasi.Calls;

/// <summary><c>sock_*</c>: a descriptor that exists is no socket, and none can be made.</summary>
static class SocketCalls
{
    public static readonly CallEntry[] Entries =
    [
        new("sock_accept", "iii", Refuse),
        new("sock_recv", "iiiiii", Refuse),
        new("sock_send", "iiiii", Refuse),
        new("sock_shutdown", "ii", Refuse),
    ];

    static Errno Refuse(WasiContext wasi, IGuestMemory memory, Arguments arguments) =>
        wasi.Table.TryFind(arguments.U32(0), out _) ? Errno.Notsock : Errno.Badf;
}
