using System.Net.Sockets;
using Millrace.Inference.Proxy;
using Millrace.Inference.Worker;

namespace Millrace.Inference;

/// <summary>
/// The process that computes models for guests and for <c>millrace nn run</c>. A model may abort it at any time; the host
/// counts on nothing else than that. Apart from <see cref="InferenceWorker"/>, so that no guest's model ends a chat.
/// </summary>
public static class NnWorker
{
    /// <summary>Connects to the host's socket and works until it closes. Answers the process's exit code.</summary>
    public static async Task<int> RunAsync(string socketPath)
    {
        using var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        await socket.ConnectAsync(new UnixDomainSocketEndPoint(socketPath));
        await using var stream = new NetworkStream(socket);
        var sending = new Lock();
        using var room = new NnRoom(NnBackends.All(), Send);
        Send(new(FrameKind.Hello, 0) { Version = Frame.Protocol });
        while (await Frame.ReadAsync(stream, default) is { } frame) room.Post(frame);
        return 0;

        void Send(Frame frame)
        {
            try
            {
                lock (sending) Frame.WriteAsync(stream, frame, default).GetAwaiter().GetResult();
            }
            catch (Exception e) when (e is IOException or ObjectDisposedException)
            {
                // The host is gone, and the loop above is about to see it.
            }
        }
    }
}
