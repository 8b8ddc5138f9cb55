using Millrace.Flows.Execution;
using Millrace.Flows.Storage;
using Millrace.Sandbox;

namespace Millrace.Flows.Door;

/// <summary>How an operation ended.</summary>
sealed record OperationEnd(OperationState State, OperationResult? Result)
{
    public static OperationEnd Of(OperationOutcome outcome) => new(
        outcome.Result.State == ResultState.Done ? OperationState.Done : OperationState.Error, outcome.Result);
}

/// <summary>
/// A child run sent its write and does not know what became of it: only the caller's row can settle it.
/// </summary>
sealed class InDoubtException() : Exception("The write was sent, and no answer tells whether it was applied.");

/// <summary>Asks reads and paid calls, again and again while that may help.</summary>
sealed class Asking
{
    const int AttemptsMax = 5;
    static readonly TimeSpan BackOff = TimeSpan.FromMilliseconds(200);
    static readonly TimeSpan BackOffMax = TimeSpan.FromSeconds(20);

    readonly Node _node;
    readonly RunPlan _plan;
    readonly RunJournal _journal;
    readonly ChildRuns _children;

    public Asking(Node node, RunPlan plan, RunJournal journal)
    {
        (_node, _plan, _journal) = (node, plan, journal);
        _children = new(node, plan, journal);
    }

    public ChildRuns Children => _children;

    /// <summary>Asks until there is an answer, or asking is no use.</summary>
    public async Task<OperationEnd> AnswerAsync(OpenOperation operation)
    {
        for (var attempt = 1; ; attempt++)
        {
            var outcome = await AskAsync(operation, attempt);
            if (operation.Kind == OperationKind.Write)
            {
                // Here only in a child run: the caller's write is in doubt, not this request alone.
                if (outcome.Failure is FailureKind.Transient or FailureKind.InDoubt) throw new InDoubtException();
                if (outcome.Failure == FailureKind.NotSent) MarkUnsent(operation);
            }
            if (outcome.Failure is FailureKind.Final or FailureKind.InDoubt || attempt == AttemptsMax)
                return OperationEnd.Of(outcome);
            if (!await WaitAsync(attempt, outcome, operation.Broken)) return OperationEnd.Of(outcome);
        }
    }

    /// <summary>Waits before the next attempt. False: the run's deadline comes first.</summary>
    public async Task<bool> WaitAsync(int attempt, OperationOutcome outcome, CancellationToken cancel)
    {
        var wait = outcome.RetryAfter ?? Jittered(attempt);
        if (_node.Time.GetUtcNow() + wait >= _plan.Deadline) return false;
        await Task.Delay(wait, _node.Time, cancel);
        return true;
    }

    /// <summary>One attempt; the caller has recorded that it is made.</summary>
    public async Task<OperationOutcome> AttemptAsync(OpenOperation operation)
    {
        if (operation.Target is IntegrationTarget target)
        {
            var parent = new ParentOperation(target.Operation.Name, target.Operation.Kind, operation.Key);
            return await _children.AskAsync(new(operation, target, parent, operation.Request), operation.Broken);
        }
        var builtIn = ((BuiltInTarget)operation.Target).BuiltIn;
        try
        {
            return await builtIn.Execute(Context(operation), operation.Request, operation.Broken);
        }
        catch (OperationCanceledException) when (!operation.Broken.IsCancellationRequested)
        {
            throw new PlatformException(PlatformError.StorageFailed, "The run's lease was not renewed in time.");
        }
        catch (Exception exception) when (exception is not (OperationCanceledException or PlatformException))
        {
            // The edge of a built-in: what nobody foresaw is one sentence for the guest.
            _node.Options.Notice($"{operation.Request.Name} failed unexpectedly: {exception}");
            var error = ErrorResult.Of(_node.Time, ErrorResult.Unavailable, "The host could not answer.");
            return new(error, operation.IsSent ? FailureKind.InDoubt : FailureKind.Final);
        }
    }

