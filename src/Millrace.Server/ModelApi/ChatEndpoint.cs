using System.Collections.Immutable;
using System.Text.Json.Nodes;
using Millrace.Inference;

namespace Millrace.Server.ModelApi;

/// <summary><c>POST /v1/chat/completions</c>.</summary>
static class ChatEndpoint
{
    public static async Task AnswerAsync(ApiCall call)
    {
        var body = await JsonBody.ReadAsync(call.Context);
        var model = call.FindModel(body);
        var job = ChatBody.Read(body, model.Path);
        var (isStream, includesUsage) = (body.Flag("stream"), SamplingFields.IncludesUsage(body));
        var generation = Generation.Of(model.Name, job, SamplingFields.Choices(body));
        var head = new Head(ApiCall.NewId("chatcmpl-"), call.Now, model.Name, job.Logprobs is not null, ToolFields.CallsMax(body));
        if (isStream) await StreamAsync(call, generation, head, includesUsage);
        else await WholeAsync(call, generation, head);
    }

    /// <summary>What all pieces of an answer begin with.</summary>
    sealed record Head(string Id, long Created, string Model, bool HasLogprobs, int CallsMax)
    {
        public JsonObject Object(string kind, JsonArray choices) => new()
        {
            ["id"] = Id,
            ["object"] = kind,
            ["created"] = Created,
            ["model"] = Model,
            ["choices"] = choices,
        };

        public JsonObject Chunk(int choice, JsonObject delta, JsonNode? logprobs, string? finish) => Object("chat.completion.chunk",
        [
            new JsonObject { ["index"] = choice, ["delta"] = delta, ["logprobs"] = logprobs, ["finish_reason"] = finish },
        ]);

        public JsonObject? Logprobs(IEnumerable<TokenChoice> tokens) => HasLogprobs
            ? new JsonObject { ["content"] = new JsonArray([.. tokens.Select(token => TokenJson(token, true))]), ["refusal"] = null }
            : null;

        public ImmutableArray<ToolCall> Calls(ChatEnd end) => [.. end.ToolCalls.Take(CallsMax)];
    }

    static async Task WholeAsync(ApiCall call, Generation generation, Head head)
    {
        var (answers, usage) = await call.GatherAsync(generation);
        var choices = new JsonArray([.. answers.Select((one, i) => new JsonObject
        {
            ["index"] = i,
            ["message"] = Message(one.Text, head.Calls(one.End)),
            ["logprobs"] = head.Logprobs(one.Tokens),
            ["finish_reason"] = one.End.FinishReason,
        })]);
        var answer = head.Object("chat.completion", choices);
        answer["usage"] = UsageJson(usage);
        await call.WriteAsync(answer);
    }

    static JsonObject Message(string text, ImmutableArray<ToolCall> calls)
    {
        var message = new JsonObject
        {
            ["role"] = "assistant",
            ["content"] = calls.IsEmpty || text.Length > 0 ? text : null,
            ["refusal"] = null,
        };
        if (!calls.IsEmpty) message["tool_calls"] = new JsonArray([.. calls.Select((one, _) => CallJson(one))]);
        return message;
    }

    static async Task StreamAsync(ApiCall call, Generation generation, Head head, bool includesUsage)
    {
        var events = new EventStream(call.Context);
        var ends = new Dictionary<int, ChatEnd>();
        var begun = new HashSet<int>();
        Task SendAsync(JsonObject chunk)
        {
            if (includesUsage) chunk["usage"] = null;
            return events.SendAsync(chunk);
        }

        await foreach (var (choice, part) in call.GenerateAsync(generation))
        {
            if (begun.Add(choice)) await SendAsync(head.Chunk(choice, new() { ["role"] = "assistant", ["content"] = "" }, null, null));
            if (part.Text.Length > 0 || !part.Tokens.IsEmpty)
                await SendAsync(head.Chunk(choice, new() { ["content"] = part.Text }, head.Logprobs(part.Tokens), null));
            if (part.End is not { } end) continue;
            ends[choice] = end;
            var calls = head.Calls(end);
            for (var i = 0; i < calls.Length; i++)
            {
                var json = CallJson(calls[i]);
                json["index"] = i;
                await SendAsync(head.Chunk(choice, new() { ["tool_calls"] = new JsonArray(json) }, null, null));
            }

            await SendAsync(head.Chunk(choice, [], null, end.FinishReason));
        }

        if (includesUsage)
        {
            var last = head.Object("chat.completion.chunk", []);
            last["usage"] = UsageJson(generation.UsageOf(ends));
            await events.SendAsync(last);
        }

        await events.EndAsync();
    }

    static JsonObject CallJson(ToolCall call) => new()
    {
        ["id"] = call.Id,
        ["type"] = "function",
        ["function"] = new JsonObject { ["name"] = call.Name, ["arguments"] = call.Arguments },
    };

    static JsonObject TokenJson(TokenChoice token, bool hasTop)
    {
        var json = new JsonObject
        {
            ["token"] = token.Text,
            ["logprob"] = Finite(token.Logprob),
            ["bytes"] = new JsonArray([.. token.Bytes.Select(one => JsonValue.Create((int)one))]),
        };
        if (hasTop) json["top_logprobs"] = new JsonArray([.. token.Top.Select(other => TokenJson(other, false))]);
        return json;
    }

    /// <summary>JSON has no infinity: what cannot be has the API's word for it.</summary>
    public static double Finite(double logprob) => double.IsFinite(logprob) ? logprob : -9999.0;

    public static JsonObject UsageJson(Usage usage) => new()
    {
        ["prompt_tokens"] = usage.Prompt,
        ["completion_tokens"] = usage.Completion,
        ["total_tokens"] = usage.Total,
        ["prompt_tokens_details"] = new JsonObject { ["cached_tokens"] = usage.Cached },
    };
}
