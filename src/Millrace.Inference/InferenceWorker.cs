using System.Net.Sockets;
using Millrace.Inference.Native;
using Millrace.Inference.Worker;

namespace Millrace.Inference;

/// <summary>
/// The worker's side: loads models and answers requests, many at once, until the host's end of the socket closes.
/// Native code may abort this process at any time; the host counts on nothing else than that.
/// </summary>
public sealed class InferenceWorker
{
    readonly Stream _stream;
    readonly Lock _sending = new();

    InferenceWorker(Stream stream) => _stream = stream;

    /// <summary>Connects to the host's socket and works until it closes. Answers the process's exit code.</summary>
    public static async Task<int> RunAsync(string socketPath)
    {
        using var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        await socket.ConnectAsync(new UnixDomainSocketEndPoint(socketPath));
        await using var stream = new NetworkStream(socket);
        return await new InferenceWorker(stream).RunAsync();
    }

    async Task<int> RunAsync()
    {
        try
        {
            var folder = NativeLibraries.LlamaFolder()
                ?? throw new InferenceException("model-unavailable", NativeLibraries.WhyAbsent);
            LlamaModel.LoadLibrary(folder);
        }
        catch (Exception e) when (e is InferenceException or DllNotFoundException or EntryPointNotFoundException)
        {
            Send(new(FrameKind.Error, 0) { ErrorType = "model-unavailable", Message = e.Message });
            return 1;
        }

        Send(new(FrameKind.Hello, 0) { Version = Frame.Protocol });
        if (await Frame.ReadAsync(_stream, default) is not { Kind: FrameKind.Settings, Settings: { } settings }) return 1;
        var scheduler = new Scheduler(settings, Send);
        new Thread(scheduler.Run) { IsBackground = true, Name = "inference" }.Start();
        while (await Frame.ReadAsync(_stream, default) is { } frame) scheduler.Post(frame);
        return 0;
    }

    void Send(Frame frame)
    {
        lock (_sending) Frame.WriteAsync(_stream, frame, default).GetAwaiter().GetResult();
    }
}
