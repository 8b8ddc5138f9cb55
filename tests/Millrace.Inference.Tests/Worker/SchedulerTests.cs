using Millrace.Inference.Worker;

namespace Millrace.Inference.Tests.Worker;

/// <summary>Several models in one worker, and what a bad request costs the others.</summary>
public sealed class SchedulerTests : IAsyncLifetime
{
    // Room for one of the two small models.
    const long MemoryOfOne = 1_500_000;

    LocalWorker _worker = new();

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync() => await _worker.DisposeAsync();

    async Task StartAsync(InferenceOptions options)
    {
        await _worker.DisposeAsync();
        _worker = new(options);
    }

    static ChatJob Ask(string model, string text, int maxTokens = 20) => new(model, [], maxTokens, new(0, 1, 1), []) { Prompt = text };

    Task<ChatReply> AnswerAsync(ChatJob job) => _worker.Client.ChatAsync(job, _worker.Timeout);

    // Two at any time, so that the model never has nothing to do.
    async Task KeepBusyAsync(string model, Func<bool> isOver)
    {
        var job = Ask(model, "Once", 200) with { Format = AnswerFormat.Grammar("root ::= [a-z ]{1000}") };
        await Task.WhenAll(Enumerable.Range(0, 3).Select(async _ =>
        {
            while (!isOver()) await AnswerAsync(job);
        }));
    }

    [SkippableTheory]
    [InlineData("""{"allOf":[{"required":["a"]},{"required":"b"}]}""")]
    [InlineData("""{"allOf":[{"minimum":1},{"minimum":"2"}]}""")]
    [InlineData("""{"allOf":[{"type":["string"]},{"type":[3]}]}""")]
    [InlineData("""{"allOf":[{"properties":{"a":{}}},{"properties":[]}]}""")]
    [InlineData("""{"allOf":[{"enum":[1]},{"enum":2}]}""")]
    [InlineData("""{"type":"object","type":"array"}""")]
    [InlineData("""{"$ref":"named:any"}""")]
    public async Task A_schema_that_is_none_costs_its_own_request_an_error(string schema)
    {
        var model = LocalWorker.Tiny;
        await _worker.Client.DescribeAsync(model, _worker.Timeout);
        var worker = _worker.Client.WorkerId;

        var error = await Assert.ThrowsAsync<InferenceException>(
            () => AnswerAsync(Ask(model, "x") with { Format = AnswerFormat.JsonSchema(schema) }));

        Assert.Equal(("invalid", false), (error.Type, error.IsTransient));
        Assert.NotEmpty((await AnswerAsync(Ask(model, "x"))).Content);
        Assert.Equal(worker, _worker.Client.WorkerId);
    }

    [SkippableFact]
    public async Task A_request_that_nobody_foresaw_costs_itself_alone()
    {
        var model = LocalWorker.Tiny;
        await _worker.Client.DescribeAsync(model, _worker.Timeout);
        var worker = _worker.Client.WorkerId;

        var error = await Assert.ThrowsAsync<InferenceException>(() => AnswerAsync(Ask(model, "x") with { Stop = [null!] }));

        Assert.Contains("a mistake of Millrace's own", error.Message, StringComparison.Ordinal);
        Assert.NotEmpty((await AnswerAsync(Ask(model, "x"))).Content);
        Assert.Equal(worker, _worker.Client.WorkerId);
    }

    [SkippableFact]
    public async Task A_request_larger_than_a_frame_is_an_error_and_nothing_waits_for_its_answer()
    {
        var model = LocalWorker.Tiny;
        var worker = await _worker.Client.WorkerAsync(_worker.Timeout);

        var error = await Assert.ThrowsAsync<InferenceException>(
            () => AnswerAsync(Ask(model, new string('x', Frame.BytesMax + 1))));

        Assert.Equal("too-large", error.Type);
        Assert.Equal(0, worker.Open);
        Assert.NotEmpty((await AnswerAsync(Ask(model, "x"))).Content);
        Assert.Equal(worker.Id, _worker.Client.WorkerId);
    }

    [SkippableFact]
    public async Task A_model_gets_its_turn_however_busy_the_other_one_is()
    {
        var (tiny, stories) = (LocalWorker.Tiny, LocalWorker.Given("stories260K.gguf"));
        await StartAsync(new(LocalWorker.Command) { MemoryBytesMax = MemoryOfOne });
        await _worker.Client.DescribeAsync(stories, _worker.Timeout);
        var isOver = false;
        var busy = KeepBusyAsync(stories, () => isOver);

        var reply = await AnswerAsync(Ask(tiny, "x"));
        isOver = true;
        await busy;

        Assert.NotEmpty(reply.Content);
    }

    [SkippableFact]
    public async Task A_model_that_nobody_asks_for_is_unloaded_while_another_one_is_busy()
    {
        Skip.IfNot(OperatingSystem.IsLinux(), "which files a process has mapped is read from /proc");
        var (tiny, stories) = (LocalWorker.Tiny, LocalWorker.Given("stories260K.gguf"));
        await StartAsync(new(LocalWorker.Command) { KeepAlive = TimeSpan.FromMilliseconds(50) });
        await _worker.Client.DescribeAsync(tiny, _worker.Timeout);

        await KeepBusyAsync(stories, () => !IsMapped(tiny));

        Assert.False(IsMapped(tiny));
    }

    bool IsMapped(string file) => File.ReadLines($"/proc/{_worker.Client.WorkerId}/maps")
        .Any(line => line.EndsWith(Path.GetFileName(file), StringComparison.Ordinal));
}
