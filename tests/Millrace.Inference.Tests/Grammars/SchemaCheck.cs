using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace Millrace.Inference.Tests.Grammars;

/// <summary>Whether a JSON value meets a schema, written apart from the grammar. Knows the keywords that the tests use.</summary>
static class SchemaCheck
{
    /// <summary>Null when it does, else where and why not.</summary>
    public static string? Fault(JsonElement value, JsonElement schema, JsonElement root, string at = "$")
    {
        if (schema.ValueKind is JsonValueKind.True or JsonValueKind.False)
            return schema.ValueKind == JsonValueKind.True ? null : $"{at}: nothing may be here";
        foreach (var keyword in schema.EnumerateObject())
        {
            if (Fault(value, schema, keyword, root, at) is { } fault) return fault;
        }

        return null;
    }

    static string? Fault(JsonElement value, JsonElement schema, JsonProperty keyword, JsonElement root, string at)
    {
        var bound = keyword.Value;
        var holds = keyword.Name switch
        {
            "type" => bound.ValueKind == JsonValueKind.Array ? bound.EnumerateArray().Any(type => IsOf(value, type.GetString()!))
                : IsOf(value, bound.GetString()!),
            "enum" => bound.EnumerateArray().Any(one => JsonElement.DeepEquals(one, value)),
            "const" => JsonElement.DeepEquals(bound, value),
            "minimum" => value.ValueKind != JsonValueKind.Number || value.GetDecimal() >= bound.GetDecimal(),
            "maximum" => value.ValueKind != JsonValueKind.Number || value.GetDecimal() <= bound.GetDecimal(),
            "exclusiveMinimum" => value.ValueKind != JsonValueKind.Number || value.GetDecimal() > bound.GetDecimal(),
            "exclusiveMaximum" => value.ValueKind != JsonValueKind.Number || value.GetDecimal() < bound.GetDecimal(),
            "minLength" => value.ValueKind != JsonValueKind.String || Length(value) >= bound.GetInt32(),
            "maxLength" => value.ValueKind != JsonValueKind.String || Length(value) <= bound.GetInt32(),
            "pattern" => value.ValueKind != JsonValueKind.String
                || Regex.IsMatch(value.GetString()!, bound.GetString()!, RegexOptions.ECMAScript),
            "format" => value.ValueKind != JsonValueKind.String || HasFormat(value.GetString()!, bound.GetString()!),
            "minItems" => value.ValueKind != JsonValueKind.Array || value.GetArrayLength() >= bound.GetInt32(),
            "maxItems" => value.ValueKind != JsonValueKind.Array || value.GetArrayLength() <= bound.GetInt32(),
            "required" => value.ValueKind != JsonValueKind.Object
                || bound.EnumerateArray().All(name => value.TryGetProperty(name.GetString()!, out _)),
            "anyOf" => bound.EnumerateArray().Any(one => Fault(value, one, root, at) is null),
            "oneOf" => bound.EnumerateArray().Count(one => Fault(value, one, root, at) is null) == 1,
            "allOf" => bound.EnumerateArray().All(one => Fault(value, one, root, at) is null),
            "$ref" => Fault(value, Target(root, bound.GetString()!), root, at) is null,
            _ => true,
        };
        if (!holds) return $"{at}: {value.GetRawText()} does not meet {keyword.Name} {bound.GetRawText()}";
        return Parts(value, schema, keyword, root, at);
    }

    static string? Parts(JsonElement value, JsonElement schema, JsonProperty keyword, JsonElement root, string at) =>
        (keyword.Name, value.ValueKind) switch
        {
            ("properties", JsonValueKind.Object) => value.EnumerateObject()
                .Where(entry => keyword.Value.TryGetProperty(entry.Name, out _))
                .Select(entry => Fault(entry.Value, keyword.Value.GetProperty(entry.Name), root, $"{at}.{entry.Name}"))
                .FirstOrDefault(static fault => fault is not null),
            ("additionalProperties", JsonValueKind.Object) => value.EnumerateObject()
                .Where(entry => !schema.TryGetProperty("properties", out var known) || !known.TryGetProperty(entry.Name, out _))
                .Select(entry => Fault(entry.Value, keyword.Value, root, $"{at}.{entry.Name}"))
                .FirstOrDefault(static fault => fault is not null),
            ("items", JsonValueKind.Array) => value.EnumerateArray()
                .Skip(schema.TryGetProperty("prefixItems", out var prefix) ? prefix.GetArrayLength() : 0)
                .Select((item, i) => Fault(item, keyword.Value, root, $"{at}[{i}]")).FirstOrDefault(static fault => fault is not null),
            ("prefixItems", JsonValueKind.Array) => value.EnumerateArray().Zip(keyword.Value.EnumerateArray())
                .Select((pair, i) => Fault(pair.First, pair.Second, root, $"{at}[{i}]")).FirstOrDefault(static fault => fault is not null),
            _ => null,
        };

    static bool IsOf(JsonElement value, string type) => type switch
    {
        "object" => value.ValueKind == JsonValueKind.Object,
        "array" => value.ValueKind == JsonValueKind.Array,
        "string" => value.ValueKind == JsonValueKind.String,
        "boolean" => value.ValueKind is JsonValueKind.True or JsonValueKind.False,
        "null" => value.ValueKind == JsonValueKind.Null,
        "integer" => value.ValueKind == JsonValueKind.Number && value.GetDecimal() is var number && number == decimal.Floor(number),
        _ => value.ValueKind == JsonValueKind.Number,
    };

    // JSON Schema counts code points.
    static int Length(JsonElement text) => text.GetString()!.EnumerateRunes().Count();

    static bool HasFormat(string text, string format) => format switch
    {
        // The year 0 is a year of JSON Schema and none of .NET.
        "date" => text.StartsWith("0000-", StringComparison.Ordinal)
            || DateOnly.TryParseExact(text, "yyyy-MM-dd", CultureInfo.InvariantCulture, DateTimeStyles.None, out _),
        "ipv4" => System.Net.IPAddress.TryParse(text, out _) && text.Count(static c => c == '.') == 3,
        "uuid" => Guid.TryParseExact(text, "D", out _),
        _ => true,
    };

    static JsonElement Target(JsonElement root, string reference) =>
        reference.Split('/').Skip(1).Aggregate(root, static (node, step) => node.GetProperty(step));
}
