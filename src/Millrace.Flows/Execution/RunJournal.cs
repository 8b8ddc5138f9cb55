using System.Collections.Immutable;
using Millrace.Flows.Operations;
using Millrace.Flows.Storage;
using Millrace.Sandbox;

namespace Millrace.Flows.Execution;

/// <summary>A run's journal: what earlier attempts left, and the way to add to it.</summary>
sealed class RunJournal
{
    readonly IStore _store;
    readonly RunRow _run;
    readonly Dictionary<long, OperationRow> _open;
    readonly HashSet<long> _cancelled;
    long _nextDelivery;

    public RunJournal(IStore store, RunRow run, JournalRows rows)
    {
        _store = store;
        _run = run;
        NextSequence = rows.Operations.Length;
        _nextDelivery = rows.Deliveries.Length;
        ResultBytes = rows.ResultBytes;
        LogBytes = rows.LogBytes;
        _open = rows.Operations.Where(row => row.Result is null).ToDictionary(row => row.Sequence);
        _cancelled = [.. rows.Deliveries.Where(d => d.Kind == DeliveryKind.Cancel).Select(d => d.Sequence)];
        TokensUsed = rows.Operations.Sum(row => row.Tokens + row.Reserved);
        ComputedTime = TimeSpan.FromMilliseconds(
            rows.Operations.Where(row => row.Name == NnOperations.ComputeName).Sum(row => row.DurationMs));
        Prefix = new(
            [.. rows.Operations.Select(row => new JournaledOperation(row.Sequence, row.Name, row.Digest, row.Result))],
            rows.Deliveries);
    }

    /// <summary>What the sandbox is given.</summary>
    public JournalPrefix Prefix { get; }

    /// <summary>Tokens that earlier attempts used; a reply that was lost counts as reserved.</summary>
    public long TokensUsed { get; }

    /// <summary>Time that engines computed for earlier attempts.</summary>
    public TimeSpan ComputedTime { get; }

    /// <summary>Sequence of the next operation that no journal knows.</summary>
    public long NextSequence { get; private set; }

    /// <summary>Bytes of standard output that are stored.</summary>
    public long ResultBytes { get; set; }

    /// <summary>Bytes of standard error that are stored.</summary>
    public long LogBytes { get; set; }

    /// <summary>Called once when the store lost something of this run.</summary>
    public Action<Exception> Failed { get; set; } = _ => { };

    /// <summary>Takes an operation that an earlier attempt left without a result.</summary>
    public OperationRow? TakeOpen(long sequence) => _open.Remove(sequence, out var row) ? row : null;

    /// <summary>Takes all of them that the guest did not come back to.</summary>
    public ImmutableArray<OperationRow> TakeOpen()
    {
        ImmutableArray<OperationRow> rows = [.. _open.Values.OrderBy(row => row.Sequence)];
        _open.Clear();
        return rows;
    }

    /// <summary>Whether the guest had cancelled it.</summary>
    public bool WasCancelled(long sequence) => _cancelled.Contains(sequence);

    public bool TryAdvance(long sequence)
    {
        if (sequence != NextSequence) return false;
        NextSequence++;
        return true;
    }

    public Task DeliverAsync(Delivery delivery) => AppendAsync(lags: true, new Delivered(_nextDelivery++, delivery));

    /// <summary>Adds changes; ends with their commit.</summary>
    public Task AppendAsync(bool lags, params ImmutableArray<JournalChange> changes) =>
        Watch(_store.AppendAsync(_run.Number, _run.Branch, lags, changes));

    /// <summary>Adds a child run; answers its number.</summary>
    public Task<long> BeginChildAsync(NewChild child)
    {
        var ticket = _store.BeginChild(_run.Number, _run.Branch, child);
        Watch(ticket.Committed);
        return ticket.Executed;
    }

    /// <summary>Changes a key and records it.</summary>
    public Ticket<KvAnswer> ChangeKey(
        bool lags, KvChange change, Func<KvAnswer, ImmutableArray<JournalChange>> record)
    {
        var ticket = _store.ChangeKey(_run.Number, _run.Branch, lags, change, record);
        Watch(ticket.Committed);
        return ticket;
    }

    Task Watch(Task committed)
    {
        if (committed.IsCompletedSuccessfully) return committed;
        _ = committed.ContinueWith(
            failed => Failed(failed.Exception!.InnerException!),
            CancellationToken.None,
            TaskContinuationOptions.OnlyOnFaulted | TaskContinuationOptions.ExecuteSynchronously,
            TaskScheduler.Default);
        return committed;
    }
}
