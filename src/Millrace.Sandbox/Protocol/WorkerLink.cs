using System.Collections.Concurrent;
using System.Net.Sockets;

namespace Millrace.Sandbox.Protocol;

/// <summary>
/// The host's end of one worker, which it takes for hostile: whatever does not keep to the protocol kills the worker,
/// and its runs are lost.
/// </summary>
sealed class WorkerLink
{
    public const int FaultBytesMax = 8 << 10;

    // The largest thing a guest may ask: a body of 32 MiB, a head of 1 MiB, and what is around them.
    const long MessageBytesMax = Door.Refusal.BodyBytesMax + Door.Refusal.HeadBytesMax + (1 << 10);

    const int LogBytesMax = 4 << 10;
    const int LogsMax = 32;

    readonly WorkerOptions _options;
    readonly ILaunchedWorker _worker;
    readonly Channel _channel;
    readonly ConcurrentDictionary<uint, HostedRun> _runs = new();
    readonly ConcurrentDictionary<string, Lazy<Task<string>>> _loads = new();
    readonly ConcurrentDictionary<string, TaskCompletionSource<string>> _loading = new();
    readonly Queue<MessageWriter> _outgoing = new();
    readonly Lock _lock = new();
    readonly TaskCompletionSource _died = new(TaskCreationOptions.RunContinuationsAsynchronously);
    bool _isSending;
    bool _asksStats;
    uint _lastRun;
    int _logs;
    int _modules;
    string? _death;

    WorkerLink(WorkerOptions options, ILaunchedWorker worker, Channel channel)
    {
        (_options, _worker, _channel) = (options, worker, channel);
        StartedAt = options.Time.GetTimestamp();
        new Thread(Read) { IsBackground = true, Name = $"worker {worker.Id}" }.Start();
    }

    public int ProcessId => _worker.Id;

    public long StartedAt { get; }

    /// <summary>What it said last of its size.</summary>
    public long MemoryBytes { get; private set; }

    /// <summary>Modules that it was given.</summary>
    public int Modules => Volatile.Read(ref _modules);

    /// <summary>Why it is dead; null while it lives.</summary>
    public string? Death
    {
        get { lock (_lock) return _death; }
    }

    /// <summary>Ends when it is dead.</summary>
    public Task Died => _died.Task;

