using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Millrace.Inference.Grammars;

/// <summary>What the keywords of JSON Schema mean here, and which are refused.</summary>
static class SchemaKeywords
{
    /// <summary>Keywords that bound a value.</summary>
    public static readonly string[] Bounds =
    [
        "minLength", "maxLength", "pattern", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "minItems", "maxItems",
        "properties", "required", "items", "prefixItems", "minProperties", "maxProperties",
    ];

    static readonly string[] Refusals =
    [
        "not", "if", "then", "else", "patternProperties", "propertyNames", "dependentRequired", "dependentSchemas", "dependencies",
        "contains", "minContains", "maxContains", "multipleOf", "unevaluatedItems", "$dynamicRef", "$recursiveRef", "additionalItems",
    ];

    // Each is held against each.
    const int ChoicesMax = 200;

    static readonly string[] AllTypes = ["object", "array", "string", "number", "boolean", "null"];

    /// <exception cref="InferenceException">The schema has a keyword that a grammar cannot keep.</exception>
    public static void Check(JsonObject schema, string place)
    {
        if (Refusals.FirstOrDefault(schema.ContainsKey) is { } refused) throw Refused($"{place}/{refused}");
        if (schema["uniqueItems"] is JsonValue unique && unique.GetValueKind() == JsonValueKind.True) throw Refused($"{place}/uniqueItems");
        if (schema["unevaluatedProperties"] is { } rest && rest.GetValueKind() != JsonValueKind.False)
            throw Refused($"{place}/unevaluatedProperties");
        Expect<JsonObject>(schema, "properties", place);
        Expect<JsonArray>(schema, "required", place);
        Expect<JsonArray>(schema, "enum", place);
        Expect<JsonArray>(schema, "anyOf", place);
        Expect<JsonArray>(schema, "oneOf", place);
        Expect<JsonArray>(schema, "prefixItems", place);
        foreach (var name in schema["required"] as JsonArray ?? []) TextOf(name, $"{place}/required");
    }

    static void Expect<T>(JsonObject schema, string keyword, string place)
    {
        if (schema.ContainsKey(keyword) && schema[keyword] is not T) throw Refused($"{place}/{keyword}", "of this form");
    }

    public static InferenceException Refused(string place, string how = "") =>
        new("invalid", $"{place}{(how.Length > 0 ? " " + how : "")} cannot be expressed as a grammar; leave it out of the schema");

    public static string TextOf(JsonNode? node, string place) =>
        node is JsonValue value && value.TryGetValue<string>(out var text) ? text : throw Refused(place, "that is no text");

    /// <summary>The types that a schema allows; without the keyword those that its other keywords are about.</summary>
    public static IReadOnlyList<string> TypesOf(JsonObject schema, string place)
    {
        var types = schema["type"] switch
        {
            null => Implied(schema),
            JsonArray many => [.. many.Select(type => TextOf(type, $"{place}/type"))],
            var one => [TextOf(one, $"{place}/type")],
        };
        foreach (var type in types)
        {
            if (type != "integer" && !AllTypes.Contains(type)) throw Refused($"{place}/type", type);
        }

        // A whole number is a number.
        return types.Contains("number") ? [.. types.Where(static type => type != "integer")] : types;
    }

    static string[] Implied(JsonObject schema)
    {
        if (schema.ContainsKey("properties") || schema.ContainsKey("required") || schema.ContainsKey("additionalProperties")
            || schema.ContainsKey("minProperties") || schema.ContainsKey("maxProperties"))
        {
            return ["object"];
        }

        if (schema.ContainsKey("items") || schema.ContainsKey("prefixItems") || schema.ContainsKey("minItems")
            || schema.ContainsKey("maxItems"))
        {
            return ["array"];
        }

        if (schema.ContainsKey("pattern") || schema.ContainsKey("format") || schema.ContainsKey("minLength")
            || schema.ContainsKey("maxLength"))
        {
            return ["string"];
        }

        var isNumber = schema.ContainsKey("minimum") || schema.ContainsKey("maximum") || schema.ContainsKey("exclusiveMinimum")
            || schema.ContainsKey("exclusiveMaximum");
        return isNumber ? ["number"] : AllTypes;
    }

