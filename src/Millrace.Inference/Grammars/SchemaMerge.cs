using System.Text.Json;
using System.Text.Json.Nodes;

namespace Millrace.Inference.Grammars;

/// <summary>One schema out of several that must all be met, references among them.</summary>
sealed class SchemaMerge(JsonNode? document)
{
    const int DepthMax = 64;

    // What says nothing of the value.
    static readonly string[] Remarks =
    [
        "$schema", "$id", "$comment", "$anchor", "$defs", "definitions", "title", "description", "default", "examples", "deprecated",
        "readOnly", "writeOnly", "strict", "contentEncoding", "contentMediaType",
    ];

    readonly Dictionary<string, JsonNode> _named = [];

    /// <summary>Whether the schema is a reference and says nothing else.</summary>
    public static bool IsReference(JsonObject schema) =>
        schema["$ref"] is not null && schema.All(static entry => entry.Key == "$ref" || Remarks.Contains(entry.Key));

    /// <summary>A reference to a schema of our own.</summary>
    public JsonNode Named(string name, JsonObject schema)
    {
        _named.TryAdd(name, schema);
        return JsonValue.Create($"named:{name}");
    }

    /// <exception cref="InferenceException">There is no such place in the document.</exception>
    public JsonNode? Target(JsonNode reference, string place)
    {
        var text = SchemaKeywords.TextOf(reference, $"{place}/$ref");
        if (text.StartsWith("named:", StringComparison.Ordinal)) return _named[text[6..]];
        if (text == "#") return document;
        if (!text.StartsWith("#/", StringComparison.Ordinal))
            throw new InferenceException("invalid", $"{place}/$ref: only references into the schema itself are followed, not {text}");
        var node = document;
        foreach (var step in text[2..].Split('/'))
        {
            var name = Uri.UnescapeDataString(step)
                .Replace("~1", "/", StringComparison.Ordinal).Replace("~0", "~", StringComparison.Ordinal);
            node = node switch
            {
                JsonObject keys when keys.ContainsKey(name) => keys[name],
                JsonArray items when int.TryParse(name, out var index) && index >= 0 && index < items.Count => items[index],
                _ => throw new InferenceException("invalid", $"{place}/$ref: there is no {text} in the schema"),
            };
        }

        return node;
    }

    /// <summary>The schema with its references and its allOf worked in.</summary>
    /// <exception cref="InferenceException">They cannot be made one.</exception>
    public JsonObject Of(JsonNode? schema, string place, int depth = 0)
    {
        if (depth > DepthMax) throw new InferenceException("invalid", $"{place}: references without an end");
        if (schema is JsonValue value && value.TryGetValue<bool>(out var isAny)) return isAny ? [] : new() { ["enum"] = new JsonArray() };
        if (schema is not JsonObject own) throw new InferenceException("invalid", $"{place}: a schema is an object, true or false");
        var merged = new JsonObject();
        foreach (var (name, node) in own)
        {
            if (name is not ("$ref" or "allOf") && !Remarks.Contains(name)) merged[name] = node?.DeepClone();
        }

        if (own["$ref"] is { } reference) Add(merged, Of(Target(reference, place), place, depth + 1), place);
        if (own["allOf"] is JsonArray all)
        {
            for (var i = 0; i < all.Count; i++) Add(merged, Of(all[i], $"{place}/allOf/{i}", depth + 1), place);
        }

        return merged;
    }

    static void Add(JsonObject target, JsonObject other, string place)
    {
        CheckAdditional(target, other, place);
        foreach (var (name, node) in other)
        {
            if (!target.ContainsKey(name)) target[name] = node?.DeepClone();
            else target[name] = Both(name, target[name], node, place);
        }
    }

    // What one closes, the other may not open.
    static void CheckAdditional(JsonObject one, JsonObject other, string place)
    {
        foreach (var (closed, open) in (ReadOnlySpan<(JsonObject, JsonObject)>)[(one, other), (other, one)])
        {
            if (!closed.ContainsKey("additionalProperties")) continue;
            if (closed["additionalProperties"]?.GetValueKind() == JsonValueKind.True) continue;
            var names = (open["properties"] as JsonObject ?? []).Select(static entry => entry.Key);
            if (names.Any(name => closed["properties"] is not JsonObject own || !own.ContainsKey(name)))
                throw SchemaKeywords.Refused($"{place}/allOf", "of properties that another part's additionalProperties shuts out");
        }
    }

    static JsonNode? Both(string name, JsonNode? one, JsonNode? other, string place)
    {
        if (JsonNode.DeepEquals(one, other)) return one?.DeepClone();
        switch (name)
        {
            case "required": return Union((JsonArray)one!, (JsonArray)other!);
            case "enum": return Cut((JsonArray)one!, (JsonArray)other!);
            case "type": return Types(one!, other!);
            case "properties": return Properties((JsonObject)one!, (JsonObject)other!);
            case "items" or "additionalProperties": return All(one, other);
            case "minimum" or "exclusiveMinimum" or "minLength" or "minItems" or "minProperties":
                return JsonValue.Create(Math.Max(one!.GetValue<double>(), other!.GetValue<double>()));
            case "maximum" or "exclusiveMaximum" or "maxLength" or "maxItems" or "maxProperties":
                return JsonValue.Create(Math.Min(one!.GetValue<double>(), other!.GetValue<double>()));
            default: return Refuse();
        }

        JsonNode Refuse() => throw SchemaKeywords.Refused($"{place}/allOf", $"with two different {name}");
    }

    static JsonArray Union(JsonArray one, JsonArray other) =>
        [.. one.Concat(other).Select(static node => node!.GetValue<string>()).Distinct().Select(static name => (JsonNode)name)];

    static JsonArray Cut(JsonArray one, JsonArray other) =>
        [.. one.Where(value => other.Any(too => JsonNode.DeepEquals(value, too))).Select(static value => value?.DeepClone())];

    static JsonArray Types(JsonNode one, JsonNode other)
    {
        var (left, right) = (Names(one), Names(other));
        var both = left.Where(right.Contains).ToList();
        // A whole number is a number, so it is what both allow.
        if ((left.Contains("integer") && right.Contains("number")) || (left.Contains("number") && right.Contains("integer")))
            both.Add("integer");
        return [.. both.Distinct().Select(static name => (JsonNode)name)];

        static string[] Names(JsonNode node) =>
            node is JsonArray many ? [.. many.Select(static name => name!.GetValue<string>())] : [node.GetValue<string>()];
    }

    static JsonObject Properties(JsonObject one, JsonObject other)
    {
        var merged = (JsonObject)one.DeepClone();
        foreach (var (name, schema) in other) merged[name] = merged.ContainsKey(name) ? All(merged[name], schema) : schema?.DeepClone();
        return merged;
    }

    /// <summary>A schema that is met by what meets both.</summary>
    public static JsonObject All(JsonNode? one, JsonNode? other) =>
        new() { ["allOf"] = new JsonArray(one?.DeepClone(), other?.DeepClone()) };
}
