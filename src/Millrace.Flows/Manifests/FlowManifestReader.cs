using System.Collections.Immutable;
using Millrace.Flows.Triggers;

namespace Millrace.Flows.Manifests;

/// <summary>flow.yaml → <see cref="FlowManifest"/>.</summary>
static class FlowManifestReader
{
    public const string FileName = "flow.yaml";

    static readonly ImmutableArray<string> ConcurrencyNames = ["queue", "cancel-running", "replace-queued"];

    public static FlowManifest Read(ReadOnlySpan<byte> bytes, string file = FileName)
    {
        var fields = new Fields(YamlReader.Read(file, bytes), "the manifest");
        ManifestParts.Version(fields);
        var name = Reads.Name(fields.Required("name"), "flow's name");
        var module = ManifestParts.FilePath(fields.Required("module"), "module");
        var triggers = Triggers(fields.Optional("triggers"));
        var grants = ManifestParts.Grants(fields.Optional("grants"));
        var settings = Settings.Read(fields.Optional("settings"));
        var limits = ManifestParts.Limits(fields.Optional("limits"));
        var onFailure = fields.Flag("on_failure");
        fields.RefuseOthers();
        return new FlowManifest(name, module, triggers, grants, settings, limits, onFailure);
    }

    static ImmutableArray<TriggerManifest> Triggers(YamlNode? node)
    {
        if (node is null) return [];
        var triggers = Reads.List(node, "triggers").Select(Trigger).ToImmutableArray();
        var http = triggers.Where(t => t.On == "http").ToList();
        if (http.Count > 1) throw http[1].At.Problem("a flow has one 'http' trigger at most");
        return triggers;
    }

    static TriggerManifest Trigger(YamlNode node)
    {
        var fields = new Fields(node, "a trigger");
        var on = EventName(fields.Required("on"));
        var isHttp = on == "http";
        var connection = fields.Optional("connection");
        if (isHttp && connection is not null)
            throw connection.At.Problem("an 'http' trigger has no connection");
        if (!isHttp && connection is null)
            throw fields.At.Problem($"a trigger on '{on}' needs 'connection': the name that 'connections add' gave it");
        var where = fields.Optional("where");
        var partition = fields.Optional("partition") is { } template ? Reads.Scalar(template, "partition") : null;
        var concurrencyNode = fields.Optional("concurrency");
        var concurrency = concurrencyNode is null
            ? 0 : ManifestParts.OneOf(concurrencyNode, "concurrency", ConcurrencyNames);
        if (concurrency != 0 && partition is null)
            throw concurrencyNode!.At.Problem("'concurrency' needs a 'partition': it speaks of the other runs in it");
        var auth = fields.Optional("auth");
        if (auth is not null && !isHttp) throw auth.At.Problem("only an 'http' trigger has 'auth'");
        var kind = auth is null ? 0 : ManifestParts.OneOf(auth, "auth", ["token", "none"]);
        fields.RefuseOthers();
        return new TriggerManifest(
            fields.At, on, connection is null ? null : Reads.Name(connection, "connection's name"),
            where is null ? null : Reads.Map(where, "'where'"), partition, (Concurrency)concurrency, (HttpAuth)kind);
    }

    static string EventName(YamlNode node)
    {
        var text = Reads.Text(node, "on");
        if (text == "http") return text;
        if (text is "schedule" or "chat") throw node.At.Problem($"triggers on '{text}' come later");
        var dot = text.IndexOf('.', StringComparison.Ordinal);
        if (dot < 0 || !Names.IsName(text[..dot]) || !Names.IsOperation(text[(dot + 1)..]))
        {
            throw node.At.Problem(
                $"'{text}' is no event: write http, or an integration's event like shop.order_paid");
        }
        return text;
    }
}
