using System.Text.Json;

namespace Millrace.Inference.Tests.Grammars;

/// <summary>A model of 135 million parameters answers with what the schema says, whatever it thinks.</summary>
public sealed class SchemaAnswersTests : IAsyncLifetime
{
    const int AtOnce = 8;

    readonly LocalWorker _worker = new();
    int _tokens;

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync() => await _worker.DisposeAsync();

    static int Count => LongRun.IsOn ? 1000 : 40;

    [SkippableFact]
    public async Task Every_answer_meets_its_schema()
    {
        var model = LocalWorker.Given("SmolLM2-135M-Instruct.Q4_1.gguf");
        var begun = TimeProvider.System.GetUtcNow();

        for (var first = 0; first < Count; first += AtOnce)
        {
            var faults = await Task.WhenAll(Enumerable.Range(first, AtOnce).Select(seed => FaultAsync(model, seed)));
            Assert.Equal([], faults.OfType<string>());
        }

        LongRun.Write(
            "SCHEMAS.md", "Answers that must meet a schema", "FullyQualifiedName~SchemaAnswersTests", begun,
            $"SmolLM2-135M-Instruct.Q4_1.gguf answered to {Count} different random schemas (seeds 0 to {Count - 1}, {AtOnce} at once, every",
            $"other one at temperature 1). All {Count} answers were whole, parsed as JSON, and met their schema by a checker that knows",
            $"nothing of the grammar; {_tokens} tokens were written.");
    }

    async Task<string?> FaultAsync(string model, int seed)
    {
        var schema = new RandomSchema(seed).Next().ToJsonString();
        var job = new ChatJob(
            model, [new("user", "Describe a shop in a town as JSON.")], 600, new(seed % 2 == 0 ? 0 : 1, 1, (uint)seed), [])
        {
            Format = AnswerFormat.JsonSchema(schema),
        };
        var reply = await _worker.Client.ChatAsync(job, _worker.Timeout);
        Interlocked.Add(ref _tokens, reply.CompletionTokens);
        if (reply.FinishReason != "stop") return $"{seed}: ended by {reply.FinishReason}: {reply.Content} for {schema}";
        using var rules = JsonDocument.Parse(schema);
        using var answer = JsonDocument.Parse(reply.Content);
        return SchemaCheck.Fault(answer.RootElement, rules.RootElement, rules.RootElement) is { } fault ? $"{seed}: {fault}" : null;
    }

    [SkippableFact]
    public async Task A_forced_tool_call_is_valid_for_the_tool()
    {
        var model = LocalWorker.Given("SmolLM2-135M-Instruct.Q4_1.gguf");
        const string City = """{"type":"string","minLength":1,"maxLength":20}""";
        const string Parameters =
            $$$"""{"type":"object","properties":{"city":{{{City}}},"unit":{"enum":["C","F"]}},"required":["city","unit"]}""";
        var job = new ChatJob(model, [new("user", "How warm is it in Paris?")], 200, new(0, 1, 1), [])
        {
            Tools = [$$"""{"type":"function","function":{"name":"weather","parameters":{{Parameters}} } }"""],
            ToolChoice = "required",
        };

        var reply = await _worker.Client.ChatAsync(job, _worker.Timeout);

        Assert.Equal("tool_calls", reply.FinishReason);
        Assert.Equal("", reply.Content);
        var call = Assert.Single(reply.ToolCalls);
        using var rules = JsonDocument.Parse(Parameters);
        using var arguments = JsonDocument.Parse(call.Arguments);
        Assert.Equal("weather", call.Name);
        Assert.Null(SchemaCheck.Fault(arguments.RootElement, rules.RootElement, rules.RootElement));
    }

    [SkippableFact]
    public async Task A_cut_answer_says_length_and_is_no_call()
    {
        var model = LocalWorker.Given("SmolLM2-135M-Instruct.Q4_1.gguf");
        var job = new ChatJob(model, [new("user", "x")], 3, new(0, 1, 1), [])
        {
            Tools = ["""{"type":"function","function":{"name":"weather"}}"""],
            ToolChoice = "weather",
        };

        var reply = await _worker.Client.ChatAsync(job, _worker.Timeout);

        Assert.Equal("length", reply.FinishReason);
        Assert.Empty(reply.ToolCalls);
    }

    [SkippableTheory]
    [InlineData("root ::= nothing")]
    [InlineData("root ::= \"a")]
    [InlineData("root ::= root \"a\"")]
    [InlineData("tree ::= \"a\"")]
    [InlineData("")]
    public async Task A_grammar_that_cannot_be_parsed_is_an_error_and_the_worker_lives_on(string grammar)
    {
        var job = new ChatJob(LocalWorker.Tiny, [new("user", "x")], 3, new(0, 1, 1), []) { Format = AnswerFormat.Grammar(grammar) };

        var error = await Assert.ThrowsAsync<InferenceException>(() => _worker.Client.ChatAsync(job, _worker.Timeout));
        var reply = await _worker.Client.ChatAsync(job with { Format = AnswerFormat.Text }, _worker.Timeout);

        Assert.Equal("invalid", error.Type);
        Assert.False(error.IsTransient);
        Assert.NotEmpty(reply.Content);
    }
}