    /// <summary>Starts a worker and hears its first word.</summary>
    /// <exception cref="WorkerLostException">It does not start.</exception>
    public static async Task<WorkerLink> StartAsync(WorkerOptions options, WorkerLauncher launch)
    {
        // The folder is ours alone, so that nobody else's process can be the first to connect.
        var folder = Directory.CreateTempSubdirectory("millrace-worker-");
        ILaunchedWorker? worker = null;
        Socket? socket = null;
        try
        {
            var path = Path.Combine(folder.FullName, "s");
            using var listener = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
            listener.Bind(new UnixDomainSocketEndPoint(path));
            listener.Listen(1);
            worker = launch(path);
            using var patience = new CancellationTokenSource(options.StartTimeout, options.Time);
            var accepted = listener.AcceptAsync(patience.Token).AsTask();
            await Task.WhenAny(accepted, worker.Exited);
            if (!accepted.IsCompleted)
                throw new WorkerLostException($"the worker did not start: {worker.Words()}");
            socket = await accepted;
            socket.SendTimeout = (int)options.SendTimeout.TotalMilliseconds;
            socket.ReceiveTimeout = (int)options.StartTimeout.TotalMilliseconds;
            var channel = new Channel(socket, MessageBytesMax);
            // A blocking call, as all that follow; its thread is not one that others wait for.
            await Task.Factory.StartNew(
                () => Greet(channel), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
            socket.ReceiveTimeout = 0;
            return new(options, worker, channel);
        }
        catch (Exception e) when (e is SocketException or OperationCanceledException or ProtocolException
            or WorkerLostException or System.ComponentModel.Win32Exception)
        {
            worker?.Kill();
            worker?.Dispose();
            socket?.Dispose();
            throw e as WorkerLostException ?? new WorkerLostException(
                $"the worker did not start: {Why(e, options)}");
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    static string Why(Exception e, WorkerOptions options) => e is OperationCanceledException
        ? $"it did not connect within {options.StartTimeout.TotalSeconds:0.#} s" : e.Message;

    static void Greet(Channel channel)
    {
        var hello = channel.Receive() ?? throw new ProtocolException("it ended before its first word");
        var reader = new MessageReader(hello.Verb, hello.Content);
        if (hello.Verb != Verb.Hello) throw reader.Fault("it is not the first word");
        if (reader.Int() != WorkerSession.Version) throw reader.Fault("it is of another version");
        reader.End();
    }

    /// <summary>Gives it bytes, once. Ends with what is wrong with a module; empty: nothing.</summary>
    /// <exception cref="WorkerLostException">It died meanwhile.</exception>
    public Task<string> LoadAsync(ReadOnlyMemory<byte> bytes, bool isModule) => _loads.GetOrAdd(
        Blob.NameOf(Blob.HashOf(bytes)), name => new(() => SendLoadAsync(name, bytes, isModule))).Value;

    /// <summary>
    /// Has it load a module again that it compiled before: now there is machine code. It never fails: a worker that
    /// died meanwhile needs none.
    /// </summary>
    public async Task RenewAsync(ReadOnlyMemory<byte> module)
    {
        var name = Blob.NameOf(Blob.HashOf(module));
        if (!_loads.TryGetValue(name, out var load)) return;
        try
        {
            if ((await load.Value).Length == 0) await SendModuleAsync(name, module);
        }
        catch (WorkerLostException)
        {
            // It is as good as new without.
        }
    }

    async Task<string> SendLoadAsync(string name, ReadOnlyMemory<byte> bytes, bool isModule)
    {
        if (!isModule)
        {
            Send(new MessageWriter(Verb.Load, 0).Byte(0).Bytes(bytes));
            return "";
        }

        Interlocked.Increment(ref _modules);
        return await SendModuleAsync(name, bytes);
    }

    async Task<string> SendModuleAsync(string name, ReadOnlyMemory<byte> bytes)
    {
        var loaded = new TaskCompletionSource<string>(TaskCreationOptions.RunContinuationsAsynchronously);
        _loading[name] = loaded;
        Send(new MessageWriter(Verb.Load, 0).Byte(1).Text(_options.Cache?.Folder ?? "").Bytes(bytes));
        await Task.WhenAny(loaded.Task, Died, Task.Delay(_options.LoadTimeout, _options.Time));
        if (!loaded.Task.IsCompleted)
            Die($"it did not compile a module within {_options.LoadTimeout.TotalSeconds:0.#} s");
        return loaded.Task.IsCompleted ? await loaded.Task : throw new WorkerLostException(Death!);
    }

    /// <summary>Takes a run; its messages come to it from now on.</summary>
    /// <exception cref="WorkerLostException">The worker is dead.</exception>
    public uint Begin(HostedRun run)
    {
        lock (_lock)
        {
            if (_death is not null) throw new WorkerLostException(_death);
            _runs[++_lastRun] = run;
            return _lastRun;
        }
    }

    /// <summary>Sends, at once where the worker can take it, else from a thread of its own: nobody waits here.</summary>
    public void Send(MessageWriter message)
    {
        lock (_outgoing)
        {
            try
            {
                if (!_isSending && _channel.CanSendNow(message))
                {
                    _channel.Send(message);
                    return;
                }
            }
            catch (Exception e) when (e is SocketException or ObjectDisposedException)
            {
                // Whoever reads from it learns how it ended.
                _channel.Dispose();
                return;
            }

            _outgoing.Enqueue(message);
            if (_isSending) return;
            _isSending = true;
            new Thread(SendRest) { IsBackground = true, Name = $"to worker {_worker.Id}" }.Start();
        }
    }

    void SendRest()
    {
        while (true)
        {
            MessageWriter? next;
            lock (_outgoing)
            {
                if (Death is not null) _outgoing.Clear();
                if (!_outgoing.TryDequeue(out next))
                {
                    _isSending = false;
                    return;
                }
            }

            try
            {
                _channel.Send(next);
            }
            catch (Exception e) when (e is SocketException or ObjectDisposedException)
            {
                Die($"it took nothing from its socket for {_options.SendTimeout.TotalSeconds:0.#} s, or closed it");
            }
        }
    }

    /// <summary>Asks for its size; the answer comes when it comes.</summary>
    public void AskStats()
    {
        lock (_lock)
        {
            if (_asksStats) return;
            _asksStats = true;
        }

        Send(new(Verb.Stats, 0));
    }

    /// <summary>Ends it: it has no runs any more.</summary>
    public async Task DrainAsync()
    {
        Send(new(Verb.Drain, 0));
        await Task.WhenAny(_worker.Exited, Task.Delay(_options.StopGrace, _options.Time));
        Die("it was ended");
    }

    /// <summary>Kills it, whatever it does; the first reason counts.</summary>
    public void Die(string reason)
    {
        lock (_lock)
        {
            if (_death is not null) return;
            _death = reason;
        }

        _worker.Kill();
        _channel.Dispose();
        foreach (var run in _runs.Values) run.Lose(reason);
        _died.TrySetResult();
        _ = _worker.Exited.ContinueWith(
            _ => _worker.Dispose(), CancellationToken.None, TaskContinuationOptions.None, TaskScheduler.Default);
    }

    void Read()
    {
        try
        {
            while (_channel.Receive() is { } message) Take(message);
            Die(EndedByItself());
        }
        catch (ProtocolException e)
        {
            Die($"it broke the protocol: {Plain(e.Message)}");
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            Die(EndedByItself());
        }
        // The edge of a worker: no fault of ours in reading it may end the server.
        catch (Exception e)
        {
            Die($"the server failed to read it ({e.GetType().Name})");
        }
    }

    string EndedByItself()
    {
        // Its process goes a moment after its socket.
        _worker.Exited.Wait(TimeSpan.FromSeconds(1));
        return _worker.Words();
    }

    void Take(Received message)
    {
        var reader = new MessageReader(message.Verb, message.Content);
        if (message.Run != 0)
        {
            if (!_runs.TryGetValue(message.Run, out var run)) throw reader.Fault($"there is no run {message.Run}");
            if (message.Verb is Verb.Ended or Verb.Failed) _runs.TryRemove(message.Run, out _);
            run.Post(message);
            return;
        }

        switch (message.Verb)
        {
            case Verb.Loaded:
                var name = Blob.NameOf(reader.Fixed(Blob.HashBytes).Span);
                if (!_loading.TryRemove(name, out var loading)) throw reader.Fault("nobody asked for that");
                loading.TrySetResult(reader.Text(FaultBytesMax));
                break;
            case Verb.Stats:
                lock (_lock)
                {
                    if (!_asksStats) throw reader.Fault("nobody asked for that");
                    _asksStats = false;
                }

                MemoryBytes = reader.Amount();
                break;
            case Verb.Log when ++_logs <= LogsMax:
                _options.Notice($"Worker {_worker.Id}: {Plain(reader.Text(LogBytesMax))}");
                break;
            default:
                throw reader.Fault("not a word of a worker");
        }

        reader.End();
    }

    /// <summary>A worker's text as it may stand in a log: one line, nothing that a terminal obeys.</summary>
    public static string Plain(string text) =>
        string.Concat(text.Select(letter => char.IsControl(letter) ? ' ' : letter)).Trim();
}
