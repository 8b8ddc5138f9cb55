using System.Text.Json.Nodes;

namespace Millrace.Inference.Grammars;

/// <summary>
/// Whether any finite value can meet a schema as far as its references say: one that needs itself inside of itself
/// cannot be met.
/// </summary>
sealed class SchemaReach(SchemaMerge merge)
{
    // What references lead to: all that were seen, and those of them that can be met.
    readonly HashSet<JsonNode> _seen = [];
    readonly HashSet<JsonNode> _met = [];

    public bool CanBeMet(JsonNode? schema, string place)
    {
        List<JsonNode> open = [];
        Collect(schema);
        for (var i = 0; i < open.Count; i++) Collect(open[i]);
        // What is met makes more so, until nothing changes. The last ones found are mostly the first ones needed.
        open.Reverse();
        while (open.RemoveAll(target => Meets(target, place) && _met.Add(target)) > 0) { }
        return Meets(schema, place);

        void Collect(JsonNode? part)
        {
            if (part is not JsonObject keys) return;
            if (Target(keys, place) is { } target && _seen.Add(target)) open.Add(target);
            foreach (var needed in Needed(keys).Concat(Choices(keys, "anyOf")).Concat(Choices(keys, "oneOf"))) Collect(needed);
        }
    }

    bool Meets(JsonNode? schema, string place)
    {
        if (schema is not JsonObject keys) return true;
        if (Target(keys, place) is { } target && !_met.Contains(target)) return false;
        return Needed(keys).All(part => Meets(part, place)) && HasOne("anyOf") && HasOne("oneOf");

        bool HasOne(string keyword) => !Choices(keys, keyword).Any() || Choices(keys, keyword).Any(choice => Meets(choice, place));
    }

    JsonNode? Target(JsonObject keys, string place) => keys["$ref"] is { } reference ? merge.Target(reference, place) : null;

    static IEnumerable<JsonNode?> Choices(JsonObject keys, string keyword) => keys[keyword] as JsonArray ?? [];

    // The parts without which there is no value.
    static IEnumerable<JsonNode?> Needed(JsonObject keys)
    {
        foreach (var part in Choices(keys, "allOf")) yield return part;
        // Another type than this one needs no parts.
        if (keys["type"] is JsonArray) yield break;
        foreach (var name in Choices(keys, "required"))
        {
            if (keys["properties"] is JsonObject properties && name is JsonValue value && value.TryGetValue<string>(out var text)
                && properties[text] is { } property)
            {
                yield return property;
            }
        }

        var needsItems = keys["minItems"] is JsonValue least && least.TryGetValue<double>(out var count) && count > 0;
        if (needsItems && keys["prefixItems"] is null && keys["items"] is { } items) yield return items;
    }
}
