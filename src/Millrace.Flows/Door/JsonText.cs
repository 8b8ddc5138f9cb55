using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Unicode;

namespace Millrace.Flows.Door;

/// <summary>
/// Reads JSON that others wrote. Its texts are checked at once: JSON's grammar admits half a surrogate pair, which no
/// string in UTF-8 holds (RFC 7493, 2.1), and the parser finds out only when somebody reads that text.
/// </summary>
static class JsonText
{
    static readonly JsonDocumentOptions Strict = new() { AllowDuplicateProperties = false };

    /// <exception cref="JsonException">It is not JSON, or a text in it is not Unicode.</exception>
    public static JsonDocument Parse(ReadOnlyMemory<byte> json)
    {
        CheckTexts(json.Span);
        return JsonDocument.Parse(json);
    }

    /// <summary>The object; null when it is none, or one that names a field twice.</summary>
    public static JsonObject? Object(ReadOnlyMemory<byte> json)
    {
        try
        {
            CheckTexts(json.Span);
            return JsonNode.Parse(json.Span, null, Strict) as JsonObject;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    static void CheckTexts(ReadOnlySpan<byte> json)
    {
        if (!Utf8.IsValid(json)) throw new JsonException("It is not UTF-8.");
        var reader = new Utf8JsonReader(json);
        while (reader.Read())
        {
            // Where nothing is escaped the text is what was checked above.
            if (!reader.ValueIsEscaped) continue;
            try
            {
                reader.GetString();
            }
            catch (InvalidOperationException fault)
            {
                throw new JsonException("A text in it is not Unicode.", fault);
            }
        }
    }
}
