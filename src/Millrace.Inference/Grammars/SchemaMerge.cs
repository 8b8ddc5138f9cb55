using System.Text.Json;
using System.Text.Json.Nodes;

namespace Millrace.Inference.Grammars;

/// <summary>One schema out of several that must all be met, references among them.</summary>
sealed class SchemaMerge(JsonNode? document)
{
    const int DepthMax = 64;

    // Schemas that grow as they are merged end here.
    const int StepsMax = 50_000;

    // What says nothing of the value.
    static readonly string[] Remarks =
    [
        "$schema", "$id", "$comment", "$anchor", "$defs", "definitions", "title", "description", "default", "examples", "deprecated",
        "readOnly", "writeOnly", "strict", "contentEncoding", "contentMediaType",
    ];

    // By node, which many references may lead to. Nobody writes into them.
    readonly Dictionary<JsonNode, JsonObject> _merged = [];
    int _steps;

    /// <exception cref="InferenceException">There is no such place in the document.</exception>
    public JsonNode? Target(JsonNode reference, string place)
    {
        var text = SchemaKeywords.TextOf(reference, $"{place}/$ref");
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
        if (_merged.TryGetValue(own, out var known)) return known;
        if (++_steps > StepsMax)
            throw new InferenceException("invalid", $"{place}: more than {StepsMax} parts of the schema are to be merged");
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

        return _merged[own] = merged;
    }

    static void Add(JsonObject target, JsonObject other, string place)
    {
        if (other.ContainsKey("unevaluatedProperties")) other = Closed(other);
        CheckAdditional(target, other, place);
        foreach (var (name, node) in other)
        {
            if (!target.ContainsKey(name)) target[name] = node?.DeepClone();
            else target[name] = Both(name, target[name], node, place);
        }
    }

    // What closes one part after all that it knows, closes it for the other parts.
    static JsonObject Closed(JsonObject schema)
    {
        var closed = (JsonObject)schema.DeepClone();
        closed.Remove("unevaluatedProperties");
        closed.TryAdd("additionalProperties", false);
        return closed;
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
        var at = $"{place}/{name}";
        switch (name)
        {
            case "required": return Union(Array(one), Array(other), at);
            case "enum": return Cut(Array(one), Array(other));
            case "type": return Types(one, other, at);
            case "properties": return Properties(Keys(one), Keys(other));
            case "items" or "additionalProperties": return All(one, other);
            case "minimum" or "exclusiveMinimum" or "minLength" or "minItems" or "minProperties":
                return JsonValue.Create(Math.Max(Number(one), Number(other)));
            case "maximum" or "exclusiveMaximum" or "maxLength" or "maxItems" or "maxProperties":
                return JsonValue.Create(Math.Min(Number(one), Number(other)));
            default: return Refuse();
        }

        JsonNode Refuse() => throw SchemaKeywords.Refused($"{place}/allOf", $"with two different {name}");
        JsonArray Array(JsonNode? node) => node as JsonArray ?? throw Odd();
        JsonObject Keys(JsonNode? node) => node as JsonObject ?? throw Odd();
        double Number(JsonNode? node) => node is JsonValue value && value.TryGetValue<double>(out var number) ? number : throw Odd();
        InferenceException Odd() => SchemaKeywords.Refused(at, "of this form");
    }

    static JsonArray Union(JsonArray one, JsonArray other, string place) =>
        [.. one.Concat(other).Select(node => SchemaKeywords.TextOf(node, place)).Distinct().Select(static name => (JsonNode)name)];

    static JsonArray Cut(JsonArray one, JsonArray other) =>
        [.. one.Where(value => other.Any(too => JsonNode.DeepEquals(value, too))).Select(static value => value?.DeepClone())];

    static JsonArray Types(JsonNode? one, JsonNode? other, string place)
    {
        var (left, right) = (Names(one), Names(other));
        var both = left.Where(right.Contains).ToList();
        // A whole number is a number, so it is what both allow.
        if ((left.Contains("integer") && right.Contains("number")) || (left.Contains("number") && right.Contains("integer")))
            both.Add("integer");
        return [.. both.Distinct().Select(static name => (JsonNode)name)];

        string[] Names(JsonNode? node) => node is JsonArray many
            ? [.. many.Select(name => SchemaKeywords.TextOf(name, place))] : [SchemaKeywords.TextOf(node, place)];
    }

    static JsonObject Properties(JsonObject one, JsonObject other)
    {
        var merged = (JsonObject)one.DeepClone();
        foreach (var (name, schema) in other) merged[name] = merged.ContainsKey(name) ? All(merged[name], schema) : schema?.DeepClone();
        return merged;
    }

    /// <summary>A schema that is met by what meets both, each part once: parts that refer to each other stay finite.</summary>
    public static JsonObject All(JsonNode? one, JsonNode? other)
    {
        List<JsonNode?> parts = [];
        foreach (var part in Parts(one).Concat(Parts(other)))
        {
            if (!parts.Exists(known => JsonNode.DeepEquals(known, part))) parts.Add(part);
        }

        return new() { ["allOf"] = new JsonArray([.. parts.Select(static part => part?.DeepClone())]) };

        static IEnumerable<JsonNode?> Parts(JsonNode? node) =>
            node is JsonObject { Count: 1 } only ? only["allOf"] as JsonArray ?? Enumerable.Repeat<JsonNode?>(node, 1)
                : Enumerable.Repeat(node, 1);
    }
}
