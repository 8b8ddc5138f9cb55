using System.Text.Json;
using System.Text.Json.Nodes;
using Millrace.Flows.Door;
using Millrace.Flows.Manifests;
using Millrace.Flows.Storage;
using Millrace.Flows.Triggers;

namespace Millrace.Flows.Execution;

/// <summary>
/// <c>on_failure</c>: a run of the same version in the same partition, ahead of later events, made in the transaction
/// that ends the run it answers.
/// </summary>
static class FailureRun
{
    public const string EventType = "millrace.run.failed";

    public static bool IsDue(Flow flow, RunRow run, RunOutcome outcome) => flow.OnFailure && run.FailureOf is null
        && outcome is not (RunOutcome.Completed or RunOutcome.Superseded or RunOutcome.Rejected);

    /// <summary>A small budget: it mends, it does not start over.</summary>
    public static FlowLimits Limits(FlowLimits limits) => limits with
    {
        Wall = Min(limits.Wall, TimeSpan.FromMinutes(2)),
        Cpu = Min(limits.Cpu, TimeSpan.FromSeconds(10)),
        Tokens = Math.Min(limits.Tokens, 2_000),
    };

    public static async Task<RunEnding> AddAsync(Node node, RunPlan plan, RunRow run, RunEnding ending)
    {
        await node.Store.FlushAsync();
        var rows = await node.Store.JournalAsync(run.Number, run.Branch);
        var source = $"runs/{run.Id}";
        var body = new JsonObject
        {
            ["event"] = EventOf(plan),
            ["run"] = run.Id,
            ["outcome"] = Words.Of(ending.Outcome),
            ["exit_code"] = ending.ExitCode,
            ["message"] = ending.Message,
            ["writes"] = new JsonArray(
                [.. rows.Operations.Where(row => row.Kind == OperationKind.Write).Select(Write)]),
        };
        var id = RunIds.New(node.Options);
        var envelope = new JsonObject
        {
            ["id"] = run.Id,
            ["type"] = EventType,
            ["source"] = source,
            ["time"] = node.Time.GetUtcNow().ToString("O"),
        };
        return ending with
        {
            FailureEvent = new(source, run.Id, EventType, envelope.ToJsonString(),
                JsonSerializer.SerializeToUtf8Bytes(body), ending.EndedMs),
            FailureRun = new(
                id, run.Name, run.Version, run.Partition, Concurrency.Queue, node.Options.Randomness(32)),
        };
    }

    /// <summary>The envelope, with the body where that is JSON.</summary>
    static JsonObject EventOf(RunPlan plan)
    {
        var envelope = (JsonObject)plan.Envelope.DeepClone();
        envelope["body"] = JsonText.Object(plan.Input);
        return envelope;
    }

    static JsonNode Write(OperationRow row) => new JsonObject
    {
        ["sequence"] = row.Sequence,
        ["operation"] = row.Name,
        ["head"] = JsonText.Object(row.Head),
        ["state"] = Words.Of(row.State),
        ["result"] = row.Result is { } result ? JsonText.Object(result.Head) : null,
    };

    static TimeSpan Min(TimeSpan left, TimeSpan right) => left < right ? left : right;
}
