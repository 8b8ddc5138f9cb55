using System.Net.Sockets;
using Millrace.Sandbox.Protocol;

namespace Millrace.Sandbox.Tests.Border;

/// <summary>A worker on a thread: the real one, or one that a test wrote.</summary>
sealed class ThreadWorker : ILaunchedWorker
{
    static int _lastId;

    readonly TaskCompletionSource _exited = new(TaskCreationOptions.RunContinuationsAsynchronously);
    readonly TaskCompletionSource _killed = new(TaskCreationOptions.RunContinuationsAsynchronously);

    ThreadWorker(Action<ThreadWorker> work)
    {
        Id = Interlocked.Increment(ref _lastId);
        new Thread(() => Work(work)) { IsBackground = true, Name = $"thread worker {Id}" }.Start();
    }

    public int Id { get; }

    public Task Exited => _exited.Task;

    /// <summary>Ends when the host has killed it.</summary>
    public Task Killed => _killed.Task;

    public static ILaunchedWorker Launch(string path) => new ThreadWorker(_ => GuestWorker.Work(path));

    /// <summary>Workers that say what a test has them say.</summary>
    public static WorkerLauncher Fake(Action<FakeWorker> work, ICollection<ThreadWorker>? launched = null) => path =>
    {
        var worker = new ThreadWorker(self =>
        {
            using var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
            socket.Connect(new UnixDomainSocketEndPoint(path));
            work(new(socket, self.Killed));
        });
        launched?.Add(worker);
        return worker;
    };

    public void Kill() => _killed.TrySetResult();

    public string Words() => "it ended with exit code 0";

    public void Dispose()
    {
    }

    void Work(Action<ThreadWorker> work)
    {
        try
        {
            work(this);
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException or ProtocolException)
        {
            // The host closed the socket, as it does with a worker that it kills.
        }

        _exited.TrySetResult();
    }
}

/// <summary>What a test's worker has: a socket to say anything on.</summary>
sealed class FakeWorker(Socket socket, Task killed)
{
    readonly Channel _channel = new(socket, int.MaxValue);

    public Task Killed => killed;

    public void Say(params ReadOnlySpan<byte> bytes)
    {
        while (bytes.Length > 0) bytes = bytes[socket.Send(bytes)..];
    }

    public void Send(MessageWriter message) => _channel.Send(message);

    public Received Hear() => _channel.Receive() ?? throw new SocketException((int)SocketError.ConnectionReset);

    /// <summary>Greets, takes a module for compiled, and answers the number of the run that it is given.</summary>
    public uint Begin()
    {
        Greet();
        var load = Hear();
        Assert.Equal(Verb.Load, load.Verb);
        var reader = new MessageReader(load.Verb, load.Content);
        reader.Byte();
        reader.Text(int.MaxValue);
        Send(new MessageWriter(Verb.Loaded, 0).Raw(Blob.HashOf(reader.Bytes(int.MaxValue).ToArray())).Text(""));
        var run = Hear();
        Assert.Equal(Verb.Run, run.Verb);
        return run.Run;
    }

    public void Greet() => Send(new MessageWriter(Verb.Hello, 0).Int(WorkerSession.Version));

    public static MessageWriter Start(
        uint run, long sequence, string name = "kv.get", string head = "{}", byte[]? body = null) =>
        new MessageWriter(Verb.Start, run).Long(sequence).Text(name)
            .Bytes(System.Text.Encoding.UTF8.GetBytes(head)).Bytes(body ?? []);

    public static MessageWriter Deliver(uint run, DeliveryKind kind, long sequence) =>
        RunCoding.Write(new MessageWriter(Verb.Deliver, run), new Delivery(kind, sequence, 1));

    public static MessageWriter Output(uint run, OutputStream stream, long offset, byte[] bytes) =>
        new MessageWriter(Verb.Output, run).Byte((byte)stream).Long(offset).Raw(bytes);

    public static MessageWriter Ended(uint run, RunEndKind kind = RunEndKind.Exited) =>
        RunCoding.Write(run, new RunEnd(kind, 0, ""));
}
