using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net.Sockets;
using System.Runtime.CompilerServices;
using System.Threading.Channels;

namespace Millrace.Inference.Worker;

/// <summary>One running worker as the host sees it.</summary>
sealed class WorkerProcess : IAsyncDisposable
{
    // A worker that does not stop computing this long after a cancel is killed. It may be loading a model for another.
    static readonly TimeSpan CancelPatience = TimeSpan.FromSeconds(60);

    // A GPU's driver may compile all that it runs before the first word.
    const int FirstWordFactor = 5;

    const int ReadBytes = 16 << 10;

    readonly Process _process;
    readonly Stream _stream;
    readonly SemaphoreSlim _writing = new(1);
    readonly ConcurrentDictionary<long, Channel<Frame>> _asked = new();
    readonly Task _reading;
    readonly Timer _watch;
    long _heardAt;
    long _nextId;
    volatile bool _isAlive = true;

    WorkerProcess(Process process, Stream stream, string report, TimeSpan silenceMax, LlamaBuild build)
    {
        (_process, _stream, Report, _heardAt) = (process, stream, report, Environment.TickCount64);
        Build = build;
        var firstWordFactor = build.IsGpu ? FirstWordFactor : 1;
        _reading = ReadAsync();
        _watch = new(_ => Watch(HasWritten ? silenceMax : silenceMax * firstWordFactor), null, silenceMax / 4, silenceMax / 4);
    }

    public bool IsAlive => _isAlive;

    public int Id => _process.Id;

    /// <summary>Requests that have no end yet.</summary>
    public int Open => _asked.Count;

    /// <summary>What computes, in one line; empty where the worker has nothing to say of it.</summary>
    public string Report { get; private set; }

    /// <summary>What it was started with.</summary>
    public LlamaBuild Build { get; }

    /// <summary>Whether it wrote anything: what it computes on works.</summary>
    public bool HasWritten { get; private set; }

    /// <summary>Whether another build does better: it died of its own before it wrote anything.</summary>
    public bool IsUnfit => !IsAlive && !HasWritten && Build.IsGpu;

