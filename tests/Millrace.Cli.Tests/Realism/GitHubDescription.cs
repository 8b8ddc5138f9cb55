using System.Text.Json;
using System.Text.Json.Nodes;
using Json.Schema;

namespace Millrace.Cli.Tests.Realism;

/// <summary>GitHub's published OpenAPI description, as JSON schemas.</summary>
sealed class GitHubDescription
{
    readonly JsonObject _definitions;

    GitHubDescription(JsonObject definitions) => _definitions = definitions;

    public static async Task<GitHubDescription> LoadAsync()
    {
        var folder = await NpmPackage.FetchAsync(
            "@octokit/openapi", "23.0.2",
            "sha512-pV8M7L9GY23AybNvTmo2nyjmpmnt6+2sRE/tqr0ZLQcPS4lnw7u5eZGNmwRNkBC3D7gZXbFx5AHzLUVRBXGDhg==");
        await using var stream = File.OpenRead(Path.Combine(folder, "generated", "api.github.com.json"));
        var description = await JsonNode.ParseAsync(stream);
        return new((JsonObject)description!["components"]!["schemas"]!);
    }

    /// <summary>What is wrong with an answer, each with its place; empty when it is as GitHub describes it.</summary>
    public IEnumerable<string> Faults(string schema, JsonNode? answer)
    {
        var needed = new JsonObject();
        Collect(schema, needed);
        JsonObject root = new() { ["$ref"] = $"#/$defs/{schema}", ["$defs"] = needed };
        var results = JsonSchema.FromText(root.ToJsonString()).Evaluate(
            JsonSerializer.SerializeToElement(answer), new() { OutputFormat = OutputFormat.List });
        if (results.IsValid) return [];
        return (results.Details ?? []).Where(detail => detail.Errors is not null)
            .SelectMany(detail => detail.Errors!.Select(error => $"{detail.InstanceLocation}: {error.Value}"));
    }

    void Collect(string name, JsonObject needed)
    {
        if (needed.ContainsKey(name)) return;
        needed[name] = new JsonObject();
        needed[name] = ToJsonSchema(_definitions[name]!.DeepClone(), needed);
    }

    /// <summary>OpenAPI 3.0's <c>nullable</c> and references, in JSON Schema's words.</summary>
    JsonNode? ToJsonSchema(JsonNode? node, JsonObject needed)
    {
        if (node is JsonArray array) return new JsonArray([.. array.Select(entry => ToJsonSchema(entry?.DeepClone(), needed))]);
        if (node is not JsonObject schema) return node?.DeepClone();
        JsonObject result = [];
        foreach (var (key, value) in schema)
        {
            if (key is "example" or "examples" or "nullable" or "discriminator" or "externalDocs" or "xml") continue;
            if (key.StartsWith("x-", StringComparison.Ordinal)) continue;
            if (key == "$ref" && value is JsonValue)
            {
                var name = ((string)value!)["#/components/schemas/".Length..];
                Collect(name, needed);
                result["$ref"] = $"#/$defs/{name}";
                continue;
            }

            result[key] = ToJsonSchema(value?.DeepClone(), needed);
        }

        var isNullable = schema["nullable"] is JsonValue flag && flag.TryGetValue<bool>(out var yes) && yes;
        if (!isNullable) return result;
        if (result["type"] is not JsonValue type) return new JsonObject { ["anyOf"] = new JsonArray(new JsonObject { ["type"] = "null" }, result) };
        result["type"] = new JsonArray(type.DeepClone(), "null");
        if (result["enum"] is JsonArray values) values.Add(null);
        return result;
    }
}
