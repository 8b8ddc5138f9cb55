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
        await using var host = await HostLink.ConnectAsync(socketPath);
        using var room = new NnRoom(NnBackends.All(), host.Send);
        host.Send(new(FrameKind.Hello, 0) { Version = Frame.Protocol });
        while (await host.ReadAsync() is { } frame) room.Post(frame);
        return 0;
    }
}
