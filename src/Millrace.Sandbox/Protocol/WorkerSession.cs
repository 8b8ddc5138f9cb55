using System.Collections.Concurrent;
using System.Net.Sockets;
using Millrace.Wasm;

namespace Millrace.Sandbox.Protocol;

/// <summary>
/// The worker's side: compiles what is loaded, executes runs, each on a thread of its own, and ends with the socket.
/// It trusts its host; what it says about guests is not trusted by the host.
/// </summary>
sealed class WorkerSession(Channel channel) : IDisposable
{
    /// <summary>Raised when the meaning of a message changes; both sides are one executable.</summary>
    public const int Version = 2;

    // The engine's guest frames live on this stack; only what is used takes memory.
    const int StackBytes = 16 << 20;

    const int LogBytesMax = 4 << 10;
    const int PathBytesMax = 4 << 10;

    /// <summary>What every worker's engine is made with, the cache apart.</summary>
    public static readonly EngineOptions EngineOptions = new();

    readonly Lock _gate = new();
    Engine? _engine; // made for the first module, which tells the cache
    readonly ConcurrentDictionary<string, ReadOnlyMemory<byte>> _blobs = new();
    readonly ConcurrentDictionary<string, Module> _modules = new();
    readonly ConcurrentDictionary<uint, BorderHost> _runs = new();

    /// <summary>Works until the host is gone, or wants no more.</summary>
    public void Run()
    {
        try
        {
            channel.Send(new MessageWriter(Verb.Hello, 0).Int(Version));
            while (channel.Receive() is { } message && message.Verb != Verb.Drain) Take(message);
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // The host is gone.
        }

        foreach (var run in _runs.Values) run.Leave();
    }

    public void Dispose() => _engine?.Dispose();

    void Take(Received message)
    {
        var reader = new MessageReader(message.Verb, message.Content);
        switch (message.Verb)
        {
            case Verb.Load:
                Load(reader);
                break;
            case Verb.Run:
                Begin(message.Run, RunCoding.ReadRun(reader, name => _blobs[name]));
                break;
            case Verb.Result:
                if (!_runs.TryGetValue(message.Run, out var answered)) break;
                answered.Complete(reader.Long(), RunCoding.ReadResult(reader));
                break;
            case Verb.Go:
                if (_runs.TryGetValue(message.Run, out var waiting)) waiting.Go();
                break;
            case Verb.Stop:
                if (_runs.TryGetValue(message.Run, out var stopped)) stopped.Run!.Stop();
                break;
            case Verb.Stats:
                channel.Send(new MessageWriter(Verb.Stats, 0).Long(Environment.WorkingSet));
                break;
            default:
                throw reader.Fault("not a word of the host");
        }
    }

    void Load(MessageReader reader)
    {
        var isModule = reader.Byte() != 0;
        var cache = isModule ? reader.Text(PathBytesMax) : "";
        var bytes = reader.Bytes(int.MaxValue);
        var name = Blob.NameOf(Blob.HashOf(bytes));
        if (!isModule) _blobs[name] = bytes;
        // Beside the reader: runs that go on need their answers meanwhile.
        else ThreadPool.QueueUserWorkItem(_ => Compile(name, bytes, cache));
    }

    Engine EngineWith(string cache)
    {
        lock (_gate)
        {
            return _engine ??= new(cache.Length == 0
                ? EngineOptions
                : EngineOptions with { Cache = new CodeCache(cache) { Notice = Log } });
        }
    }

    void Log(string text) => Tell(new MessageWriter(Verb.Log, 0).Text(RunCoding.Cut(text, LogBytesMax)));

    void Compile(string name, ReadOnlyMemory<byte> bytes, string cache)
    {
        var fault = "";
        try
        {
            _modules[name] = Module.Compile(EngineWith(cache), bytes);
        }
        catch (WasmException e)
        {
            fault = RunCoding.Cut(e.Message, WorkerLink.FaultBytesMax);
        }

        Tell(new MessageWriter(Verb.Loaded, 0).Raw(Convert.FromHexString(name)).Text(fault));
    }

    void Begin(uint number, RunOrder order)
    {
        var border = new BorderHost(channel, number);
        border.Run = SandboxRun.Create(_engine!, _modules[order.Module], order.Request, border, TimeProvider.System);
        _runs[number] = border;
        new Thread(() => Execute(number, border.Run), StackBytes)
        {
            IsBackground = true,
            Name = order.Request.RunId,
        }.Start();
    }

    void Execute(uint number, SandboxRun run)
    {
        try
        {
            var end = run.Execute();
            _runs.TryRemove(number, out _);
            channel.Send(RunCoding.Write(number, end));
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // The host is gone; the session ends too.
        }
        // The edge of a run: the sandbox never throws for what a guest does, so the worker is short of something.
        catch (Exception e)
        {
            _runs.TryRemove(number, out _);
            var text = e is OutOfMemoryException ? "the worker is out of memory" : $"the sandbox failed: {e}";
            Tell(new MessageWriter(Verb.Failed, number).Text(RunCoding.Cut(text, LogBytesMax)));
        }
    }

    void Tell(MessageWriter message)
    {
        try
        {
            channel.Send(message);
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // The host is gone; the session ends too.
        }
    }
}
