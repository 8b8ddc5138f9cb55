using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Json.Nodes;
using Millrace.Inference;

namespace Millrace.Server.ModelApi;

/// <summary>A response as it is written: what was asked, and what came of it.</summary>
/// <param name="body">The request.</param>
/// <param name="job">What it became.</param>
/// <param name="id">Names the response.</param>
/// <param name="created">When it began.</param>
/// <param name="model">The model that answers.</param>
/// <param name="callsMax">How many tools it may call.</param>
sealed class ResponseJson(JsonBody body, ChatJob job, string id, long created, string model, int callsMax)
{
    public JsonObject Begun() => Of("in_progress", [], null);

    public JsonObject Failed(ApiException failure)
    {
        var failed = Of("failed", [], null);
        failed["error"] = new JsonObject { ["code"] = ApiException.ServerError, ["message"] = failure.Message };
        return failed;
    }

    public JsonObject Ended(JsonArray output, ChatEnd end)
    {
        var ended = Of(StatusOf(end), output, new()
        {
            ["input_tokens"] = end.PromptTokens,
            ["input_tokens_details"] = new JsonObject { ["cached_tokens"] = end.CachedTokens },
            ["output_tokens"] = end.CompletionTokens,
            ["output_tokens_details"] = new JsonObject { ["reasoning_tokens"] = 0 },
            ["total_tokens"] = end.PromptTokens + end.CompletionTokens,
        });
        if (end.FinishReason == "length") ended["incomplete_details"] = new JsonObject { ["reason"] = "max_output_tokens" };
        return ended;
    }

    public static string StatusOf(ChatEnd end) => end.FinishReason == "length" ? "incomplete" : "completed";

    public ImmutableArray<ToolCall> Calls(ChatEnd end) => [.. end.ToolCalls.Take(callsMax)];

    JsonObject Of(string status, JsonArray output, JsonObject? usage) => new()
    {
        ["id"] = id,
        ["object"] = "response",
        ["created_at"] = created,
        ["status"] = status,
        ["error"] = null,
        ["incomplete_details"] = null,
        ["instructions"] = Echo("instructions"),
        ["max_output_tokens"] = Echo("max_output_tokens"),
        ["metadata"] = Echo("metadata") ?? new JsonObject(),
        ["model"] = model,
        ["output"] = output,
        ["parallel_tool_calls"] = callsMax > 1,
        ["previous_response_id"] = null,
        ["store"] = false,
        ["temperature"] = job.Sampling.Temperature,
        ["text"] = Echo("text") ?? new JsonObject { ["format"] = new JsonObject { ["type"] = "text" } },
        ["tool_choice"] = Echo("tool_choice") ?? "auto",
        ["tools"] = Echo("tools") ?? new JsonArray(),
        ["top_p"] = job.Sampling.TopP,
        ["truncation"] = "disabled",
        ["usage"] = usage,
    };

    JsonNode? Echo(string name) => body.Find(name) is { } value ? JsonSerializer.SerializeToNode(value) : null;

    public static JsonObject Message(string id, string text, string status) => new()
    {
        ["id"] = id,
        ["type"] = "message",
        ["role"] = "assistant",
        ["status"] = status,
        ["content"] = new JsonArray(Text(text)),
    };

    public static JsonObject Text(string text) => new()
    {
        ["type"] = "output_text",
        ["text"] = text,
        ["annotations"] = new JsonArray(),
        ["logprobs"] = new JsonArray(),
    };

    public static JsonObject Call(string id, ToolCall call, string status) => new()
    {
        ["id"] = id,
        ["type"] = "function_call",
        ["call_id"] = call.Id,
        ["name"] = call.Name,
        ["arguments"] = call.Arguments,
        ["status"] = status,
    };
}
