using Millrace.Inference.Worker;

namespace Millrace.Inference.Tests.Worker;

/// <summary>Many requests at once in one worker.</summary>
public sealed class BatchTests : IAsyncLifetime
{
    static readonly string[] Questions =
    [
        "What is the capital of France?", "What is 12 plus 15?", "Count from 4 to 9.", "Who are you?",
        "What is the capital of Italy?", "What is 3 plus 4?", "Count from 2 to 5.", "What is the opposite of hot?",
    ];

    LocalWorker _worker = new();

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync() => await _worker.DisposeAsync();

    static ChatJob Ask(string model, string text, int maxTokens = 40) =>
        new(model, [new("user", text)], maxTokens, new(0, 1, 1), []);

    [SkippableFact]
    public async Task Answers_side_by_side_are_the_answers_alone()
    {
        var model = LocalWorker.Tiny;
        var alone = new List<string>();
        foreach (var question in Questions)
            alone.Add((await _worker.Client.ChatAsync(Ask(model, question), _worker.Timeout)).Content);

        // More than are computed at once.
        var together = await Task.WhenAll(Enumerable.Range(0, 40).Select(
            i => _worker.Client.ChatAsync(Ask(model, Questions[i % Questions.Length]), _worker.Timeout)));

        Assert.Equal(Enumerable.Range(0, 40).Select(i => alone[i % Questions.Length]), together.Select(static reply => reply.Content));
    }

    [SkippableFact]
    public async Task A_beginning_that_was_read_before_is_not_read_again()
    {
        var model = LocalWorker.Tiny;
        var system = string.Concat(Enumerable.Repeat("You are a friendly and careful helper. ", 10));
        ChatJob Job(string question) => Ask(model, question) with { Turns = [new("system", system), new("user", question)] };

        var first = await _worker.Client.ChatAsync(Job(Questions[0]), _worker.Timeout);
        var others = await Task.WhenAll(Questions[1..].Select(question => _worker.Client.ChatAsync(Job(question), _worker.Timeout)));

        Assert.Equal(0, first.CachedTokens);
        Assert.All(others, reply => Assert.InRange(reply.CachedTokens, reply.PromptTokens - 25, reply.PromptTokens - 1));
    }

    [SkippableFact]
    public async Task A_beginning_that_is_being_read_is_read_once()
    {
        var model = LocalWorker.Tiny;
        var system = string.Concat(Enumerable.Repeat("You are a friendly and careful helper. ", 10));

        var replies = await Task.WhenAll(Questions.Select(question => _worker.Client.ChatAsync(
            Ask(model, question) with { Turns = [new("system", system), new("user", question)] }, _worker.Timeout)));

        Assert.InRange(replies.Count(static reply => reply.CachedTokens == 0), 1, 2);
    }

    [SkippableFact]
    public async Task Answers_that_need_more_memory_together_than_there_is_all_come()
    {
        var model = LocalWorker.Tiny;
        await _worker.DisposeAsync();
        _worker = new(new(LocalWorker.Command) { ContextTokensMax = 256 });
        // As long as it may be, whatever the model would say.
        var format = AnswerFormat.Grammar("root ::= [a-z ]{1000}");

        var replies = await Task.WhenAll(Enumerable.Range(0, 16).Select(i => _worker.Client.ChatAsync(
            Ask(model, $"{Questions[i % 8]} {i}", 200) with { Format = format }, _worker.Timeout)));

        Assert.All(replies, static reply => Assert.Equal(("length", 200), (reply.FinishReason, reply.CompletionTokens)));
    }

    [SkippableFact]
    public async Task Who_stops_reading_stops_the_model()
    {
        var model = LocalWorker.Given("SmolLM2-135M-Instruct.Q4_1.gguf");
        // Nobody else gets a turn before one of them ends, and by themselves they would take longer than this test may.
        var endless = Enumerable.Range(0, Batcher.AtWorkMax).Select(async i =>
        {
            var job = Ask(model, $"{i}", -1) with { Format = AnswerFormat.Grammar("root ::= [a-z ]*") };
            await foreach (var part in _worker.Client.StreamAsync(job, _worker.Timeout))
            {
                if (part.Text.Length > 0) break;
            }
        });
        await Task.WhenAll(endless);

        var worker = _worker.Client.WorkerId;
        var reply = await _worker.Client.ChatAsync(Ask(model, Questions[0], 1), _worker.Timeout);

        Assert.Equal(1, reply.CompletionTokens);
        Assert.Equal(worker, _worker.Client.WorkerId);
    }

    [SkippableFact]
    public async Task Parts_make_the_answer_and_chances_come_with_its_tokens()
    {
        var job = Ask(LocalWorker.Tiny, Questions[0]) with { Logprobs = 3 };

        var parts = new List<ChatPart>();
        await foreach (var part in _worker.Client.StreamAsync(job, _worker.Timeout)) parts.Add(part);
        var tokens = parts.SelectMany(static part => part.Tokens).ToList();

        Assert.Equal("The capital of France is Paris.", string.Concat(parts.Select(static part => part.Text)));
        Assert.True(parts.Count > 3);
        Assert.Equal(parts[^1].End!.CompletionTokens, tokens.Count);
        Assert.All(tokens, static token =>
        {
            Assert.Equal(3, token.Top.Length);
            Assert.Equal(token.Text, token.Top[0].Text);
            Assert.InRange(token.Logprob, -20, 0);
            Assert.InRange(token.Top.Sum(static top => Math.Exp(top.Logprob)), 0, 1.0001);
        });
    }

    [SkippableFact]
    public async Task The_same_seed_gives_the_same_answer_and_a_bias_forbids_a_token()
    {
        var model = LocalWorker.Tiny;
        var job = Ask(model, "Tell me a story.") with { Sampling = new(1, 0.9, 7) { TopK = 20, MinP = 0.02, RepeatPenalty = 1.1 } };
        var first = await _worker.Client.ChatAsync(job, _worker.Timeout);
        var second = await _worker.Client.ChatAsync(job, _worker.Timeout);
        var the = (await _worker.Client.TokenizeAsync(model, "The", _worker.Timeout))[^1];

        var biased = await _worker.Client.ChatAsync(
            Ask(model, Questions[0]) with { Sampling = new(0, 1, 1) { LogitBias = Sampling(the) } }, _worker.Timeout);

        Assert.Equal(first.Content, second.Content);
        Assert.False(biased.Content.StartsWith("The ", StringComparison.Ordinal));

        static System.Collections.Immutable.ImmutableDictionary<int, double> Sampling(int token) =>
            System.Collections.Immutable.ImmutableDictionary<int, double>.Empty.Add(token, -100);
    }

    [SkippableFact]
    public async Task Models_take_turns_where_only_one_fits()
    {
        var (tiny, stories) = (LocalWorker.Tiny, LocalWorker.Given("stories260K.gguf"));
        await _worker.DisposeAsync();
        _worker = new(new(LocalWorker.Command) { MemoryBytesMax = 1_500_000 });

        for (var i = 0; i < 3; i++)
        {
            Assert.Equal("llama", (await _worker.Client.DescribeAsync(stories, _worker.Timeout)).Architecture);
            Assert.NotEmpty((await _worker.Client.ChatAsync(Ask(tiny, Questions[0]), _worker.Timeout)).Content);
        }

        var error = await Assert.ThrowsAsync<InferenceException>(
            () => _worker.Client.DescribeAsync(LocalWorker.Given("all-MiniLM-L6-v2-q8_0.gguf"), _worker.Timeout));
        Assert.Contains("models may take 1500000", error.Message, StringComparison.Ordinal);
    }
}
