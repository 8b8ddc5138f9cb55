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
    public static Task<int> RunAsync(string socketPath) =>
        Task.Factory.StartNew(() => Run(socketPath), default, TaskCreationOptions.LongRunning, TaskScheduler.Default);

    static int Run(string socketPath)
    {
        using var host = HostLink.Connect(socketPath);
        using var room = new NnRoom(NnBackends.All(), host.Send);
        host.Send(new(FrameKind.Hello, 0) { Version = Frame.Protocol });
        while (host.Read() is { } frame) room.Post(frame);
        return 0;
    }
}
