using System.Text.Json.Nodes;
using Millrace.Flows.Door;
using Millrace.Flows.Operations;
using Millrace.Sandbox;

namespace Millrace.Flows.Execution;

/// <summary>Asks a remote model outside any run: by its integration, as a run would.</summary>
static class ModelProbe
{
    static readonly TimeSpan TimeMax = TimeSpan.FromMinutes(2);

    public static async Task<ChatAnswer> AskAsync(
        Node node, ModelRoute route, ChatRequest request, CancellationToken cancel)
    {
        var head = new ChatHead(
            route.Name, request.Messages, request.MaxTokens, request.Temperature, request.TopP, request.Stop,
            request.Seed, TimeMax);
        var operation = new OperationRequest(route.Operation!, head.For(route.Name), default);
        var result = await Probe.AskAsync(node, route.Connection!, operation, TimeMax, cancel);
        var answer = JsonText.Object(result.Head) ?? [];
        if (result.State == ResultState.Error)
        {
            var type = Text(answer, "type");
            throw new LanguageModelException(
                type, Text(answer, "detail"), type is ErrorResult.RateLimited or ErrorResult.Unavailable);
        }
        var usage = answer["usage"] as JsonObject ?? [];
        return new(
            Text(answer, "content"), Text(answer, "finish_reason"), Count(usage, "prompt_tokens"),
            Count(usage, "completion_tokens"));
    }

    static string Text(JsonObject head, string name) =>
        head[name] is JsonValue value && value.TryGetValue(out string? text) ? text : "";

    static int Count(JsonObject usage, string name) =>
        usage[name] is JsonValue value && value.TryGetValue(out int count) ? count : 0;
}
