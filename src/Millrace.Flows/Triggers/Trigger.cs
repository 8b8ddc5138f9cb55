using System.Text.Json;
using System.Text.Json.Nodes;
using Millrace.Flows.Manifests;

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

/// <summary>Who may call a flow over HTTP.</summary>
enum HttpAuth : byte
{
    /// <summary>Who has the flow's token.</summary>
    Token,
    /// <summary>Everyone who reaches the listener.</summary>
    None,
}

/// <summary>The rule that turns an event into a run.</summary>
sealed record Trigger
{
    const int PartitionCharactersMax = 512;

    /// <summary>Event type: <c>github.pull_request</c>, <c>http</c>.</summary>
    public required string On { get; init; }

    /// <summary>The connection the event must come through; null for any.</summary>
    public string? Connection { get; init; }

    public Concurrency Concurrency { get; init; }

    /// <summary>For <c>http</c>.</summary>
    public HttpAuth Auth { get; init; }

    /// <summary>Whether the event's body fits <c>where</c>; the body is null when it is no JSON.</summary>
    public Func<JsonElement?, bool> Where { get; init; } = _ => true;

    /// <summary>The partition's name for an event's body, or null for none.</summary>
    public Func<JsonElement?, string?> Partition { get; init; } = _ => null;

    /// <summary>The trigger as written, with the flow's settings filled in.</summary>
    /// <remarks>
    /// An event that lacks a part of the partition's name does not match: in a partition of a half name it would
    /// supersede the runs of others.
    /// </remarks>
    public static Trigger From(TriggerManifest manifest, JsonObject settings)
    {
        var where = manifest.Where is { } map ? new WhereReader(settings).Read(map) : Triggers.Where.Everything;
        var trigger = new Trigger
        {
            On = manifest.On,
            Connection = manifest.Connection,
            Concurrency = manifest.Concurrency,
            Auth = manifest.Auth,
            Where = where.Matches,
        };
        if (manifest.Partition is not { } written) return trigger;
        var template = Template.Read(written).Bind(settings, written.At);
        return trigger with
        {
            Where = body => where.Matches(body) && Name(template, body) is not null,
            Partition = body => Name(template, body),
        };
    }

    static string? Name(Template template, JsonElement? body) =>
        template.TryRender(body, out var name) && name.Length is > 0 and <= PartitionCharactersMax ? name : null;
}
