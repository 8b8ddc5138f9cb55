using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Json.Nodes;
using Millrace.Flows.Execution;
using Millrace.Flows.Operations;
using Millrace.Flows.Storage;
using Millrace.Sandbox;

namespace Millrace.Flows.Door;

/// <summary>
/// Makes the plan of a child run: the integration's module and grants, the caller's budget and deadline.
/// </summary>
static class ChildPlan
{
    public static RunPlan Of(
        Node node, RunPlan caller, ChildCall call, RunRow run, Deployed deployed, Connection connection)
    {
        var integration = deployed.Package.Integration!;
        var envelope = Envelope(caller, call, run);
        var now = node.Time.GetUtcNow();
        // What settles a write outlives the run's own deadline.
        var isSettling = call.Operation.IsEnding || caller.Deadline <= now;
        var deadline = isSettling ? now + (2 * node.SendDeadline) : caller.Deadline;
        return new()
        {
            Run = run,
            Deployed = deployed,
            Connection = connection,
            Parent = call.Parent,
            Write = call.IsWrite ? call.Operation : null,
            Envelope = envelope,
            Input = Input(call.Request),
            Environment = Environment(envelope, connection),
            Limits = new()
            {
                MemoryBytesMax = integration.Limits.MemoryBytes,
                Cpu = integration.Limits.Cpu,
                Wall = deadline - now,
            },
            Deadline = deadline,
            Budget = caller.Budget,
            Computing = caller.Computing,
            Depth = caller.Depth + 1,
            Label = $"{caller.Label}{integration.Name}.{call.Parent.Name}/",
        };
    }

    static JsonObject Envelope(RunPlan caller, ChildCall call, RunRow run)
    {
        var operation = new JsonObject { ["name"] = call.Parent.Name, ["key"] = call.Parent.Key };
        if (call.LookedFor is { } write) operation["for"] = write;
        return new()
        {
            ["id"] = run.Id,
            ["type"] = "millrace.operation",
            ["source"] = $"runs/{caller.Run.Id}",
            ["time"] = DateTimeOffset.FromUnixTimeMilliseconds(run.StartedNs!.Value / 1_000_000).ToString("O"),
            ["operation"] = operation,
        };
    }

    /// <summary>What an integration's guest finds in its environment: no secrets.</summary>
    public static ImmutableSortedDictionary<string, string> Environment(JsonObject envelope, Connection connection)
    {
        var account = new JsonObject
        {
            ["name"] = connection.Name,
            ["base_url"] = connection.BaseUrl,
            ["settings"] = connection.Settings.DeepClone(),
        };
        return ImmutableSortedDictionary<string, string>.Empty
            .Add("MILLRACE_EVENT", envelope.ToJsonString())
            .Add("MILLRACE_CONNECTION", account.ToJsonString());
    }

    /// <summary>One line of compact JSON, then the raw body.</summary>
    public static byte[] Input(OperationRequest request)
    {
        var head = JsonSerializer.SerializeToUtf8Bytes(JsonNode.Parse(request.Head.Span));
        var input = new byte[head.Length + 1 + request.Body.Length];
        head.CopyTo(input, 0);
        input[head.Length] = (byte)'\n';
        request.Body.Span.CopyTo(input.AsSpan(head.Length + 1));
        return input;
    }
}
