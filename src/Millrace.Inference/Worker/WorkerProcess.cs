using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Net.Sockets;

namespace Millrace.Inference.Worker;

/// <summary>One running worker as the host sees it.</summary>
sealed class WorkerProcess : IAsyncDisposable
{
    // A worker that does not stop computing this long after a cancel is killed.
    static readonly TimeSpan CancelPatience = TimeSpan.FromSeconds(10);

    readonly Process _process;
    readonly Stream _stream;
    readonly SemaphoreSlim _writing = new(1);
    readonly ConcurrentDictionary<long, TaskCompletionSource<Frame>> _asked = new();
    readonly Task _reading;
    long _nextId;
    volatile bool _isAlive = true;

    WorkerProcess(Process process, Stream stream)
    {
        (_process, _stream) = (process, stream);
        _reading = ReadAsync();
    }

    public bool IsAlive => _isAlive;

    public int Id => _process.Id;

    public static async Task<WorkerProcess> StartAsync(InferenceOptions options, CancellationToken cancel)
    {
        // The folder is ours alone, so that nobody else's process can be the first to connect.
        var folder = Directory.CreateTempSubdirectory("millrace-inference-");
        var socketPath = Path.Combine(folder.FullName, "s");
        try
        {
            using var listener = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
            listener.Bind(new UnixDomainSocketEndPoint(socketPath));
            listener.Listen(1);
            var process = Start(options, socketPath);
            using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancel);
            patience.CancelAfter(options.StartTimeout);
            try
            {
                var stream = new NetworkStream(await AcceptAsync(listener, process, patience.Token), ownsSocket: true);
                await GreetAsync(stream, patience.Token);
                return new(process, stream);
            }
            catch (Exception e) when (e is not InferenceException)
            {
                Kill(process);
                if (cancel.IsCancellationRequested) throw;
                throw new InferenceException(
                    "model-unavailable", $"the inference worker did not start within {options.StartTimeout.TotalSeconds:0} s", true);
            }
            catch (InferenceException)
            {
                Kill(process);
                throw;
            }
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    static Process Start(InferenceOptions options, string socketPath)
    {
        var start = new ProcessStartInfo(options.Command[0]) { RedirectStandardInput = true, RedirectStandardError = true };
        foreach (var argument in options.Command[1..]) start.ArgumentList.Add(argument);
        start.ArgumentList.Add(socketPath);
        start.ArgumentList.Add(options.Threads.ToString(CultureInfo.InvariantCulture));
        start.ArgumentList.Add(options.ContextTokensMax.ToString(CultureInfo.InvariantCulture));
        // A native abort would start a debugger for its backtrace where one is installed.
        start.Environment["GGML_NO_BACKTRACE"] = "1";
        var process = Process.Start(start) ?? throw new InferenceException("model-unavailable", "the inference worker did not start");
        process.ErrorDataReceived += (_, _) => { };
        process.BeginErrorReadLine();
        return process;
    }

    static async Task<Socket> AcceptAsync(Socket listener, Process process, CancellationToken cancel)
    {
        var accepted = listener.AcceptAsync(cancel).AsTask();
        var exited = process.WaitForExitAsync(cancel);
        if (await Task.WhenAny(accepted, exited) == accepted) return await accepted;
        await exited;
        throw new InferenceException("model-unavailable", $"the inference worker ended at once (exit code {process.ExitCode})", true);
    }

    static async Task GreetAsync(Stream stream, CancellationToken cancel)
    {
        var hello = await Frame.ReadAsync(stream, cancel);
        if (hello is { Kind: FrameKind.Hello, Version: Frame.Protocol }) return;
        throw new InferenceException(
            hello?.ErrorType ?? "model-unavailable", hello?.Message ?? "the inference worker ended before its first word");
    }

    public async Task<Frame> AskAsync(FrameKind kind, ChatJob job, CancellationToken cancel)
    {
        var id = Interlocked.Increment(ref _nextId);
        var answer = new TaskCompletionSource<Frame>(TaskCreationOptions.RunContinuationsAsynchronously);
        _asked[id] = answer;
        if (!_isAlive) FailAll();
        try
        {
            await SendAsync(new(kind, id) { Job = job }, cancel);
        }
        catch
        {
            _asked.TryRemove(id, out _);
            throw;
        }

        using var registration = cancel.Register(() => _ = StopAsync(id, answer.Task));
        var frame = await answer.Task;
        if (frame.Kind == FrameKind.Reply) return frame;
        cancel.ThrowIfCancellationRequested();
        throw new InferenceException(frame.ErrorType!, frame.Message!, frame.Version == -1);
    }

    async Task StopAsync(long id, Task answered)
    {
        await SendAsync(new(FrameKind.Cancel, id), CancellationToken.None);
        if (await Task.WhenAny(answered, Task.Delay(CancelPatience)) != answered) Kill(_process);
    }

    async Task SendAsync(Frame frame, CancellationToken cancel)
    {
        await _writing.WaitAsync(cancel);
        try
        {
            // Once begun, a frame is written whole: half of one would cost every later request.
            await Frame.WriteAsync(_stream, frame, CancellationToken.None);
        }
        catch (Exception e) when (e is IOException or SocketException or ObjectDisposedException)
        {
            // The reader sees the same end and fails what was asked.
        }
        finally
        {
            _writing.Release();
        }
    }

    async Task ReadAsync()
    {
        try
        {
            while (await Frame.ReadAsync(_stream, default) is { } frame)
            {
                if (_asked.TryRemove(frame.Id, out var asked)) asked.TrySetResult(frame);
            }
        }
        catch (Exception e) when (e is IOException or SocketException or InvalidDataException or System.Text.Json.JsonException
            or ObjectDisposedException)
        {
            // Died, or speaks nonsense: the same to us.
        }

        _isAlive = false;
        Kill(_process);
        FailAll();
    }

    void FailAll()
    {
        foreach (var id in _asked.Keys)
        {
            if (!_asked.TryRemove(id, out var asked)) continue;
            // Version -1 marks the host's own words: asking again gets a new worker.
            asked.TrySetResult(new(FrameKind.Error, id)
            {
                ErrorType = "model-unavailable",
                Message = "the inference worker died; the next request gets a new one",
                Version = -1,
            });
        }
    }

    static void Kill(Process process)
    {
        try
        {
            process.Kill();
        }
        catch (InvalidOperationException)
        {
            // It ended by itself.
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _stream.DisposeAsync();
        await _reading;
        await _process.WaitForExitAsync();
        _process.Dispose();
        // The semaphore stays: who came here before the end still goes through it, to be told of the end.
    }
}
