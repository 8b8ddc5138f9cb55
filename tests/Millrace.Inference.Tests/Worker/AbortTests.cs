namespace Millrace.Inference.Tests.Worker;

/// <summary>What native code does to its process costs the requests in flight an error and nothing else.</summary>
public sealed class AbortTests : IAsyncLifetime
{
    readonly LocalWorker _worker = new();

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync() => await _worker.DisposeAsync();

    static int Count => LongRun.IsOn ? 100 : 10;

    [SkippableFact]
    public async Task Abort_after_abort_costs_what_is_in_flight_and_nothing_else()
    {
        var model = LocalWorker.Tiny;
        var (begun, inFlightFailed) = (TimeProvider.System.GetUtcNow(), 0);
        for (var i = 0; i < Count; i++)
        {
            var endless = new ChatJob(model, [new("user", "x")], -1, new(0, 1, 1), [])
            {
                Format = AnswerFormat.Grammar("root ::= [a-z ]*"),
            };
            var inFlight = _worker.Client.ChatAsync(endless, _worker.Timeout);
            var abort = _worker.Client.AbortAsync(model, _worker.Timeout);

            Assert.True((await Assert.ThrowsAsync<InferenceException>(() => abort)).IsTransient);
            // Where the answer was done before the abort, it stands.
            if (await Record.ExceptionAsync(() => inFlight) is { } error)
            {
                Assert.True(Assert.IsType<InferenceException>(error).IsTransient);
                inFlightFailed++;
            }

            var reply = await _worker.Client.ChatAsync(
                new(model, [new("user", "What is the capital of France?")], 40, new(0, 1, 1), []), _worker.Timeout);
            Assert.Equal("The capital of France is Paris.", reply.Content);
        }

        LongRun.Write(
            "ABORTS.md", "Aborts of the inference worker", "FullyQualifiedName~AbortTests", begun,
            $"The worker's process was aborted from inside llama.cpp {Count} times in a row. Each time the request that aborted it",
            $"failed as transient, {inFlightFailed} requests beside it did so too, and the next request was answered by a new worker as it",
            "should be. The host's process was the same all the time.");
    }

    [SkippableTheory]
    [InlineData("llama", "llamb")]
    [InlineData("GGUF", "FUGG")]
    [InlineData("llama.block_count", "llama.block_cuont")]
    public async Task A_model_of_nobodys_kind_is_an_error_and_the_worker_lives_on(string from, string to)
    {
        var bytes = await File.ReadAllBytesAsync(LocalWorker.Tiny);
        var at = bytes.AsSpan().IndexOf(System.Text.Encoding.ASCII.GetBytes(from));
        System.Text.Encoding.ASCII.GetBytes(to).CopyTo(bytes, at);
        var path = Path.Combine(Path.GetTempPath(), $"millrace-{Guid.NewGuid():N}.gguf");
        await File.WriteAllBytesAsync(path, bytes);

        try
        {
            var error = await Assert.ThrowsAsync<InferenceException>(() => _worker.Client.DescribeAsync(path, _worker.Timeout));

            Assert.Equal("model-unavailable", error.Type);
            Assert.Equal("llama", (await _worker.Client.DescribeAsync(LocalWorker.Tiny, _worker.Timeout)).Architecture);
        }
        finally
        {
            File.Delete(path);
        }
    }
}
