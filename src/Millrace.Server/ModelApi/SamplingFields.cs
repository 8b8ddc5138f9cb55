using System.Collections.Immutable;
using System.Globalization;
using System.Security.Cryptography;
using System.Text.Json;
using Millrace.Inference;

namespace Millrace.Server.ModelApi;

/// <summary>Fields that all kinds of completions share: OpenAI's, and llama.cpp's where OpenAI has none.</summary>
static class SamplingFields
{
    const int StopsMax = 16;
    const int BiasesMax = 1024;
    const int ChoicesMax = 16;

    public static Sampling Read(JsonBody body) => new(
        body.Number("temperature", 1, 0, 2), body.Number("top_p", 1, 0, 1), Seed(body))
    {
        TopK = (int)(body.Integer("top_k", 0, int.MaxValue) ?? 0),
        MinP = body.Number("min_p", 0, 0, 1),
        TypicalP = body.Number("typical_p", 1, 0, 1),
        RepeatPenalty = body.Number("repeat_penalty", 1, 0, 10),
        PresencePenalty = body.Number("presence_penalty", 0, -2, 2),
        FrequencyPenalty = body.Number("frequency_penalty", 0, -2, 2),
        LogitBias = Biases(body),
    };

    /// <summary>Without a seed each answer is another one.</summary>
    static uint Seed(JsonBody body) => body.Integer("seed", long.MinValue, long.MaxValue) is { } seed
        ? unchecked((uint)seed) : (uint)RandomNumberGenerator.GetInt32(int.MaxValue);

    static ImmutableDictionary<int, double> Biases(JsonBody body)
    {
        if (body.Object("logit_bias") is not { } map) return ImmutableDictionary<int, double>.Empty;
        // Each is looked up by its name below, and names may come again and again.
        if (map.Json.GetPropertyCount() > BiasesMax) throw body.Wrong("logit_bias", $"has more than {BiasesMax} entries");
        var biases = ImmutableDictionary.CreateBuilder<int, double>();
        foreach (var entry in map.Json.EnumerateObject())
        {
            if (!int.TryParse(entry.Name, NumberStyles.None, CultureInfo.InvariantCulture, out var token))
                throw map.Wrong(entry.Name, "is no token's number");
            biases[token] = map.Number(entry.Name, 0, -100, 100);
        }

        return biases.ToImmutable();
    }

    public static ImmutableArray<string> Stops(JsonBody body)
    {
        var stops = body.Texts("stop", StopsMax);
        return stops.Any(stop => stop.Length == 0) ? throw body.Wrong("stop", "has an empty text") : stops;
    }

    public static int Choices(JsonBody body) => (int)(body.Integer("n", 1, ChoicesMax) ?? 1);

    /// <summary>Whether a stream ends with what was used.</summary>
    public static bool IncludesUsage(JsonBody body)
    {
        if (body.Object("stream_options") is not { } options) return false;
        return body.Flag("stream") ? options.Flag("include_usage") : throw body.Wrong("stream_options", "goes with 'stream': true");
    }

    /// <summary>The form of the answer, from <c>response_format</c>, <c>text.format</c> or the extension <c>grammar</c>.</summary>
    public static AnswerFormat Format(JsonBody body, JsonBody? format, bool isFlat)
    {
        if (body.Text("grammar") is { Length: > 0 } grammar)
        {
            return format is null ? AnswerFormat.Grammar(grammar)
                : throw body.Wrong("grammar", "and a response format exclude each other");
        }

        if (format is null) return AnswerFormat.Text;
        return format.RequiredText("type") switch
        {
            "text" => AnswerFormat.Text,
            "json_object" => AnswerFormat.JsonObject,
            "json_schema" => Schema(
                format, isFlat ? format : format.Object("json_schema") ?? throw format.Wrong("json_schema", "is missing")),
            _ => throw format.Wrong("type", "is none of text, json_object and json_schema"),
        };
    }

    static AnswerFormat Schema(JsonBody format, JsonBody holder) => holder.Find("schema") switch
    {
        { ValueKind: JsonValueKind.Object } schema => AnswerFormat.JsonSchema(schema.GetRawText()),
        null when format != holder => AnswerFormat.JsonObject,
        _ => throw holder.Wrong("schema", "is not an object"),
    };
}
