using System.Collections.Immutable;
using System.Text;

namespace Millrace.Sandbox.Tests;

/// <summary>A host that keeps a journal in memory, and answers when it is told to.</summary>
sealed class FakeRunHost : IRunHost
{
    /// <summary>One thing that a journal would have committed.</summary>
    public abstract record Entry
    {
        public sealed record Started(long Sequence, string Name, byte[] Digest) : Entry;
        public sealed record Answered(long Sequence, OperationResult Result) : Entry;
        public sealed record Delivered(Delivery Delivery) : Entry;
    }

    readonly Lock _lock = new();
    readonly MemoryStream _output = new();
    readonly MemoryStream _log = new();

    public SandboxRun Run { get; set; } = null!;

    /// <summary>The run when it is executed in a worker.</summary>
    public WorkerRun? Remote { get; set; }

    public List<Entry> Journal { get; } = [];

    public List<(long Sequence, OperationRequest Request)> Started { get; } = [];

    public List<Delivery> Deliveries { get; } = [];

    /// <summary>Called after every start.</summary>
    public Action<long, OperationRequest>? OnStart { get; set; }

    /// <summary>Called when the guest begins to wait.</summary>
    public Action? OnBeginWait { get; set; }

    /// <summary>Called after every delivery.</summary>
    public Action<Delivery>? OnDeliver { get; set; }

    public byte[] Output => _output.ToArray();

    public string OutputText => Encoding.UTF8.GetString(Output);

    public string LogText => Encoding.UTF8.GetString(_log.ToArray());

    public void Start(long sequence, OperationRequest request)
    {
        lock (_lock)
        {
            Started.Add((sequence, request));
            Journal.Add(new Entry.Started(sequence, request.Name, request.Digest()));
        }

        OnStart?.Invoke(sequence, request);
    }

    public void Deliver(Delivery delivery)
    {
        lock (_lock)
        {
            Deliveries.Add(delivery);
            Journal.Add(new Entry.Delivered(delivery));
        }

        OnDeliver?.Invoke(delivery);
    }

    public void Write(OutputStream stream, long offset, ReadOnlySpan<byte> bytes)
    {
        var target = stream == OutputStream.Result ? _output : _log;
        Assert.Equal(target.Length, offset);
        target.Write(bytes);
    }

    public int Waits { get; private set; }

    public bool IsWaiting { get; private set; }

    public void BeginWait(ReadOnlySpan<long> sequences)
    {
        Assert.False(IsWaiting);
        IsWaiting = true;
        Waits++;
        OnBeginWait?.Invoke();
    }

    public void EndWait()
    {
        Assert.True(IsWaiting);
        IsWaiting = false;
    }

    /// <summary>Commits a result, then hands it over.</summary>
    public void Answer(long sequence, OperationResult result)
    {
        lock (_lock) Journal.Add(new Entry.Answered(sequence, result));
        if (Remote is not null) Remote.Complete(sequence, result);
        else Run.Complete(sequence, result);
    }

    public void Answer(long sequence, string head, string body = "", ResultState state = ResultState.Done, long atNs = 0) =>
        Answer(sequence, new(state, Encoding.UTF8.GetBytes(head), Encoding.UTF8.GetBytes(body), atNs));

    /// <summary>The journal as it stood after its first entries.</summary>
    public static JournalPrefix Prefix(IEnumerable<Entry> entries)
    {
        var operations = ImmutableArray.CreateBuilder<JournaledOperation>();
        var deliveries = ImmutableArray.CreateBuilder<Delivery>();
        foreach (var entry in entries)
        {
            switch (entry)
            {
                case Entry.Started started:
                    Assert.Equal(operations.Count, started.Sequence);
                    operations.Add(new(started.Sequence, started.Name, started.Digest, null));
                    break;
                case Entry.Answered answered:
                    operations[(int)answered.Sequence] = operations[(int)answered.Sequence] with { Result = answered.Result };
                    break;
                case Entry.Delivered delivered:
                    deliveries.Add(delivered.Delivery);
                    break;
            }
        }

        return new(operations.ToImmutable(), deliveries.ToImmutable());
    }
}
