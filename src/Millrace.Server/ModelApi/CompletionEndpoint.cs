using System.Collections.Immutable;
using System.Text.Json.Nodes;
using Millrace.Inference;

namespace Millrace.Server.ModelApi;

/// <summary><c>POST /v1/completions</c>: a text that the model goes on with, without a template.</summary>
static class CompletionEndpoint
{
    const int TokensStandard = 16;
    const int PromptsMax = 64;
    const int LogprobsMax = 5;

    public static async Task AnswerAsync(ApiCall call)
    {
        var body = await JsonBody.ReadAsync(call.Context);
        var model = call.FindModel(body);
        var (prompts, choices) = (Prompts(body), SamplingFields.Choices(body));
        if (body.Text("suffix") is { Length: > 0 }) throw body.Wrong("suffix", "is not supported: texts are gone on with at their end");
        if (body.Integer("best_of", 1, 20) is { } best && best != choices)
            throw body.Wrong("best_of", "is not supported: ask for 'n' and choose");
        var job = new ChatJob(
            model.Path, [], (int)(body.Integer("max_tokens", 1, int.MaxValue) ?? TokensStandard),
            SamplingFields.Read(body), SamplingFields.Stops(body))
        {
            Format = SamplingFields.Format(body, body.Object("response_format"), isFlat: false),
            Logprobs = (int?)body.Integer("logprobs", 0, LogprobsMax),
        };
        ImmutableArray<ChatJob> jobs =
            [.. prompts.SelectMany(prompt => Generation.Of(model.Name, job with { Prompt = prompt }, choices).Jobs)];
        var generation = new Generation(model.Name, jobs) { SharesPrompt = prompts.Length == 1 };
        var head = new Head(ApiCall.NewId("cmpl-"), call.Now, model.Name, body.Flag("echo"), generation);
        var includesUsage = SamplingFields.IncludesUsage(body);
        if (body.Flag("stream")) await StreamAsync(call, head, includesUsage);
        else await WholeAsync(call, head);
    }

    static ImmutableArray<string> Prompts(JsonBody body)
    {
        var prompts = body.Texts("prompt", PromptsMax);
        return prompts.IsEmpty ? throw body.Wrong("prompt", "is missing or empty") : prompts;
    }

    sealed record Head(string Id, long Created, string Model, bool Echoes, Generation Generation)
    {
        public string Echo(int choice) => Echoes ? Generation.Jobs[choice].Prompt! : "";

        public JsonObject Object(JsonArray choices) => new()
        {
            ["id"] = Id,
            ["object"] = "text_completion",
            ["created"] = Created,
            ["model"] = Model,
            ["choices"] = choices,
        };

        public JsonObject Choice(int choice, string text, int offset, IEnumerable<TokenChoice> tokens, string? finish) => new()
        {
            ["text"] = text,
            ["index"] = choice,
            ["logprobs"] = Generation.Jobs[choice].Logprobs is null ? null : Logprobs(tokens, offset),
            ["finish_reason"] = finish,
        };
    }

    static JsonObject Logprobs(IEnumerable<TokenChoice> tokens, int offset)
    {
        var (texts, chances, tops, offsets) = (new JsonArray(), new JsonArray(), new JsonArray(), new JsonArray());
        foreach (var token in tokens)
        {
            texts.Add(token.Text);
            chances.Add(ChatEndpoint.Finite(token.Logprob));
            var top = new JsonObject();
            foreach (var other in token.Top) top[other.Text] = ChatEndpoint.Finite(other.Logprob);
            tops.Add(top);
            offsets.Add(offset);
            offset += token.Text.Length;
        }

        return new() { ["tokens"] = texts, ["token_logprobs"] = chances, ["top_logprobs"] = tops, ["text_offset"] = offsets };
    }

    static async Task WholeAsync(ApiCall call, Head head)
    {
        var (answers, usage) = await call.GatherAsync(head.Generation);
        var answer = head.Object([.. answers.Select((one, i) => head.Choice(
            i, head.Echo(i) + one.Text, head.Echo(i).Length, one.Tokens, one.End.FinishReason))]);
        answer["usage"] = ChatEndpoint.UsageJson(usage);
        await call.WriteAsync(answer);
    }

    static async Task StreamAsync(ApiCall call, Head head, bool includesUsage)
    {
        var events = new EventStream(call.Context);
        var ends = new Dictionary<int, ChatEnd>();
        var lengths = new int[head.Generation.Jobs.Length];
        await foreach (var (choice, part) in call.GenerateAsync(head.Generation))
        {
            var text = (lengths[choice] == 0 ? head.Echo(choice) : "") + part.Text;
            var before = lengths[choice] == 0 ? head.Echo(choice).Length : lengths[choice];
            lengths[choice] += text.Length;
            if (part.End is { } end) ends[choice] = end;
            if (text.Length > 0 || !part.Tokens.IsEmpty || part.End is not null)
                await events.SendAsync(head.Object([head.Choice(choice, text, before, part.Tokens, part.End?.FinishReason)]));
        }

        if (includesUsage)
        {
            var last = head.Object([]);
            last["usage"] = ChatEndpoint.UsageJson(head.Generation.UsageOf(ends));
            await events.SendAsync(last);
        }

        await events.EndAsync();
    }
}
