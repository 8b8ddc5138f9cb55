using System.Text.Json.Nodes;
using Millrace.Flows.Execution;
using Millrace.Flows.Storage;
using Millrace.Sandbox;

namespace Millrace.Flows.Door;

/// <summary>
/// Sends a write once. The journal row of the caller's operation is the outbox: intended before the first byte; what
/// was sent and got no answer is looked for, sent again where that is safe, or left to a person.
/// </summary>
sealed class Writing(Node node, RunPlan plan, RunJournal journal, Asking asking)
{
    const int AttemptsMax = 5;
    const int RoundsMax = 5;

    /// <summary>What became of a write in doubt; none of them set: it is to be sent again.</summary>
    readonly record struct Settled(OperationEnd? End);

    static readonly OperationEnd Withdrawn = new(OperationState.Withdrawn, null);
    static readonly OperationEnd Unknown = new(OperationState.Unknown, null);

    /// <summary>Sends, retries and settles.</summary>
    public async Task<OperationEnd> AnswerAsync(OpenOperation operation)
    {
        var isInDoubt = operation.Former is { State: OperationState.Intended or OperationState.Unknown };
        var sentBefore = DateTimeOffset.FromUnixTimeMilliseconds(
            plan.Run.FormerLeaseMs ?? node.Time.GetUtcNow().ToUnixTimeMilliseconds());
        if (operation.Former is { State: OperationState.Unknown } && await DecideAsync(operation) is { } decided)
            return decided;
        isInDoubt &= operation.Former is { State: OperationState.Intended };
        for (var attempt = 1; ;)
        {
            if (isInDoubt)
            {
                var settled = await SettleAsync(operation, sentBefore);
                if (settled.End is { } end) return end;
            }
            if (await SendAsync(operation) is not { } outcome) return Withdrawn;
            sentBefore = operation.SentAt ?? node.Time.GetUtcNow();
            isInDoubt = outcome.Failure is FailureKind.Transient or FailureKind.InDoubt;
            if (isInDoubt) continue;
            if (outcome.Failure == FailureKind.Final || attempt++ == AttemptsMax) return OperationEnd.Of(outcome);
            operation.MarkSent(false);
            if (!await asking.WaitAsync(attempt, outcome, operation.Broken)) return OperationEnd.Of(outcome);
        }
    }

    /// <summary>Commits the intent, then sends. Null: nothing may be started any more.</summary>
    async Task<OperationOutcome?> SendAsync(OpenOperation operation)
    {
        var label = plan.Label + operation.Request.Name;
        if (operation.Broken.IsCancellationRequested) return null;
        node.Hit("before-intent", label);
        operation.Asks++;
        await journal.AppendAsync(lags: false, Asking.Count(operation, OperationState.Intended));
        node.Hit("after-intent", label);
        try
        {
            return await asking.AttemptAsync(operation);
        }
        catch (OperationCanceledException) when (!operation.IsSent && !node.Stopping.IsCancellationRequested)
        {
            return null;
        }
    }

    async Task<Settled> SettleAsync(OpenOperation operation, DateTimeOffset sentBefore)
    {
        operation.MarkSent(true);
        // What was sent last may still be applied until its deadline.
        await WaitUntilAsync(sentBefore + node.SendDeadline);
        var target = operation.Target as IntegrationTarget;
        while (operation.Rounds < RoundsMax && target is not null)
        {
            operation.Rounds++;
            _ = journal.AppendAsync(lags: true, new RoundBegun(operation.Sequence, operation.Rounds));
            if (target.Operation.IsRepeatSafe || node.Options.SkipsFind) return default;
            if (target.Operation.Find is not { } find) break;
            var outcome = await FindAsync(operation, target, find);
            if (outcome is { Result.State: ResultState.Done } && Found(outcome.Result, out var found))
            {
                if (found is not null) return new(new(OperationState.Done, found));
                return operation.IsEnding ? new(Withdrawn) : default;
            }
            await WaitUntilAsync(node.Time.GetUtcNow() + (operation.Rounds * TimeSpan.FromMilliseconds(200)));
        }
        return new(await DecideAsync(operation));
    }

    /// <summary>Leaves it to a person. Null: it was not applied and is to be sent again.</summary>
    async Task<OperationEnd?> DecideAsync(OpenOperation operation)
    {
        operation.MarkSent(true);
        operation.IsUnknown = true;
        await journal.AppendAsync(lags: false, new OperationEnded(
            operation.Sequence, OperationState.Unknown, null, operation.Tokens, 0));
        var name = operation.Request.Name;
        node.Options.Notice($"Run {plan.Run.Id}: nobody knows whether {name} was applied; see millrace runs resolve.");
        await Task.WhenAny(operation.Resolved, operation.Ending, Stopped());
        operation.IsUnknown = false;
        node.Stopping.ThrowIfCancellationRequested();
        if (!operation.Resolved.IsCompleted) return Unknown;
        operation.Rounds = 0;
        return (await operation.Resolved).Result is { } result ? new(OperationState.Done, result) : null;
    }

    Task<OperationOutcome> FindAsync(OpenOperation operation, IntegrationTarget target, string find)
    {
        var integration = node.Catalog.Newest(PackageKind.Integration, target.Integration)!.Package.Integration!;
        var finder = target with { Operation = integration.Operations[find] };
        var parent = new ParentOperation(find, OperationKind.Read, operation.Key);
        var call = new ChildCall(operation, finder, parent, operation.Request)
        {
            LookedFor = target.Operation.Name,
        };
        return asking.Children.AskAsync(call, node.Stopping);
    }

    /// <summary>Reads <c>{"found": result head or null}</c>. False: that is no answer.</summary>
    bool Found(OperationResult answer, out OperationResult? found)
    {
        found = null;
        if (JsonText.Object(answer.Head) is not { } head || !head.ContainsKey("found")) return false;
        if (head["found"] is not { } effect) return true;
        if (effect is not JsonObject) return false;
        found = new(ResultState.Done, System.Text.Encoding.UTF8.GetBytes(effect.ToJsonString()), answer.Body,
            Clock.Ns(node.Time));
        return true;
    }

    async Task WaitUntilAsync(DateTimeOffset until)
    {
        var wait = until - node.Time.GetUtcNow();
        if (wait > TimeSpan.Zero) await Task.Delay(wait, node.Time, node.Stopping);
    }

    Task Stopped() => Task.Delay(Timeout.InfiniteTimeSpan, node.Time, node.Stopping);
}
