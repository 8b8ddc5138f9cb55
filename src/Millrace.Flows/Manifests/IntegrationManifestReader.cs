using System.Collections.Immutable;
using System.Text.RegularExpressions;

namespace Millrace.Flows.Manifests;

/// <summary>integration.yaml → <see cref="IntegrationManifest"/>.</summary>
static partial class IntegrationManifestReader
{
    public const string FileName = "integration.yaml";

    static readonly ImmutableArray<string> Kinds = ["read", "paid", "write"];

    static string KindName(OperationKind kind) => Kinds[(int)kind - (int)OperationKind.Read];

    public static IntegrationManifest Read(ReadOnlySpan<byte> bytes, string file = FileName)
    {
        var fields = new Fields(YamlReader.Read(file, bytes), "the manifest");
        ManifestParts.Version(fields);
        var nameNode = fields.Required("name");
        var name = Reads.Name(nameNode, "integration's name");
        if (ManifestParts.BuiltInNouns.Contains(name))
            throw nameNode.At.Problem($"'{name}' is the noun of built-in operations; choose another name");
        var module = ManifestParts.FilePath(fields.Required("module"), "module");
        var hosts = fields.Optional("hosts") is { } list ? ManifestParts.Hosts(list) : [];
        var webhook = fields.Optional("webhook") is { } node ? Webhook(node) : null;
        var check = fields.Optional("check") is { } path ? CheckPath(path) : "";
        fields.Refuse("auth", "sign-in by 'auth' comes later: a connection's own token is sent as the module asks");
        var grants = ManifestParts.Grants(fields.Optional("grants"));
        if (grants.Http is not null)
            throw fields.At.Problem("an integration has no grant 'http': it reaches its own 'hosts'");
        var settings = Settings.Read(fields.Optional("settings"));
        var limits = ManifestParts.Limits(fields.Optional("limits"));
        var operations = Operations(fields.Required("operations"));
        fields.RefuseOthers();
        return new IntegrationManifest(name, module, hosts, webhook, check, grants, settings, limits, operations);
    }

    static string CheckPath(YamlNode node)
    {
        var text = Reads.Text(node, "check");
        return text[0] == '/' ? text : throw node.At.Problem("'check' is a path that begins with '/'");
    }

    static Webhook Webhook(YamlNode node)
    {
        var fields = new Fields(node, "'webhook'");
        var signature = Header(fields.Required("hmac_sha256"), "hmac_sha256");
        var prefix = fields.Text("prefix") ?? "";
        var id = Header(fields.Required("id"), "id");
        var type = Header(fields.Required("type"), "type");
        fields.RefuseOthers();
        return new Webhook(signature, prefix, id, type);
    }

    static string Header(YamlNode node, string what)
    {
        var text = Reads.Text(node, what);
        return HeaderPattern().IsMatch(text) ? text : throw node.At.Problem($"'{text}' is not a header's name");
    }

    static ImmutableSortedDictionary<string, OperationManifest> Operations(YamlNode node)
    {
        var operations = ImmutableSortedDictionary.CreateBuilder<string, OperationManifest>(StringComparer.Ordinal);
        foreach (var entry in Reads.Map(node, "'operations'").Entries)
        {
            if (!Names.IsOperation(entry.Key.Text))
            {
                throw entry.Key.At.Problem(
                    $"'{entry.Key.Text}' is not an operation's name: small letters, digits and '_', a letter first");
            }
            operations.Add(entry.Key.Text, Operation(entry));
        }
        foreach (var operation in operations.Values)
        {
            Refer(operation, "find", operation.Find, OperationKind.Read);
            Refer(operation, "undo", operation.Undo, OperationKind.Write);
        }
        return operations.ToImmutable();

        void Refer(OperationManifest from, string key, string? to, OperationKind kind)
        {
            if (to is null) return;
            if (!operations.TryGetValue(to, out var target))
                throw from.At.Problem($"'{key}' of '{from.Name}' names '{to}', which is not among the operations");
            if (target.Kind != kind)
                throw from.At.Problem($"'{key}' of '{from.Name}' names '{to}', which is not a {KindName(kind)}");
        }
    }

    static OperationManifest Operation(YamlEntry entry)
    {
        var name = entry.Key.Text;
        var fields = new Fields(entry.Value, $"the operation '{name}'");
        var kind = OperationKind.Read + (byte)ManifestParts.OneOf(fields.Required("kind"), "kind", Kinds);
        var isWrite = kind == OperationKind.Write;
        var find = WriteOnly(fields, "find", isWrite);
        var repeat = WriteOnly(fields, "repeat", isWrite);
        if (repeat is not null) ManifestParts.OneOf(repeat, "repeat", ["safe"]);
        if (find is not null && repeat is not null)
            throw repeat.At.Problem("a write has 'find' or 'repeat', not both");
        var undo = WriteOnly(fields, "undo", isWrite);
        var request = Schema(fields, "request");
        var result = Schema(fields, "result");
        fields.RefuseOthers();
        return new OperationManifest(
            entry.Key.At, name, kind, find is null ? null : Reads.Text(find, "find"), repeat is not null,
            undo is null ? null : Reads.Text(undo, "undo"), request, result);
    }

    static YamlNode? WriteOnly(Fields fields, string key, bool isWrite)
    {
        var node = fields.Optional(key);
        if (node is not null && !isWrite) throw node.At.Problem($"only a write has '{key}'");
        return node;
    }

    static YamlScalar? Schema(Fields fields, string key)
    {
        if (fields.Optional(key) is not { } node) return null;
        ManifestParts.FilePath(node, key);
        return Reads.Scalar(node, key);
    }

    [GeneratedRegex(@"\A[A-Za-z0-9][A-Za-z0-9-]{0,99}\z", RegexOptions.CultureInvariant)]
    private static partial Regex HeaderPattern();
}
