using System.Collections.Immutable;
using System.Runtime.InteropServices;
using System.Text.Json.Nodes;

namespace Millrace.Server.ModelApi;

/// <summary><c>POST /v1/embeddings</c>.</summary>
static class EmbeddingEndpoint
{
    const int TextsMax = 2048;

    public static async Task AnswerAsync(ApiCall call)
    {
        var body = await JsonBody.ReadAsync(call.Context);
        var (model, texts) = (call.FindModel(body), Texts(body));
        var isBase64 = body.Text("encoding_format") switch
        {
            null or "float" => false,
            "base64" => true,
            _ => throw body.Wrong("encoding_format", "is none of float and base64"),
        };
        var wanted = body.Integer("dimensions", 1, int.MaxValue);
        var found = await call.EmbedAsync(model, texts);
        if (wanted is { } dimensions && dimensions != found.Vectors[0].Length)
            throw body.Wrong("dimensions", $"is not {found.Vectors[0].Length}, the only size that '{model.Name}' has");
        await call.WriteAsync(new()
        {
            ["object"] = "list",
            ["data"] = new JsonArray([.. found.Vectors.Select((vector, i) => new JsonObject
            {
                ["object"] = "embedding",
                ["index"] = i,
                ["embedding"] = isBase64 ? Base64(vector) : new JsonArray([.. vector.Select(number => JsonValue.Create(number))]),
            })]),
            ["model"] = model.Name,
            ["usage"] = new JsonObject { ["prompt_tokens"] = found.PromptTokens, ["total_tokens"] = found.PromptTokens },
        });
    }

    static ImmutableArray<string> Texts(JsonBody body)
    {
        var texts = body.Texts("input", TextsMax);
        if (texts.IsEmpty) throw body.Wrong("input", "is missing or empty");
        return texts.Any(text => text.Length == 0) ? throw body.Wrong("input", "has an empty text") : texts;
    }

    // Little-endian 32-bit floats, as OpenAI's clients unpack them.
    static JsonValue Base64(ImmutableArray<float> vector) =>
        JsonValue.Create(Convert.ToBase64String(MemoryMarshal.AsBytes(vector.AsSpan())))!;
}
