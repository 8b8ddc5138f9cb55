using System.Text.Json;
using System.Text.Json.Nodes;

namespace Millrace.Flows.Triggers;

/// <summary>What a new event does to the runs of its partition.</summary>
enum Concurrency : byte
{
    /// <summary>It waits its turn.</summary>
    Queue,
    /// <summary>It supersedes the running and the queued ones.</summary>
    CancelRunning,
    /// <summary>It supersedes the queued ones.</summary>
    ReplaceQueued,
}

/// <summary>The rule that turns an event into a run.</summary>
sealed record Trigger
{
    /// <summary>Event type: <c>github.pull_request</c>, <c>http</c>.</summary>
    public required string On { get; init; }

    /// <summary>The connection the event must come through; null for any.</summary>
    public string? Connection { get; init; }

    public Concurrency Concurrency { get; init; }

    /// <summary>Whether the event's body fits <c>where</c>; the body is null when it is no JSON.</summary>
    public Func<JsonElement?, JsonObject, bool> Where { get; init; } = (_, _) => true;

    /// <summary>The partition's name for an event's body, or null for none.</summary>
    public Func<JsonElement?, JsonObject, string?> Partition { get; init; } = (_, _) => null;
}
