using System.Text.Json.Nodes;

namespace Millrace.Inference.Tests.Grammars;

/// <summary>Schemas by a seed, with every string and every array bounded.</summary>
sealed class RandomSchema(int seed)
{
    static readonly string[] Names = ["name", "city", "age", "tags", "size", "is_open", "kind", "score", "note", "at"];

    readonly Random _random = new(seed);

    public JsonObject Next() => Object(depth: 0);

    JsonObject Object(int depth)
    {
        var names = Names.OrderBy(_ => _random.Next()).Take(_random.Next(1, depth == 0 ? 5 : 3)).ToArray();
        var properties = new JsonObject();
        foreach (var name in names) properties[name] = Any(depth + 1);
        var required = names.Where((_, i) => i == 0 || _random.Next(3) > 0).Select(static name => (JsonNode)name).ToArray();
        return new()
        {
            ["type"] = "object",
            ["properties"] = properties,
            ["required"] = new JsonArray(required),
            ["additionalProperties"] = false,
        };
    }

    JsonObject Any(int depth) => _random.Next(depth < 3 ? 13 : 10) switch
    {
        0 or 1 => new JsonObject { ["type"] = "string", ["minLength"] = _random.Next(3), ["maxLength"] = _random.Next(3, 16) },
        2 => new JsonObject { ["enum"] = new JsonArray("red", "green", 7, null, "a \"quoted\" text") },
        3 => Integer(),
        4 => new JsonObject { ["type"] = "number", ["exclusiveMinimum"] = -_random.Next(5), ["maximum"] = _random.Next(1, 900) },
        5 => new JsonObject { ["type"] = "boolean" },
        6 => new JsonObject { ["type"] = "string", ["pattern"] = "^[A-Z]{2,3}-\\d{1,4}(\\.[a-f]{1,3})?$" },
        7 => new JsonObject { ["type"] = "string", ["format"] = _random.Next(2) == 0 ? "date" : "ipv4" },
        8 => new JsonObject { ["anyOf"] = new JsonArray(Integer(), new JsonObject { ["type"] = "null" }) },
        9 => new JsonObject
        {
            ["allOf"] = new JsonArray(
                new JsonObject { ["type"] = "integer", ["minimum"] = 3 }, new JsonObject { ["maximum"] = 12 }),
        },
        10 => Object(depth),
        _ => new JsonObject
        {
            ["type"] = "array",
            ["items"] = Any(depth + 1),
            ["minItems"] = _random.Next(2),
            ["maxItems"] = _random.Next(1, 4),
        },
    };

    JsonObject Integer()
    {
        var least = _random.Next(-2000, 2000);
        return new() { ["type"] = "integer", ["minimum"] = least, ["maximum"] = least + _random.Next(3000) };
    }
}
