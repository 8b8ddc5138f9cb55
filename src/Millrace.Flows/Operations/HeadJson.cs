using System.Text.Json;
using Millrace.Flows.Door;

namespace Millrace.Flows.Operations;

/// <summary>Fields of a built-in operation's head, each with the fault a guest can act on.</summary>
static class HeadJson
{
    /// <exception cref="InvalidRequestException">The head is no JSON object.</exception>
    public static JsonDocument Object(ReadOnlyMemory<byte> head, string operation)
    {
        try
        {
            var document = JsonText.Parse(head);
            if (document.RootElement.ValueKind == JsonValueKind.Object) return document;
            document.Dispose();
        }
        catch (JsonException)
        {
            // Said below, in the guest's words.
        }
        throw new InvalidRequestException($"The head of '{operation}' is not a JSON object.");
    }

    public static void RefuseOthers(JsonElement fields, ReadOnlySpan<string> known)
    {
        foreach (var field in fields.EnumerateObject())
        {
            if (!known.Contains(field.Name))
                throw new InvalidRequestException($"Unknown field '{Shortened(field.Name)}'.");
        }
    }

    public static string? Text(JsonElement fields, string name)
    {
        if (!fields.TryGetProperty(name, out var value) || value.ValueKind == JsonValueKind.Null) return null;
        return value.ValueKind == JsonValueKind.String
            ? value.GetString()
            : throw new InvalidRequestException($"'{name}' is a text.");
    }

    public static long? Integer(JsonElement fields, string name, long min, long max)
    {
        if (!fields.TryGetProperty(name, out var value) || value.ValueKind == JsonValueKind.Null) return null;
        var isNumber = value.ValueKind == JsonValueKind.Number;
        return isNumber && value.TryGetInt64(out var number) && number >= min && number <= max
            ? number
            : throw new InvalidRequestException($"'{name}' is a whole number from {min} to {max}.");
    }

    public static double? Number(JsonElement fields, string name, double min, double max)
    {
        if (!fields.TryGetProperty(name, out var value) || value.ValueKind == JsonValueKind.Null) return null;
        var isNumber = value.ValueKind == JsonValueKind.Number;
        return isNumber && value.TryGetDouble(out var number) && number >= min && number <= max
            ? number
            : throw new InvalidRequestException($"'{name}' is a number from {min} to {max}.");
    }

    static string Shortened(string text) => text.Length <= 40 ? text : text[..40] + "…";
}
