using System.Collections.Immutable;
using System.Text.Json.Nodes;
using Millrace.Flows.Door;
using Millrace.Flows.Storage;

namespace Millrace.Flows.Execution;

/// <summary>A leased run of a flow, from its journal to its outcome.</summary>
sealed class FlowExecution(Node node, RunRow run)
{
    const int LostMax = 5;
    static readonly TimeSpan StoreBackOff = TimeSpan.FromSeconds(1);

    readonly Lock _lock = new();
    GuestExecution? _guest;
    StopCause _stop;
    volatile RunRow? _lease;

    public RunRow Run => run;

    /// <summary>The lease it holds now; the first one may have failed to be committed.</summary>
    public RunRow Lease
    {
        get => _lease ?? run;
        set => _lease = value;
    }

    /// <summary>Tells it to end.</summary>
    public void Stop(StopCause cause)
    {
        GuestExecution? guest;
        lock (_lock)
        {
            if (_stop == StopCause.None || cause == StopCause.Shutdown) _stop = cause;
            guest = _guest;
        }
        guest?.Stop(cause, MessageOf(cause));
    }

    /// <summary>A person decides an unknown write. False: this run has no such.</summary>
    public bool TryResolve(long sequence, Resolution resolution) =>
        _guest?.Door.TryResolve(sequence, resolution) ?? false;

    /// <summary>Executes the run until it has ended; or why it has not and is to be put back.</summary>
    public async Task<StopCause> RunAsync()
    {
        try
        {
            return await ExecuteAsync();
        }
        // The edge of a run: whatever the host met, the run goes on from its journal.
        catch (Exception exception)
        {
            if (node.IsGone) return StopCause.None;
            node.Options.Notice($"Run {run.Id} is put back: {exception.Message}");
            return exception is PlatformException { Error: PlatformError.DiskFull or PlatformError.StorageFailed }
                ? StopCause.Unstored : StopCause.Lost;
        }
    }

    async Task<StopCause> ExecuteAsync()
    {
        // What an earlier attempt in this process posted must be seen.
        if (run.Attempts > 1) await node.Store.FlushAsync();
        var plan = await PlanAsync();
        var guest = new GuestExecution(node, plan.Plan, plan.Journal);
        lock (_lock) _guest = guest;
        if (_stop != StopCause.None) guest.Stop(_stop, MessageOf(_stop));
        if (run.Stop == StopReason.Cancelled) guest.Stop(StopCause.Cancelled, MessageOf(StopCause.Cancelled));
        if (run.Stop == StopReason.Superseded) guest.Stop(StopCause.Superseded, MessageOf(StopCause.Superseded));
        var isGivenUp = run.Lost >= LostMax;
        var end = isGivenUp ? await guest.SettleAsync() : await guest.RunAsync();
        if (node.IsGone) return StopCause.None;
        if (GuestExecution.IsPause(end.Cause))
        {
            if (end.Cause != StopCause.Shutdown) node.Options.Notice($"Run {run.Id} is put back: {end.Message}");
            return end.Cause;
        }
        await EndAsync(plan.Plan, Ending(plan.Plan, end, isGivenUp));
        return StopCause.None;
    }

    RunEnding Ending(RunPlan plan, GuestEnd end, bool isGivenUp)
    {
        var own = end.Run is null ? new() { Outcome = RunOutcome.Lost, EndedMs = Clock.Ms(node.Time) }
            : Outcomes.Of(node.Time, end.Run);
        RunOutcome? decided = end.Cause switch
        {
            StopCause.Cancelled => RunOutcome.Cancelled,
            StopCause.Superseded => RunOutcome.Superseded,
            StopCause.Diverged => RunOutcome.Diverged,
            _ => null,
        };
        if (decided is { } outcome) return own with { Outcome = outcome, Message = end.Message };
        if (isGivenUp) return own with { Message = $"Lost {LostMax} times in a row without a new step." };
        return own.Outcome == RunOutcome.Failed && (plan.Budget.HasRefused || plan.Computing.HasRefused)
            ? own with { Outcome = RunOutcome.OverBudget }
            : own;
    }

    async Task EndAsync(RunPlan plan, RunEnding ending)
    {
        if (FailureRun.IsDue(plan.Flow!, run, ending.Outcome))
            ending = await FailureRun.AddAsync(node, plan, run, ending);
        await node.Store.EndAsync(run.Number, ending);
    }

    /// <summary>Puts the run back, however long the store refuses: until then it stays leased.</summary>
    public async Task ReleaseAsync(RunRow lease, StopCause cause, bool isLost)
    {
        while (!node.IsGone)
        {
            try
            {
                var now = node.Time.GetUtcNow();
                var due = cause == StopCause.Unstored ? now + StoreBackOff : now;
                await node.Store.ReleaseAsync(lease, isLost, due, now);
                return;
            }
            catch (PlatformException failure)
            {
                if (failure.Error == PlatformError.Closed || node.Stopping.IsCancellationRequested) return;
                await Task.WhenAny(Task.Delay(StoreBackOff, node.Time, node.Stopping));
            }
        }
    }

    async Task<(RunPlan Plan, RunJournal Journal)> PlanAsync()
    {
        var deployed = await node.Catalog.VersionAsync(PackageKind.Flow, run.Name, run.Version);
        var (envelope, body) = await node.Store.EventAsync(run.Event!.Value);
        var rows = await node.Store.JournalAsync(run.Number, run.Branch);
        var journal = new RunJournal(node.Store, run, rows);
        var flow = deployed.Package.Flow!;
        var limits = run.FailureOf is null ? flow.Limits : FailureRun.Limits(flow.Limits);
        var wall = limits.Wall - TimeSpan.FromMilliseconds(run.WallUsedMs);
        if (wall < TimeSpan.FromSeconds(1)) wall = TimeSpan.FromSeconds(1);
        var plan = new RunPlan
        {
            Run = run,
            Deployed = deployed,
            Envelope = (JsonObject)JsonNode.Parse(envelope)!,
            Input = body,
            Environment = ImmutableSortedDictionary<string, string>.Empty
                .Add("MILLRACE_EVENT", envelope)
                .Add("MILLRACE_SETTINGS", flow.Settings.ToJsonString()),
            Limits = new() { MemoryBytesMax = limits.MemoryBytes, Cpu = limits.Cpu, Wall = wall },
            Deadline = node.Time.GetUtcNow() + wall,
            Budget = new(limits.Tokens, journal.TokensUsed),
            Computing = new(limits.Cpu, journal.ComputedTime),
        };
        return (plan, journal);
    }

    static string MessageOf(StopCause cause) => cause switch
    {
        StopCause.Cancelled => "Cancelled by a person.",
        StopCause.Superseded => "A later event took its place.",
        _ => "The server stops.",
    };
}