    async Task<OperationOutcome> AskAsync(OpenOperation operation, int attempt)
    {
        var tokens = await TokensAsync(operation);
        if (!_plan.Budget.TryReserve(tokens))
        {
            return new(ErrorResult.Of(_node.Time, ErrorResult.OverBudget,
                $"It may take {tokens} tokens, more than the run has left."));
        }
        operation.Reserved = tokens;
        var used = tokens;
        try
        {
            await RecordAskAsync(operation, attempt);
            var outcome = await AttemptAsync(operation);
            used = outcome.Tokens;
            operation.Tokens += used;
            operation.Reserved = 0;
            return outcome;
        }
        finally
        {
            // By the whole reservation when the reply is lost.
            _plan.Budget.Settle(tokens, used);
        }
    }

    async Task RecordAskAsync(OpenOperation operation, int attempt)
    {
        var commits = !_plan.Lags(operation);
        var label = _plan.Label + operation.Request.Name;
        _node.Hit("before-intent", label);
        var isFirst = operation.Former is null && attempt == 1;
        var isKnown = attempt == 1 && operation.Former is not null && await _children.HasAnswerAsync(operation);
        if (!isKnown && !(isFirst && operation.Kind == OperationKind.Read))
        {
            operation.Asks++;
            var committed = _journal.AppendAsync(!commits, Count(operation, OperationState.Open));
            if (commits) await committed;
        }
        _node.Hit("after-intent", label);
    }

    public static AskCounted Count(OpenOperation operation, OperationState state) =>
        new(operation.Sequence, state, operation.Asks, operation.Tokens, operation.Reserved);

    async Task<long> TokensAsync(OpenOperation operation)
    {
        if (operation.Target is not BuiltInTarget { BuiltIn.Reserve: { } reserve }) return 0;
        return await reserve(Context(operation), operation.Request, operation.Broken);
    }

    OperationContext Context(OpenOperation operation) => new()
    {
        RunId = _plan.Run.Id,
        Flow = _plan.Flow,
        Integration = _plan.Integration,
        Connection = _plan.Connection,
        Parent = _plan.Parent,
        Kind = operation.Kind,
        Key = operation.Key,
        StartedNs = operation.StartedNs,
        Deadline = operation.IsEnding ? _node.Time.GetUtcNow() + _node.SendDeadline : _plan.Deadline,
        Computing = _plan.Computing,
        SendDeadline = _node.SendDeadline,
        Time = _node.Time,
        BeforeSend = () => BeforeSend(operation),
        CallIntegration = (connection, request, cancel) => CallAsync(operation, connection, request, cancel),
    };

    async Task<OperationOutcome> CallAsync(
        OpenOperation operation, string connection, OperationRequest request, CancellationToken cancel)
    {
        var target = OperationTargets.ByConnection(_node, connection, request);
        if (target is RefusedTarget refused) return new(ErrorResult.Of(_node.Time, refused.Type, refused.Detail));
        var integration = (IntegrationTarget)target;
        var parent = new ParentOperation(integration.Operation.Name, integration.Operation.Kind, operation.Key);
        return await _children.AskAsync(new(operation, integration, parent, request), cancel);
    }

    void BeforeSend(OpenOperation operation)
    {
        // Right before the send: what fencing cannot reach is only what is already on its way.
        if (!_node.MaySend) throw new OperationCanceledException("The lease ran out.");
        var isWrite = operation.Kind == OperationKind.Write;
        var now = _node.Time.GetUtcNow();
        if (isWrite && _plan.Write is { } write && !write.TrySend(now)) throw new OperationCanceledException();
        if (!operation.TrySend(now)) throw new OperationCanceledException();
    }

    void MarkUnsent(OpenOperation operation)
    {
        operation.MarkSent(false);
        _plan.Write?.MarkSent(false);
    }

    TimeSpan Jittered(int attempt)
    {
        var full = Math.Min(BackOff.TotalMilliseconds * Math.Pow(2, attempt - 1), BackOffMax.TotalMilliseconds);
        var chance = BitConverter.ToUInt16(_node.Options.Randomness(2)) / (double)ushort.MaxValue;
        return TimeSpan.FromMilliseconds(full * (0.5 + chance));
    }
}
