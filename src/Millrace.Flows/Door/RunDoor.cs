using System.Collections.Concurrent;
using System.Security.Cryptography;
using Millrace.Flows.Execution;
using Millrace.Flows.Storage;
using Millrace.Sandbox;

namespace Millrace.Flows.Door;

/// <summary>
/// The only way from a guest to the outside: grant → budget → journal → answer → journal. Operations belong to the
/// run: they go on when the guest is gone, until <see cref="EndAsync"/> has settled them.
/// </summary>
sealed class RunDoor
{
    readonly Node _node;
    readonly RunPlan _plan;
    readonly RunJournal _journal;
    readonly GuestExecution _owner;
    readonly LocalOperations _local;
    readonly Asking _asking;
    readonly Writing _writing;
    readonly ConcurrentDictionary<long, OpenOperation> _operations = [];
    readonly Lock _lock = new();
    bool _isStopped;
    bool _hasSentWrite;

    public RunDoor(Node node, RunPlan plan, RunJournal journal, GuestExecution owner)
    {
        (_node, _plan, _journal, _owner) = (node, plan, journal, owner);
        _local = new(node, plan, journal);
        _asking = new(node, plan, journal);
        _writing = new(node, plan, journal, _asking);
    }

    /// <summary>The guest starts an operation; on the guest's thread.</summary>
    public void Start(long sequence, OperationRequest request)
    {
        lock (_lock)
        {
            if (_isStopped) return;
        }
        var former = _journal.TakeOpen(sequence);
        if (former is null && !_journal.TryAdvance(sequence))
        {
            _owner.Stop(StopCause.Diverged, $"Operation {sequence} came out of order.");
            return;
        }
        var digest = request.Digest();
        if (former is not null && !CryptographicOperations.FixedTimeEquals(former.Digest, digest))
        {
            _owner.Stop(StopCause.Diverged, $"Operation {sequence} is not the one in the journal ({former.Name}).");
            return;
        }
        if (former is { State: OperationState.Cancelled or OperationState.Withdrawn }) return;
        var target = Refuse(request) ?? OperationTargets.Find(_node, _plan, request);
        var row = former ?? NewRow(sequence, request, digest, target);
        if (former is { State: OperationState.Intended or OperationState.Unknown } && target is RefusedTarget)
        {
            _owner.Complete(sequence, LoseTrackOf(row));
            return;
        }
        if (target is LocalTarget or RefusedTarget) AnswerHere(row, request, target);
        else Begin(row, request, target, former);
    }

    /// <summary>The guest cancelled an operation.</summary>
    public void Cancel(long sequence)
    {
        if (_operations.TryGetValue(sequence, out var operation)) operation.Stop();
    }

    /// <summary>Cancelled or superseded: nothing more is started.</summary>
    public void Stop()
    {
        lock (_lock) _isStopped = true;
        foreach (var operation in _operations.Values) operation.Stop();
    }

    /// <summary>
    /// A planned stop, or a loss: what is open stays open in the journal. Sent writes get their answer.
    /// </summary>
    public async Task AbandonAsync(bool waits)
    {
        lock (_lock) _isStopped = true;
        foreach (var operation in _operations.Values)
        {
            if (!waits || !operation.IsSent || operation.IsUnknown) operation.Abandon();
        }
        if (waits)
        {
            // A write that still waits for an answer, or for a person, is left to the next attempt.
            var all = Task.WhenAll(_operations.Values.Select(operation => operation.Work));
            await Task.WhenAny(all, Task.Delay(_node.SendDeadline, _node.Time));
            foreach (var operation in _operations.Values) operation.Abandon();
        }
        await Task.WhenAll(_operations.Values.Select(operation => operation.Work));
    }

