using System.Collections.Immutable;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Millrace.Flows.Operations;

/// <summary>The head of <c>llm.chat</c>, checked.</summary>
/// <param name="Model">Null: the default one.</param>
sealed record ChatHead(
    string? Model, ImmutableArray<ChatMessage> Messages, int MaxTokens, double? Temperature, double? TopP,
    ImmutableArray<string> Stop, long? Seed, TimeSpan? Timeout)
{
    const int MessagesMax = 1024;
    const int StopMax = 8;
    const int TokensMax = 1_000_000;

    static readonly TimeSpan TimeoutMax = TimeSpan.FromHours(1);

    /// <summary>UTF-8 bytes of the conversation.</summary>
    public long Bytes => Messages.Sum(message => (long)Encoding.UTF8.GetByteCount(message.Content));

    /// <exception cref="InvalidRequestException">It is not as the contract says.</exception>
    public static ChatHead Read(ReadOnlyMemory<byte> head)
    {
        using var document = HeadJson.Object(head, "llm.chat");
        var fields = document.RootElement;
        HeadJson.RefuseOthers(fields,
            ["model", "messages", "max_tokens", "temperature", "top_p", "stop", "seed", "timeout_ms"]);
        var maxTokens = HeadJson.Integer(fields, "max_tokens", 1, TokensMax)
            ?? throw new InvalidRequestException("'max_tokens' is missing: without it a call has no known cost.");
        var timeout = HeadJson.Integer(fields, "timeout_ms", 1, (long)TimeoutMax.TotalMilliseconds);
        return new ChatHead(
            HeadJson.Text(fields, "model"), ReadMessages(fields), (int)maxTokens,
            HeadJson.Number(fields, "temperature", 0, 2), HeadJson.Number(fields, "top_p", 0, 1), ReadStop(fields),
            HeadJson.Integer(fields, "seed", long.MinValue, long.MaxValue),
            timeout is { } ms ? TimeSpan.FromMilliseconds(ms) : null);
    }

    static ImmutableArray<ChatMessage> ReadMessages(JsonElement fields)
    {
        if (!fields.TryGetProperty("messages", out var list) || list.ValueKind != JsonValueKind.Array
            || list.GetArrayLength() is 0 or > MessagesMax)
        {
            throw new InvalidRequestException($"'messages' is a list of 1 to {MessagesMax} messages.");
        }
        return [.. list.EnumerateArray().Select(ReadMessage)];
    }

    static ChatMessage ReadMessage(JsonElement message)
    {
        if (message.ValueKind != JsonValueKind.Object) throw new InvalidRequestException("A message is an object.");
        HeadJson.RefuseOthers(message, ["role", "content"]);
        var role = HeadJson.Text(message, "role");
        if (role is not ("system" or "user" or "assistant"))
            throw new InvalidRequestException("A message's 'role' is system, user or assistant.");
        var content = HeadJson.Text(message, "content")
            ?? throw new InvalidRequestException("A message's 'content' is missing.");
        return new ChatMessage(role, content);
    }

    static ImmutableArray<string> ReadStop(JsonElement fields)
    {
        if (!fields.TryGetProperty("stop", out var stop) || stop.ValueKind == JsonValueKind.Null) return [];
        if (stop.ValueKind != JsonValueKind.Array || stop.GetArrayLength() > StopMax
            || stop.EnumerateArray().Any(item => item.ValueKind != JsonValueKind.String || item.ValueEquals("")))
        {
            throw new InvalidRequestException($"'stop' is a list of at most {StopMax} texts.");
        }
        return [.. stop.EnumerateArray().Select(item => item.GetString()!)];
    }

    /// <summary>The head that an integration gets, with the model named.</summary>
    public byte[] For(string model)
    {
        var head = new JsonObject
        {
            ["model"] = model,
            ["messages"] = new JsonArray([.. Messages.Select(message => (JsonNode)new JsonObject
            {
                ["role"] = message.Role, ["content"] = message.Content,
            })]),
            ["max_tokens"] = MaxTokens,
        };
        if (Temperature is { } temperature) head["temperature"] = temperature;
        if (TopP is { } topP) head["top_p"] = topP;
        if (!Stop.IsEmpty) head["stop"] = new JsonArray([.. Stop.Select(text => (JsonNode)text)]);
        if (Seed is { } seed) head["seed"] = seed;
        if (Timeout is { } timeout) head["timeout_ms"] = (long)timeout.TotalMilliseconds;
        return JsonSerializer.SerializeToUtf8Bytes(head);
    }
}
