using System.Net.Sockets;
using System.Runtime.InteropServices;
using Millrace.Sandbox.Protocol;

namespace Millrace.Sandbox;

/// <summary>The worker process: holds compiled code and instances of one trust group, and nothing else.</summary>
public static class GuestWorker
{
    /// <summary>Connects to the host's socket and works until it closes. Answers the process's exit code.</summary>
    public static int Run(string socketPath)
    {
        // A terminal's Ctrl-C and a service's stop reach the whole group of processes; the host ends its workers
        // itself, when what they do is put away.
        using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Ignore);
        using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Ignore);
        using var hangUp = PosixSignalRegistration.Create(PosixSignal.SIGHUP, Ignore);
        return Work(socketPath);
    }

    /// <summary>As <see cref="Run"/>, for a process that is not a worker's alone.</summary>
    internal static int Work(string socketPath)
    {
        using var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            socket.Connect(new UnixDomainSocketEndPoint(socketPath));
        }
        catch (SocketException)
        {
            // The host went before it was up.
            return 1;
        }

        using var channel = new Channel(socket, int.MaxValue);
        using var session = new WorkerSession(channel);
        session.Run();
        return 0;
    }

    static void Ignore(PosixSignalContext signal) => signal.Cancel = true;
}
