using System.Text.Json.Nodes;
using Millrace.Flows.Execution;
using Millrace.Flows.Storage;
using Millrace.Sandbox;

namespace Millrace.Flows.Door;

/// <summary>What a child run shall answer.</summary>
/// <param name="Operation">The caller's operation that it belongs to.</param>
/// <param name="Target">Who answers.</param>
/// <param name="Parent">What the child sees of it.</param>
/// <param name="Request">Its input.</param>
sealed record ChildCall(
    OpenOperation Operation, IntegrationTarget Target, ParentOperation Parent, OperationRequest Request)
{
    /// <summary>For a find: the short name of the write that is looked for.</summary>
    public string? LookedFor { get; init; }

    public bool IsWrite => Parent.Kind == OperationKind.Write;
}

/// <summary>Answers operations of integrations: each by a run of its own.</summary>
sealed class ChildRuns(Node node, RunPlan plan, RunJournal journal)
{
    // As a run's own losses, without a new journal row in between.
    const int LostMax = 5;

    public async Task<OperationOutcome> AskAsync(ChildCall call, CancellationToken cancel)
    {
        var (run, rows) = await EnterAsync(call);
        for (var lost = 1; ; lost++)
        {
            var (end, outcome) = await ExecuteAsync(call, run, rows, cancel);
            if (outcome is not null) return outcome;
            if (end.Cause != StopCause.WorkerLost || lost == LostMax) throw Unanswered(end);
            // The worker that it was in is gone, not its caller: it goes on in another one.
            node.Options.Notice($"Run {run.Id} goes on: {end.Message}");
            if (call.IsWrite)
            {
                (run, rows) = await EnterAsync(call);
                continue;
            }
            await node.Store.FlushAsync();
            var known = Rows(rows);
            rows = await node.Store.JournalAsync(run.Number, run.Branch);
            if (Rows(rows) > known) lost = 0;
        }
    }

    static int Rows(JournalRows rows) =>
        rows.Operations.Length + rows.Operations.Count(row => row.Result is not null) + rows.Deliveries.Length;

    static PlatformException Unanswered(GuestEnd end) => new(
        end.Cause == StopCause.Unstored ? PlatformError.StorageFailed : PlatformError.NotFound, end.Message);

    /// <summary>Executes a child run once. No outcome: it was lost.</summary>
    async Task<(GuestEnd End, OperationOutcome? Outcome)> ExecuteAsync(
        ChildCall call, RunRow run, JournalRows rows, CancellationToken cancel)
    {
        var connection = node.Connections(call.Target.Connection)
            ?? throw new PlatformException(PlatformError.NotFound, "The connection was removed.");
        var deployed = await node.Catalog.VersionAsync(PackageKind.Integration, run.Name, run.Version);
        var childJournal = new RunJournal(node.Store, run, rows);
        var childPlan = ChildPlan.Of(node, plan, call, run, deployed, connection);
        var execution = new GuestExecution(node, childPlan, childJournal);
        GuestEnd end;
        using (cancel.Register(() => execution.Stop(StopCause.BrokenOff, "The caller's operation was broken off.")))
        {
            end = await execution.RunAsync();
        }
        // A planned stop leaves it open: the next attempt goes on with it.
        var isStopping = node.Stopping.IsCancellationRequested && end.Cause != StopCause.None;
        if (node.IsGone || isStopping) throw new OperationCanceledException();
        if (end.Cause == StopCause.WorkerLost && cancel.IsCancellationRequested)
            end = end with { Cause = StopCause.BrokenOff };
        var outcome = Outcome(call, end);
        // Lost with its worker it stays open and goes on, unless it writes: what it sent its caller settles.
        if (outcome is null && end.Cause == StopCause.WorkerLost && !call.IsWrite) return (end, null);
        _ = journal.AppendAsync(lags: true, new ChildEnded(run.Id, Ending(end)));
        if (end.Cause == StopCause.BrokenOff) throw new OperationCanceledException(cancel);
        return (end, outcome);
    }

    /// <summary>Whether an open child has the answer of a paid request: asking again costs nothing then.</summary>
    public async Task<bool> HasAnswerAsync(OpenOperation operation)
    {
        if (operation.Kind != OperationKind.Paid || await OpenChildAsync(operation.Sequence) is not { } open)
            return false;
        var rows = await node.Store.JournalAsync(open.Number, open.Branch);
        return rows.Operations.Any(row => row is { Kind: OperationKind.Paid, Result: not null });
    }

