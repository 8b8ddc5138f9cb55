using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Json.Nodes;
using Millrace.Flows.Manifests;

namespace Millrace.Flows.Triggers;

/// <summary><c>where</c> as written, and the flow's settings → <see cref="Where"/>.</summary>
sealed class WhereReader(JsonObject settings)
{
    public Where Read(YamlMap map) => new([.. map.Entries.Select(ReadClause)]);

    Clause ReadClause(YamlEntry entry)
    {
        if (!JsonPath.TryParse(entry.Key.Text, out var path))
        {
            throw entry.Key.At.Problem(
                $"'{entry.Key.Text}' is no path: names with dots between, like pull_request.draft");
        }
        return new Clause(path, ReadCondition(entry.Value, isOuter: true));
    }

    Condition ReadCondition(YamlNode node, bool isOuter) => node switch
    {
        YamlScalar scalar => new AnyOf(Values(scalar)),
        YamlList list => new AnyOf([.. list.Items.SelectMany(item => Values(Reads.Scalar(item, "where")))]),
        YamlMap map when map.Entries.IsEmpty => throw map.At.Problem("a condition is empty"),
        YamlMap map => ReadOperators(map, isOuter),
        _ => throw node.At.Problem("not a condition"),
    };

    Condition ReadOperators(YamlMap map, bool isOuter)
    {
        var fields = new Fields(map, "a condition");
        var conditions = ImmutableArray.CreateBuilder<Condition>();
        if (fields.Optional("starts") is { } starts) conditions.Add(ReadStarts(starts));
        if (isOuter && fields.Optional("exists") is { } exists)
            conditions.Add(new Exists(Reads.Flag(exists, "exists")));
        if (isOuter && fields.Optional("not") is { } not)
            conditions.Add(new Not(ReadCondition(not, isOuter: false)));
        fields.RefuseOthers();
        return conditions.Count == 1 ? conditions[0] : new AllOf(conditions.ToImmutable());
    }

    Starts ReadStarts(YamlNode node)
    {
        IEnumerable<YamlNode> items = node is YamlList list ? list.Items : [node];
        var beginnings = items
            .SelectMany(item => Values(Reads.Scalar(item, "starts")).Select(value => (item.At, value)))
            // An empty beginning would match everything: a trigger phrase that someone emptied must not.
            .Select(pair => pair.value is { ValueKind: JsonValueKind.String } value && !value.ValueEquals("")
                ? value.GetString()!
                : throw pair.At.Problem("'starts' takes texts that are not empty"));
        return new Starts([.. beginnings]);
    }

    /// <summary>What a text stands for: a setting that is a list stands for each of its items.</summary>
    ImmutableArray<JsonElement> Values(YamlScalar scalar)
    {
        var template = Template.Read(scalar);
        if (template.WholeSetting is { } name)
        {
            var value = SettingOf(name, scalar.At);
            return value is JsonArray list ? [.. list.Select(item => Element(item))] : [Element(value)];
        }
        if (template.HasPaths)
            throw scalar.At.Problem("a text in 'where' may name settings only, as {settings.name}");
        if (template.HasSettings) return [Element(JsonValue.Create(template.Render(settings, scalar.At)))];
        return [Literal(scalar, template.Render(settings, scalar.At))];
    }

    JsonNode SettingOf(string name, Place at) =>
        settings[name] ?? throw at.Problem($"there is no setting '{name}'");

    static JsonElement Literal(YamlScalar scalar, string text)
    {
        JsonNode? node = scalar.IsPlain switch
        {
            true when text is "true" or "false" => JsonValue.Create(text == "true"),
            true when text is "null" or "~" or "" => null,
            true when Reads.TryInteger(text, out var number) => JsonValue.Create(number),
            _ => JsonValue.Create(text),
        };
        return Element(node);
    }

    static JsonElement Element(JsonNode? node) => JsonSerializer.SerializeToElement(node);
}
