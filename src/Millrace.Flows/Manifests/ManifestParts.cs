using System.Collections.Immutable;

namespace Millrace.Flows.Manifests;

/// <summary>What flow.yaml and integration.yaml have in common.</summary>
static class ManifestParts
{
    /// <summary>Nouns of built-in operations, also of later ones: no integration may take them.</summary>
    public static readonly ImmutableArray<string> BuiltInNouns =
        ["kv", "memory", "llm", "http", "log", "door", "run", "nn", "net", "schedule", "chat", "millrace"];

    static readonly ImmutableArray<string> Methods = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];

    public static void Version(Fields fields)
    {
        var node = fields.Required("millrace");
        var version = Reads.Integer(node, "millrace", 0, long.MaxValue);
        if (version != 1) throw node.At.Problem("this Millrace reads manifests of version 1: write 'millrace: 1'");
    }

    public static int OneOf(YamlNode node, string what, ImmutableArray<string> choices)
    {
        var text = Reads.Text(node, what);
        var index = choices.IndexOf(text);
        return index >= 0
            ? index
            : throw node.At.Problem($"'{what}' is one of {string.Join(", ", choices)}, not '{text}'");
    }

    /// <summary>A file of the package: relative, with '/' and no way out.</summary>
    public static string FilePath(YamlNode node, string what)
    {
        var path = Reads.Text(node, what);
        if (PackageFiles.Fault(path) is { } fault) throw node.At.Problem($"'{what}': {fault}");
        return path;
    }

    public static ImmutableArray<HostPattern> Hosts(YamlNode node) =>
        [.. Reads.List(node, "hosts").Select(item =>
            HostPattern.TryParse(Reads.Text(item, "hosts"), out var pattern)
                ? pattern
                : throw item.At.Problem(
                    "a host is a name with an optional port: api.example.com, *.example.com, http://127.0.0.1:8080"))];

    public static FlowLimits Limits(YamlNode? node)
    {
        var limits = new FlowLimits();
        if (node is null) return limits;
        var fields = new Fields(node, "'limits'");
        fields.Refuse("money_usd", "money budgets come later: this Millrace counts tokens, write 'tokens'");
        fields.Refuse("fuel", "fuel budgets come later: this Millrace limits CPU time, write 'cpu'");
        if (fields.Optional("wall") is { } wall)
            limits = limits with { Wall = Reads.Duration(wall, "wall", TimeSpan.FromHours(24)) };
        if (fields.Optional("cpu") is { } cpu)
            limits = limits with { Cpu = Reads.Duration(cpu, "cpu", TimeSpan.FromHours(1)) };
        if (fields.Optional("memory") is { } memory)
            limits = limits with { MemoryBytes = Reads.Size(memory, "memory", 64 << 10, 4L << 30) };
        if (fields.Optional("tokens") is { } tokens)
            limits = limits with { Tokens = Reads.Integer(tokens, "tokens", 0, 1_000_000_000) };
        fields.RefuseOthers();
        return limits;
    }

    public static Grants Grants(YamlNode? node)
    {
        if (node is null) return Manifests.Grants.None;
        var grants = Manifests.Grants.None;
        foreach (var entry in Reads.Map(node, "'grants'").Entries)
        {
            grants = entry.Key.Text switch
            {
                "llm" => grants with { Models = Models(entry.Value) },
                "http" => grants with { Http = Http(entry.Value) },
                "nn" => grants with { Nn = Nn(entry.Value) },
                _ => grants with
                {
                    Integrations = grants.Integrations.Add(entry.Key.Text, Integration(entry)),
                },
            };
        }
        return grants;
    }

    static ImmutableArray<string> Models(YamlNode node)
    {
        var fields = new Fields(node, "the grant 'llm'");
        RefuseApproval(fields);
        var models = Reads.Texts(fields.Required("models"), "models");
        fields.RefuseOthers();
        return models;
    }

    static NnGrant Nn(YamlNode node)
    {
        var fields = new Fields(node, "the grant 'nn'");
        RefuseApproval(fields);
        var grant = new NnGrant(fields.Texts("models"), fields.Flag("own_models"));
        fields.RefuseOthers();
        return grant.Models.Length > 0 || grant.OwnModels
            ? grant : throw node.At.Problem("the grant 'nn' needs 'models', the names of models, or 'own_models: true'");
    }

    static HttpGrant Http(YamlNode node)
    {
        var fields = new Fields(node, "the grant 'http'");
        RefuseApproval(fields);
        var hosts = Hosts(fields.Required("hosts"));
        var methods = fields.Optional("methods");
        ImmutableArray<string> allowed = methods is null
            ? ["GET", "HEAD"]
            : [.. Reads.List(methods, "methods").Select(item => Methods[OneOf(item, "methods", Methods)])];
        var allowPrivate = fields.Flag("allow_private");
        ImmutableArray<string> connections = fields.Optional("connections") is { } list
            ? [.. Reads.List(list, "connections").Select(item => Reads.Name(item, "connection's name"))]
            : [];
        fields.RefuseOthers();
        return new HttpGrant(hosts, allowed) { AllowsPrivate = allowPrivate, Connections = connections };
    }

    static IntegrationGrant Integration(YamlEntry entry)
    {
        var name = entry.Key.Text;
        if (BuiltInNouns.Contains(name)) throw entry.Key.At.Problem(BuiltInGrant(name));
        if (!Names.IsName(name)) throw entry.Key.At.Problem($"'{name}' is not an integration's name");
        var fields = new Fields(entry.Value, $"the grant '{name}'");
        RefuseApproval(fields);
        var connection = Reads.Name(fields.Required("connection"), "connection's name");
        var operations = Reads.List(fields.Required("operations"), "operations").Select(Operation).ToImmutableHashSet();
        fields.RefuseOthers();
        return new IntegrationGrant(connection, operations);
    }

    static string Operation(YamlNode node)
    {
        var text = Reads.Text(node, "operations");
        return Names.IsOperation(text) ? text : throw node.At.Problem($"'{text}' is not an operation's name");
    }

    static string BuiltInGrant(string noun) => noun is "kv" or "log" or "door" or "run"
        ? $"'{noun}' needs no grant: every flow has it"
        : $"'{noun}' cannot be granted yet";

    static void RefuseApproval(Fields fields) =>
        fields.Refuse("approval", "approval by a person comes later; leave 'approval' out");
}
