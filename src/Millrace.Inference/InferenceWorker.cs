using Millrace.Inference.Worker;

namespace Millrace.Inference;

/// <summary>
/// The worker's side: loads models and answers requests, many at once, until the host's end of the socket closes.
/// Native code may abort this process at any time; the host counts on nothing else than that.
/// </summary>
public static class InferenceWorker
{
    /// <summary>Connects to the host's socket and works until it closes. Answers the process's exit code.</summary>
    public static Task<int> RunAsync(string socketPath) =>
        Task.Factory.StartNew(() => Run(socketPath), default, TaskCreationOptions.LongRunning, TaskScheduler.Default);

    static int Run(string socketPath)
    {
        using var host = HostLink.Connect(socketPath);
        LoadedBuild build;
        try
        {
            build = LoadedBuild.Load(LlamaBuild.Choose());
        }
        catch (Exception e) when (e is InferenceException or DllNotFoundException or EntryPointNotFoundException
            or BadImageFormatException or DirectoryNotFoundException)
        {
            host.Send(new(FrameKind.Error, 0) { ErrorType = "model-unavailable", Message = e.Message });
            return 1;
        }

        host.Send(new(FrameKind.Hello, 0) { Version = Frame.Protocol, Message = build.Report });
        if (host.Read() is not { Kind: FrameKind.Settings, Settings: { } settings }) return 1;
        var models = new ModelShelf(settings, build, report => host.Send(new(FrameKind.Alive, 0) { Message = report }));
        var scheduler = new Scheduler(models, host.Send);
        new Thread(scheduler.Run) { IsBackground = true, Name = "inference" }.Start();
        while (host.Read() is { } frame) scheduler.Post(frame);
        return 0;
    }
}
