using System.Text.Json;
using Json.Schema;

namespace Millrace.Flows.Manifests;

/// <summary>The JSON schema of an operation's head.</summary>
sealed class HeadSchema
{
    readonly JsonSchema _schema;

    HeadSchema(JsonSchema schema) => _schema = schema;

    public static HeadSchema Read(string path, ReadOnlyMemory<byte> bytes)
    {
        try
        {
            // A registry of its own: two packages may use one `$id`, and a deployed schema must not meet an older one.
            var options = new BuildOptions { SchemaRegistry = new SchemaRegistry() };
            using var document = JsonDocument.Parse(bytes);
            return new HeadSchema(JsonSchema.Build(document.RootElement.Clone(), options));
        }
        catch (JsonException e)
        {
            throw new ManifestException(path, (int)(e.LineNumber ?? 0) + 1, (int)(e.BytePositionInLine ?? 0) + 1,
                "not valid JSON");
        }
        catch (Exception e) when (e is JsonSchemaException or RefResolutionException or ArgumentException
            or InvalidOperationException)
        {
            throw new ManifestException(path, 0, 0, $"not a valid JSON schema: {e.Message}");
        }
    }

    /// <summary>Why the head does not fit, in one sentence; null when it does.</summary>
    public string? Fault(ReadOnlyMemory<byte> head)
    {
        try
        {
            using var document = JsonDocument.Parse(head);
            return Fault(document.RootElement);
        }
        catch (JsonException)
        {
            return "the head is not JSON";
        }
    }

    string? Fault(JsonElement head)
    {
        var results = _schema.Evaluate(head, new EvaluationOptions { OutputFormat = OutputFormat.List });
        if (results.IsValid) return null;
        foreach (var detail in results.Details ?? [])
        {
            if (detail.IsValid || detail.Errors is not { Count: > 0 } errors) continue;
            var place = detail.InstanceLocation.ToString();
            var (keyword, message) = errors.First();
            return $"{(place.Length == 0 ? "the head" : place)}: {(message.Length == 0 ? keyword : message)}";
        }
        return "the head does not fit the schema";
    }
}