    /// <summary>
    /// The guest is gone with its worker: what was paid for or sent gets its answer, and the journal has it when the
    /// run goes on; the rest is asked again then.
    /// </summary>
    public async Task FinishAsync()
    {
        lock (_lock) _isStopped = true;
        foreach (var operation in _operations.Values)
        {
            var isDear = operation.Kind == OperationKind.Paid
                || (operation.Kind == OperationKind.Write && operation.IsSent);
            if (!isDear || operation.IsUnknown) operation.Abandon();
        }
        var paid = Task.WhenAll(_operations.Values.Where(operation => operation.Kind == OperationKind.Paid)
            .Select(operation => operation.Work));
        await Task.WhenAny(paid, Task.Delay(Timeout.InfiniteTimeSpan, _node.Time, _node.Stopping));
        await AbandonAsync(waits: !_node.IsGone);
    }

    /// <summary>The guest has ended: breaks off reads and paid calls, settles writes.</summary>
    public async Task EndAsync()
    {
        foreach (var row in _journal.TakeOpen()) EndFormer(row);
        foreach (var operation in _operations.Values)
        {
            if (_plan.IsOwnWrite(operation)) operation.End();
            else operation.Stop();
        }
        await Task.WhenAll(_operations.Values.Select(operation => operation.Work));
    }

    /// <summary>A person decides an unknown write. False: there is none.</summary>
    public bool TryResolve(long sequence, Resolution resolution)
    {
        if (!_operations.TryGetValue(sequence, out var operation) || !operation.IsUnknown) return false;
        operation.Resolve(resolution);
        return true;
    }

    /// <summary>An operation that the journal holds as open and the guest did not ask for again.</summary>
    void EndFormer(OperationRow row)
    {
        if (row.State is OperationState.Cancelled or OperationState.Withdrawn or OperationState.Unknown) return;
        if (row is { Kind: OperationKind.Write, State: OperationState.Intended } && _plan.Write is null)
        {
            var request = new OperationRequest(row.Name, row.Head, row.Body);
            var target = OperationTargets.Find(_node, _plan, request);
            if (target is IntegrationTarget or BuiltInTarget) Begin(row, request, target, row);
            else LoseTrackOf(row);
            return;
        }
        var state = row.Kind == OperationKind.Write ? OperationState.Withdrawn : OperationState.Cancelled;
        _journal.AppendAsync(lags: true, new OperationEnded(row.Sequence, state, null, row.Tokens + row.Reserved, 0));
    }

    /// <summary>A write in doubt that can no longer be looked for: its connection or its integration is gone.</summary>
    OperationResult LoseTrackOf(OperationRow row)
    {
        _journal.AppendAsync(
            lags: false, new OperationEnded(row.Sequence, OperationState.Unknown, null, row.Tokens, row.DurationMs));
        return ErrorResult.Of(_node.Time, ErrorResult.Unknown, "Nobody knows whether it was applied.");
    }

    void AnswerHere(OperationRow row, OperationRequest request, OperationTarget target)
    {
        var label = _plan.Label + row.Name;
        _node.Hit("before-intent", label);
        _node.Hit("after-intent", label);
        OperationResult result;
        if (target is RefusedTarget refused)
        {
            result = ErrorResult.Of(_node.Time, refused.Type, refused.Detail);
            _node.Hit("after-reply", label);
            _journal.AppendAsync(
                lags: true, new OperationAsked(row with { State = OperationState.Error, Result = result }));
        }
        else
        {
            // On the guest's own thread: rows stand in the order of start.
            result = _local.AnswerAsync(row, request.Body).GetAwaiter().GetResult();
            _node.Hit("after-reply", label);
        }
        _node.Hit("after-commit", label);
        _owner.Complete(row.Sequence, result);
    }