    public static bool IsOf(JsonNode? value, string type) => (value?.GetValueKind() ?? JsonValueKind.Null) switch
    {
        JsonValueKind.Object => type == "object",
        JsonValueKind.Array => type == "array",
        JsonValueKind.String => type == "string",
        JsonValueKind.True or JsonValueKind.False => type == "boolean",
        JsonValueKind.Number => type == "number" || (type == "integer" && IsWhole(value!.GetValue<double>())),
        _ => type == "null",
    };

    static bool IsWhole(double number) => number == Math.Floor(number);

    /// <summary>A format as grammar; null for one that is not known, which JSON Schema reads as a remark.</summary>
    public static string? Format(string format)
    {
        const string Date = """[0-9]{4} "-" ("0" [1-9] | "1" [0-2]) "-" ("0" [1-9] | "1" [0-9] | "2" [0-8])""";
        const string Time = """([01] [0-9] | "2" [0-3]) ":" [0-5] [0-9] ":" [0-5] [0-9] ("." [0-9]{1,6})? "Z" """;
        const string Octet = """("25" [0-5] | "2" [0-4] [0-9] | "1" [0-9]{2} | [1-9] [0-9] | [0-9])""";
        return format switch
        {
            // No month lacks a 28th: every date is one.
            "date" => Date,
            "time" => Time,
            "date-time" => $"{Date} \"T\" {Time}",
            "uuid" => """[0-9a-f]{8} "-" [0-9a-f]{4} "-" [0-9a-f]{4} "-" [0-9a-f]{4} "-" [0-9a-f]{12}""",
            "ipv4" => $"{Octet} \".\" {Octet} \".\" {Octet} \".\" {Octet}",
            "email" => """[a-z0-9] [a-z0-9]{0,30} ("." [a-z0-9]{1,30})? "@" [a-z] [a-z0-9]{0,30} ("." [a-z]{2,10}){1,2}""",
            "hostname" => """[a-z] [a-z0-9]{0,30} ("." [a-z] [a-z0-9]{0,30}){0,3}""",
            "uri" => "\"http\" \"s\"? \"://\" [a-z] [a-z0-9]{0,30} (\".\" [a-z]{2,10}){1,2} (\"/\" [a-zA-Z0-9._]{0,40}){0,5}",
            _ => null,
        };
    }

    /// <summary>One of them and no other: what is distinct by type or by the value of a property is sure to be.</summary>
    public static void CheckDistinct(IEnumerable<JsonObject> choices, string place)
    {
        var all = choices.ToList();
        if (all.Count > ChoicesMax) throw Refused($"{place}/oneOf", $"of more than {ChoicesMax} choices");
        for (var i = 0; i < all.Count; i++)
        {
            for (var k = i + 1; k < all.Count; k++)
            {
                if (AreDistinct(all[i], all[k], place)) continue;
                throw Refused(string.Create(CultureInfo.InvariantCulture, $"{place}/oneOf"), $"whose choices {i} and {k} may both be met");
            }
        }
    }

    static bool AreDistinct(JsonObject one, JsonObject other, string place)
    {
        var (types, others) = (TypesOf(one, place), TypesOf(other, place));
        if (!types.Any(type => others.Any(too => type == too || (type, too) is ("integer", "number") or ("number", "integer"))))
            return true;
        if (Fixed(one) is { } values && Fixed(other) is { } otherValues)
            return !values.Any(value => otherValues.Any(too => JsonNode.DeepEquals(value, too)));
        if (one["properties"] is not JsonObject properties || other["properties"] is not JsonObject otherProperties) return false;
        return properties.Any(entry => IsRequired(one, entry.Key) && IsRequired(other, entry.Key)
            && entry.Value is JsonObject value && otherProperties[entry.Key] is JsonObject too && AreDistinct(value, too, place));
    }

    static bool IsRequired(JsonObject schema, string name) =>
        schema["required"] is JsonArray required && required.Any(entry => JsonNode.DeepEquals(entry, name));

    static List<JsonNode?>? Fixed(JsonObject schema) =>
        schema.ContainsKey("const") ? [schema["const"]] : (schema["enum"] as JsonArray)?.ToList();
}