    /// <summary>The open child of an earlier attempt, of a read or paid operation; else a new one.</summary>
    async Task<(RunRow, JournalRows)> EnterAsync(ChildCall call)
    {
        var operation = call.Operation;
        if (operation.Former is not null && operation.Children == 0)
        {
            var children = await node.Store.ChildrenAsync(plan.Run.Number, operation.Sequence);
            operation.Children = children.Length;
            // The open child of a write is not resumed: what it sent is settled from the caller's row.
            var open = children.LastOrDefault(child => child.State != RunState.Ended);
            if (open is not null && operation.Kind != OperationKind.Write && open.Operation == call.Parent.Name)
                return (open, await node.Store.JournalAsync(open.Number, open.Branch));
            foreach (var lost in children.Where(child => child.State != RunState.Ended))
                _ = journal.AppendAsync(lags: true, new ChildEnded(lost.Id, Lost("It was lost under way.")));
        }
        var id = $"{plan.Run.Id}.{operation.Sequence}.{++operation.Children}";
        var target = call.Target;
        var version = node.Catalog.Newest(PackageKind.Integration, target.Integration)!.Row.Version;
        var child = new NewChild(
            id, operation.Sequence, target.Integration, version, call.Parent.Name, target.Connection,
            node.Options.Randomness(32), Clock.Ns(node.Time));
        var number = await journal.BeginChildAsync(child);
        var row = new RunRow
        {
            Number = number,
            Id = id,
            Parent = plan.Run.Number,
            ParentSequence = operation.Sequence,
            Name = target.Integration,
            Version = version,
            Operation = call.Parent.Name,
            Connection = target.Connection,
            State = RunState.Running,
            Seed = child.Seed,
            CreatedMs = child.StartedNs / 1_000_000,
            StartedNs = child.StartedNs,
        };
        return (row, new([], [], 0, 0));
    }

    async Task<RunRow?> OpenChildAsync(long sequence) =>
        (await node.Store.ChildrenAsync(plan.Run.Number, sequence)).LastOrDefault(c => c.State != RunState.Ended);

    /// <summary>What the child's end says; null when the host lost it.</summary>
    OperationOutcome? Outcome(ChildCall call, GuestEnd end)
    {
        if (end.Cause == StopCause.InDoubt) return Fault(call, "The write got no answer.");
        if (end.Cause == StopCause.WorkerLost && call.IsWrite && call.Operation.IsSent)
            return Fault(call, "The write was sent, and its answer was lost.");
        if (end.Cause is not StopCause.None) return null;
        var run = end.Run!;
        var answer = ChildAnswer.Of(call.Target.Operation, run, end.Output, node.Time);
        if (answer.Result is not { } result)
        {
            return run.Kind == RunEndKind.TimedOut
                ? Fault(call, answer.Fault, ErrorResult.TimeOut)
                : Fault(call, answer.Fault);
        }
        return result.State == ResultState.Done ? Done(call, answer.Head, result) : Refused(answer.Head, result);
    }

    static OperationOutcome Done(ChildCall call, JsonObject head, OperationResult result)
    {
        var tokens = call.Parent.Kind == OperationKind.Paid && head["usage"] is JsonObject usage
            ? Number(usage["prompt_tokens"]) + Number(usage["completion_tokens"])
            : 0;
        return new(result) { Tokens = tokens };
    }

    static OperationOutcome Refused(JsonObject head, OperationResult result)
    {
        if ((string)head["type"]! != ErrorResult.RateLimited) return new(result);
        var wait = Number(head["retry_after_ms"]);
        return new(result, FailureKind.NotSent)
        {
            RetryAfter = wait > 0 ? TimeSpan.FromMilliseconds(wait) : null,
        };
    }

    /// <summary>No usable answer: after a write was sent nobody knows what became of it.</summary>
    OperationOutcome Fault(ChildCall call, string detail, string type = ErrorResult.Unavailable) => new(
        ErrorResult.Of(node.Time, type, detail),
        call.IsWrite && call.Operation.IsSent ? FailureKind.InDoubt : FailureKind.Final);

    RunEnding Ending(GuestEnd end)
    {
        if (end.Cause is StopCause.BrokenOff)
            return Lost(end.Message) with { Outcome = RunOutcome.Cancelled };
        return end.Cause is not StopCause.None ? Lost(end.Message) : Outcomes.Of(node.Time, end.Run!);
    }

    RunEnding Lost(string message) =>
        new() { Outcome = RunOutcome.Lost, Message = message, EndedMs = Clock.Ms(node.Time) };

    static long Number(JsonNode? node) =>
        node is JsonValue value && value.TryGetValue(out long number) ? number : 0;
}