    void Begin(OperationRow row, OperationRequest request, OperationTarget target, OperationRow? former)
    {
        var operation = new OpenOperation(
            row.Sequence, request, target, Node.KeyOf(_plan.Run.Id, _plan.Run.Branch, row.Sequence))
        {
            Kind = row.Kind,
            Former = former,
            StartedNs = row.StartedNs,
            Asks = row.Asks,
            Rounds = row.Rounds,
            Tokens = row.Tokens + row.Reserved,
        };
        operation.MarkSent(former is { State: OperationState.Intended or OperationState.Unknown });
        if (former is null) _journal.AppendAsync(lags: true, new OperationAsked(row));
        lock (_lock)
        {
            _operations[row.Sequence] = operation;
            if (_isStopped || _journal.WasCancelled(row.Sequence)) operation.Stop();
        }
        operation.Work = Task.Run(() => AnswerAsync(operation));
    }

    async Task AnswerAsync(OpenOperation operation)
    {
        try
        {
            var end = _plan.IsOwnWrite(operation)
                ? await _writing.AnswerAsync(operation)
                : await _asking.AnswerAsync(operation);
            if (!operation.IsAbandoned) await RecordAsync(operation, end);
        }
        catch (OperationCanceledException)
        {
            if (!operation.IsAbandoned && !_node.IsGone && !_node.Stopping.IsCancellationRequested) BreakOff(operation);
        }
        catch (InDoubtException doubt)
        {
            _owner.Stop(StopCause.InDoubt, doubt.Message);
        }
        // The edge of an operation: what nobody foresaw loses the run, which is then executed from its journal.
        catch (Exception exception)
        {
            _owner.Lose(exception);
        }
        finally
        {
            _operations.TryRemove(operation.Sequence, out _);
        }
    }

    async Task RecordAsync(OpenOperation operation, OperationEnd end)
    {
        var label = _plan.Label + operation.Request.Name;
        _node.Hit("after-reply", label);
        var row = new OperationEnded(
            operation.Sequence, end.State, end.Result, operation.Tokens, DurationMs(operation));
        var committed = _journal.AppendAsync(lags: _plan.Lags(operation), row);
        if (!_plan.Lags(operation) || _node.Options.FailPoint is not null) await committed;
        _node.Hit("after-commit", label);
        if (end.Result is { } result) _owner.Complete(operation.Sequence, result);
    }

    void BreakOff(OpenOperation operation)
    {
        var isUnsentWrite = operation.Kind == OperationKind.Write && !operation.IsSent;
        if (operation.Kind == OperationKind.Write && !isUnsentWrite) return;
        var state = isUnsentWrite ? OperationState.Withdrawn : OperationState.Cancelled;
        _journal.AppendAsync(lags: true, new OperationEnded(
            operation.Sequence, state, null, operation.Tokens + operation.Reserved, DurationMs(operation)));
    }

    /// <summary>A child run that answers a write may send one request that is no GET.</summary>
    RefusedTarget? Refuse(OperationRequest request)
    {
        if (_plan.Write is null || !_node.BuiltIns.TryGetValue(request.Name, out var builtIn)) return null;
        if (builtIn.Kind(request) != OperationKind.Write) return null;
        if (_hasSentWrite) return new(ErrorResult.Denied, "An operation may send one request that changes something.");
        _hasSentWrite = true;
        return null;
    }

    OperationRow NewRow(long sequence, OperationRequest request, byte[] digest, OperationTarget target)
    {
        var kind = target switch
        {
            BuiltInTarget built => KindHere(built.BuiltIn.Kind(request)),
            IntegrationTarget integration => integration.Operation.Kind,
            _ => OperationKind.Local,
        };
        return new()
        {
            Sequence = sequence,
            Name = request.Name,
            Digest = digest,
            Kind = kind,
            State = OperationState.Open,
            Head = request.Head,
            // A write is settled from its row when there is no guest to ask it again.
            Body = kind == OperationKind.Write ? request.Body : default,
            Asks = kind == OperationKind.Read ? 1 : 0,
            StartedNs = Clock.Ns(_node.Time),
        };
    }

    OperationKind KindHere(OperationKind kind) =>
        kind == OperationKind.Write && _plan.Parent is { } parent ? parent.Kind : kind;

    long DurationMs(OpenOperation operation) => (Clock.Ns(_node.Time) - operation.StartedNs) / 1_000_000;
}
