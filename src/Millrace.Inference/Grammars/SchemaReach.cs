using System.Text.Json.Nodes;

namespace Millrace.Inference.Grammars;

/// <summary>
/// Whether any finite value can meet a schema as far as its references say: one that needs itself inside of itself
/// cannot be met.
/// </summary>
sealed class SchemaReach(SchemaMerge merge)
{
    const int StepsMax = 20_000;

    readonly HashSet<JsonNode> _above = [];
    int _steps;

    public bool CanBeMet(JsonNode? schema, string place)
    {
        _steps = 0;
        return Reaches(schema, place);
    }

    bool Reaches(JsonNode? schema, string place)
    {
        if (++_steps > StepsMax) throw new InferenceException("invalid", $"{place}: the schema refers to itself in too many ways");
        if (schema is not JsonObject keys) return true;
        if (keys["$ref"] is { } reference)
        {
            var target = merge.Target(reference, place);
            if (target is not null)
            {
                if (!_above.Add(target)) return false;
                try
                {
                    if (!Reaches(target, place)) return false;
                }
                finally
                {
                    _above.Remove(target);
                }
            }
        }

        foreach (var part in keys["allOf"] as JsonArray ?? [])
        {
            if (!Reaches(part, place)) return false;
        }

        return OneOf(keys["anyOf"], place) && OneOf(keys["oneOf"], place) && Parts(keys, place);
    }

    bool OneOf(JsonNode? choices, string place) =>
        choices is not JsonArray { Count: > 0 } many || many.Any(choice => Reaches(choice, place));

    bool Parts(JsonObject keys, string place)
    {
        // Another type than this one needs no parts.
        if (keys["type"] is JsonArray) return true;
        foreach (var name in keys["required"] as JsonArray ?? [])
        {
            if (keys["properties"] is JsonObject properties && name is JsonValue value && value.TryGetValue<string>(out var text)
                && properties[text] is { } property && !Reaches(property, place))
            {
                return false;
            }
        }

        var needsItems = keys["minItems"] is JsonValue least && least.TryGetValue<double>(out var count) && count > 0;
        return !needsItems || keys["prefixItems"] is not null || keys["items"] is not { } items || Reaches(items, place);
    }
}