    public static async Task<WorkerProcess> StartAsync(InferenceOptions options, LlamaBuild build, CancellationToken cancel)
    {
        // The folder is ours alone, so that nobody else's process can be the first to connect.
        var folder = Directory.CreateTempSubdirectory("millrace-inference-");
        var socketPath = Path.Combine(folder.FullName, "s");
        try
        {
            using var listener = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
            listener.Bind(new UnixDomainSocketEndPoint(socketPath));
            listener.Listen(1);
            var process = Start(options, build, socketPath);
            using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancel);
            patience.CancelAfter(options.StartTimeout);
            try
            {
                var stream = new NetworkStream(await AcceptAsync(listener, process, patience.Token), ownsSocket: true);
                var report = await GreetAsync(stream, patience.Token);
                await Frame.WriteAsync(stream, new(FrameKind.Settings, 0) { Settings = Settings(options) }, patience.Token);
                return new(process, stream, report, options.SilenceMax, build);
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

    static Process Start(InferenceOptions options, LlamaBuild build, string socketPath)
    {
        var start = new ProcessStartInfo(options.Command[0]) { RedirectStandardInput = true, RedirectStandardError = true };
        foreach (var argument in options.Command[1..]) start.ArgumentList.Add(argument);
        start.ArgumentList.Add(socketPath);
        // A native abort would start a debugger for its backtrace where one is installed.
        start.Environment["GGML_NO_BACKTRACE"] = "1";
        start.Environment[LlamaBuild.Variable] = build.Name;
        var process = Process.Start(start) ?? throw new InferenceException("model-unavailable", "the inference worker did not start");
        process.ErrorDataReceived += (_, _) => { };
        process.BeginErrorReadLine();
        return process;
    }

    static WorkerSettings Settings(InferenceOptions options) => new(
        options.Threads, options.ContextTokensMax, options.MemoryBytesMax, (long)options.KeepAlive.TotalMilliseconds);

    static async Task<Socket> AcceptAsync(Socket listener, Process process, CancellationToken cancel)
    {
        var accepted = listener.AcceptAsync(cancel).AsTask();
        var exited = process.WaitForExitAsync(cancel);
        if (await Task.WhenAny(accepted, exited) == accepted) return await accepted;
        await exited;
        throw new InferenceException("model-unavailable", $"the inference worker ended at once (exit code {process.ExitCode})", true);
    }

    static async Task<string> GreetAsync(Stream stream, CancellationToken cancel)
    {
        var hello = await Frame.ReadAsync(stream, cancel);
        if (hello is { Kind: FrameKind.Hello, Version: Frame.Protocol }) return hello.Message ?? "";
        throw new InferenceException(
            hello?.ErrorType ?? "model-unavailable", hello?.Message ?? "the inference worker ended before its first word");
    }

    /// <summary>The one answer to a request.</summary>
    public async Task<Frame> AskAsync(Frame request, CancellationToken cancel)
    {
        Frame? last = null;
        await foreach (var frame in StreamAsync(request, cancel)) last = frame;
        return last!;
    }

    /// <summary>The pieces of an answer, the last one among them. Who stops listening cancels the request.</summary>
    /// <exception cref="InferenceException">There is no answer, or no more of it.</exception>
    public async IAsyncEnumerable<Frame> StreamAsync(Frame request, [EnumeratorCancellation] CancellationToken cancel)
    {
        var id = Interlocked.Increment(ref _nextId);
        // At most as many as the answer has tokens: the worker never waits for a slow listener.
        var answers = Channel.CreateUnbounded<Frame>(new() { SingleReader = true });
        _asked[id] = answers;
        if (!_isAlive) FailAll();
        await AskForAsync(request with { Id = id }, cancel);
        var isOver = false;
        try
        {
            using var registration = cancel.Register(() => _ = StopAsync(id, answers));
            while (!isOver)
            {
                var frame = await answers.Reader.ReadAsync(CancellationToken.None);
                isOver = frame.Kind is not FrameKind.Part;
                if (frame.Kind is FrameKind.Error)
                {
                    cancel.ThrowIfCancellationRequested();
                    throw new InferenceException(frame.ErrorType!, frame.Message!, frame.IsTransient == true)
                    {
                        IsOfFormat = frame.IsOfFormat == true,
                    };
                }

                if (isOver) _asked.TryRemove(id, out _);
                yield return frame;
            }
        }
        finally
        {
            if (isOver || cancel.IsCancellationRequested) _asked.TryRemove(id, out _);
            else _ = StopAsync(id, answers);
        }
    }

    async Task AskForAsync(Frame request, CancellationToken cancel)
    {
        try
        {
            await SendAsync(request, cancel);
        }
        catch
        {
            // The worker never heard of it: nothing is to be stopped or waited for.
            _asked.TryRemove(request.Id, out _);
            throw;
        }
    }

    async Task StopAsync(long id, Channel<Frame> answers)
    {
        await SendAsync(new(FrameKind.Cancel, id), CancellationToken.None);
        var ended = answers.Reader.Completion;
        // Who listens hears of the worker's end from the reader.
        if (await Task.WhenAny(ended, Task.Delay(CancelPatience)) != ended && _asked.ContainsKey(id)) Kill(_process);
    }

    // A worker with something to do says every second that it lives, whatever it computes.
    void Watch(TimeSpan silenceMax)
    {
        if (silenceMax <= TimeSpan.Zero) return;
        if (_asked.IsEmpty) Volatile.Write(ref _heardAt, Environment.TickCount64);
        else if (Environment.TickCount64 - Volatile.Read(ref _heardAt) > silenceMax.TotalMilliseconds) Kill(_process);
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
            // One read of the socket for a piece, of which each has two parts, and for all that came meanwhile.
            var buffered = new BufferedStream(_stream, ReadBytes);
            while (await Frame.ReadAsync(buffered, default) is { } frame)
            {
                Volatile.Write(ref _heardAt, Environment.TickCount64);
                if (frame is { Kind: FrameKind.Alive, Message: { } report }) Report = report;
                if (frame.Kind is FrameKind.Part)
                {
                    HasWritten = true;
                    if (_asked.TryGetValue(frame.Id, out var listener)) listener.Writer.TryWrite(frame);
                }
                else if (_asked.TryRemove(frame.Id, out var asked))
                {
                    asked.Writer.TryWrite(frame);
                    asked.Writer.TryComplete();
                }
            }
        }
        catch (Exception e) when (e is IOException or SocketException or InvalidDataException or System.Text.Json.JsonException
            or ObjectDisposedException or NotSupportedException)
        {
            // Died, or speaks nonsense: the same to us. A buffer over a stream that was closed between two reads says that
            // it cannot read.
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
            asked.Writer.TryWrite(new(FrameKind.Error, id)
            {
                ErrorType = "model-unavailable",
                Message = "the inference worker died; the next request gets a new one",
                IsTransient = true,
            });
            asked.Writer.TryComplete();
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
        await _watch.DisposeAsync();
        await _stream.DisposeAsync();
        await _reading;
        await _process.WaitForExitAsync();
        _process.Dispose();
        // The semaphore stays: who came here before the end still goes through it, to be told of the end.
    }
}
