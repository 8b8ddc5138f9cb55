using System.Collections.Immutable;
using System.Text.Json;

namespace Millrace.Inference.Worker;

/// <summary>How a model writes that it calls a tool: a JSON object between two marks.</summary>
/// <param name="Before">What stands before the object.</param>
/// <param name="After">What stands behind it.</param>
/// <param name="NameKey">The object's key for the tool's name.</param>
/// <param name="ArgumentsKey">The object's key for the arguments.</param>
sealed record CallSyntax(string Before, string After, string NameKey, string ArgumentsKey)
{
    /// <summary>What models are told to write whose templates know of no tools.</summary>
    public static CallSyntax Ours { get; } = new("<tool_call>\n", "\n</tool_call>", "name", "arguments");

    const string Tool = "probed_tool";

    static readonly ChatJob Question = new("", [new("user", "x")], 0, new(0, 1, 0), [])
    {
        Tools =
        [
            $$$$"""
            {"type":"function","function":{"name":"{{{{Tool}}}}","description":"Probes.",
            "parameters":{"type":"object","properties":{"probed_key":{"type":"string"}},"required":["probed_key"]}}}
            """,
        ],
    };

    /// <summary>Whether a template writes of tools at all.</summary>
    public static bool KnowsTools(ModelTemplate template)
    {
        try
        {
            return template.Render(Question).Contains(Tool, StringComparison.Ordinal);
        }
        catch (InferenceException)
        {
            // It may refuse them.
            return false;
        }
    }

    /// <summary>
    /// What the model's own template makes of a call: so it was trained. Null where it writes none as a JSON object with a
    /// name and arguments.
    /// </summary>
    public static CallSyntax? Probe(ModelTemplate template)
    {
        try
        {
            var call = new ChatTurn("assistant", "") { ToolCalls = [new("call00000", Tool, "{\"probed_key\":\"probed_value\"}")] };
            var asked = template.Render(Question);
            var called = template.Render(Question with { Turns = [.. Question.Turns, call] }, addsGenerationPrompt: false);
            var start = asked.Zip(called).TakeWhile(static pair => pair.First == pair.Second).Count();
            return Read(called[start..]);
        }
        catch (InferenceException)
        {
            return null;
        }
    }

    static CallSyntax? Read(string written)
    {
        var named = written.IndexOf(Tool, StringComparison.Ordinal);
        for (var at = named < 0 ? -1 : written.LastIndexOf('{', named); at >= 0; at = at == 0 ? -1 : written.LastIndexOf('{', at - 1))
        {
            var bytes = System.Text.Encoding.UTF8.GetBytes(written[at..]);
            var reader = new Utf8JsonReader(bytes, isFinalBlock: false, default);
            try
            {
                if (!JsonDocument.TryParseValue(ref reader, out var document)) continue;
                using (document)
                {
                    var entries = document.RootElement.EnumerateObject().ToList();
                    var name = entries.FindIndex(entry => entry.Value.ValueKind == JsonValueKind.String && entry.Value.GetString() == Tool);
                    var arguments = entries.FindIndex(static entry => entry.Value.ValueKind == JsonValueKind.Object);
                    if (name < 0 || arguments < 0) continue;
                    var behind = written[(at + System.Text.Encoding.UTF8.GetCharCount(bytes, 0, (int)reader.BytesConsumed))..];
                    // What closes the call stands on the same line or the next; then the turn ends.
                    var isClosed = behind.TrimStart().StartsWith("</", StringComparison.Ordinal);
                    var after = isClosed ? behind[..(behind.IndexOf('>', StringComparison.Ordinal) + 1)] : "";
                    return new(written[..at], after, entries[name].Name, entries[arguments].Name);
                }
            }
            catch (JsonException)
            {
                // No object begins here.
            }
        }

        return null;
    }

    /// <summary>Where this begins in an answer, a call begins.</summary>
    public string Mark => Before.Trim() is { Length: > 0 } mark ? mark : $"{{\"{NameKey}\"";

    /// <summary>The calls of these tools in a text that the grammar made; none where it is no call.</summary>
    public ImmutableArray<ToolCall> Read(string text, IEnumerable<string> tools)
    {
        var names = tools.ToHashSet();
        var calls = ImmutableArray.CreateBuilder<ToolCall>();
        for (var at = text.IndexOf('{', StringComparison.Ordinal); at >= 0; at = text.IndexOf('{', at))
        {
            if (ReadOne(text[at..]) is not var (call, length) || !names.Contains(call.Name)) break;
            calls.Add(call);
            at += length;
            if (at >= text.Length) break;
        }

        return calls.DrainToImmutable();
    }

    (ToolCall Call, int Length)? ReadOne(string text)
    {
        var bytes = System.Text.Encoding.UTF8.GetBytes(text);
        var reader = new Utf8JsonReader(bytes, isFinalBlock: false, default);
        try
        {
            if (!JsonDocument.TryParseValue(ref reader, out var document)) return null;
            using (document)
            {
                if (!document.RootElement.TryGetProperty(NameKey, out var name) || name.ValueKind != JsonValueKind.String
                    || !document.RootElement.TryGetProperty(ArgumentsKey, out var arguments))
                {
                    return null;
                }

                var length = System.Text.Encoding.UTF8.GetCharCount(bytes, 0, (int)reader.BytesConsumed);
                return (new($"call_{Guid.NewGuid():N}", name.GetString()!, arguments.GetRawText()), length);
            }
        }
        catch (JsonException)
        {
            return null;
        }
    }
}
