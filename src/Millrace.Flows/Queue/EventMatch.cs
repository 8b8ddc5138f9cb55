using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Json.Nodes;
using Millrace.Flows.Door;
using Millrace.Flows.Execution;
using Millrace.Flows.Storage;
using Millrace.Flows.Triggers;

namespace Millrace.Flows.Queue;

/// <summary>From an event to the runs that it makes: one for each flow with a trigger that matches.</summary>
static class EventMatch
{
    static readonly ImmutableHashSet<string> Credentials = ["authorization", "proxy-authorization", "cookie"];

    public static ImmutableArray<NewRun> Runs(
        IncomingEvent incoming, IEnumerable<Deployed> flows, PlatformOptions options)
    {
        using var body = Parse(incoming.Body);
        var runs = ImmutableArray.CreateBuilder<NewRun>();
        foreach (var deployed in flows)
        {
            var flow = deployed.Package.Flow!;
            if (incoming.Flow is { } only && only != flow.Name) continue;
            var trigger = flow.Triggers.FirstOrDefault(trigger => Matches(trigger, incoming, body?.RootElement));
            if (trigger is null) continue;
            runs.Add(new(
                RunIds.New(options), flow.Name, deployed.Row.Version, trigger.Partition(body?.RootElement),
                trigger.Concurrency, options.Randomness(32)));
        }
        return runs.ToImmutable();
    }

    public static NewEvent Event(IncomingEvent incoming, DateTimeOffset now)
    {
        var envelope = new JsonObject
        {
            ["id"] = incoming.DeliveryId,
            ["type"] = incoming.Type,
            ["source"] = incoming.Source,
            ["time"] = now.ToString("O"),
            ["method"] = incoming.Method,
            ["path"] = incoming.Path,
            ["query"] = incoming.Query,
            ["headers"] = new JsonObject(incoming.Headers
                .Where(header => !Credentials.Contains(header.Key.ToLowerInvariant()))
                .Select(header => KeyValuePair.Create(header.Key.ToLowerInvariant(), (JsonNode?)header.Value))),
        };
        return new(incoming.Source, incoming.DeliveryId, incoming.Type, envelope.ToJsonString(), incoming.Body,
            now.ToUnixTimeMilliseconds());
    }

    static bool Matches(Trigger trigger, IncomingEvent incoming, JsonElement? body) =>
        trigger.On == incoming.Type
        && (trigger.Connection is null || trigger.Connection == incoming.Connection)
        && trigger.Where(body);

    static JsonDocument? Parse(ReadOnlyMemory<byte> body)
    {
        try
        {
            return JsonText.Parse(body);
        }
        catch (JsonException)
        {
            return null;
        }
    }
}
