using System.Collections.Immutable;
using System.Diagnostics;
using System.Text;
using Millrace.Inference.Worker;

namespace Millrace.Inference.Tests;

public sealed class InferenceClientTests : IAsyncLifetime
{
    static readonly TimeSpan TestTimeout = TimeSpan.FromMinutes(5);

    readonly CancellationTokenSource _timeout = new(TestTimeout);
    InferenceClient _client = null!;

    public Task InitializeAsync()
    {
        _client = new(new(Command));
        return Task.CompletedTask;
    }

    public async Task DisposeAsync()
    {
        await _client.DisposeAsync();
        _timeout.Dispose();
    }

    static ImmutableArray<string> Command =>
        ["dotnet", Path.Combine(AppContext.BaseDirectory, "millrace.dll"), "inference-worker"];

    static string Tiny => Path.Combine(AppContext.BaseDirectory, "models", "tinychat-q8_0.gguf");

    static ChatJob Ask(string model, string text, int maxTokens = 48, params string[] stop) =>
        new(model, [new("user", text)], maxTokens, new(0, 1, 1), [.. stop]);

    static void NeedsLibrary() => Skip.If(NativeLibraries.LlamaFolder() is null, NativeLibraries.WhyAbsent);

    static string Given(string file)
    {
        var folder = Environment.GetEnvironmentVariable("MILLRACE_MODELS");
        Skip.If(folder is null, "MILLRACE_MODELS names no folder of test models");
        var path = Path.Combine(folder!, file);
        Assert.True(File.Exists(path), $"MILLRACE_MODELS has no {file}");
        return path;
    }

    [SkippableFact]
    public async Task The_tiny_model_answers_with_counts_and_a_reason()
    {
        NeedsLibrary();

        var reply = await _client.ChatAsync(Ask(Tiny, "What is the capital of France?"), _timeout.Token);

        Assert.Equal(("The capital of France is Paris.", "stop"), (reply.Content, reply.FinishReason));
        Assert.InRange(reply.PromptTokens, 5, 60);
        Assert.InRange(reply.CompletionTokens, 3, 20);
    }

    [SkippableFact]
    public async Task The_same_question_gets_the_same_answer_with_a_kept_prefix()
    {
        NeedsLibrary();

        var first = await _client.ChatAsync(Ask(Tiny, "Count from 4 to 9."), _timeout.Token);
        await _client.ChatAsync(Ask(Tiny, "Who are you?"), _timeout.Token);
        var second = await _client.ChatAsync(Ask(Tiny, "Count from 4 to 9."), _timeout.Token);

        Assert.Equal((first.Content, first.CompletionTokens), (second.Content, second.CompletionTokens));
    }

    [SkippableFact]
    public async Task An_answer_that_is_cut_says_length()
    {
        NeedsLibrary();

        var reply = await _client.ChatAsync(Ask(Tiny, "Tell me a story.", maxTokens: 4), _timeout.Token);

        Assert.Equal(("length", 4), (reply.FinishReason, reply.CompletionTokens));
    }

    [SkippableFact]
    public async Task A_stop_text_ends_the_answer_and_is_not_part_of_it()
    {
        NeedsLibrary();

        var reply = await _client.ChatAsync(Ask(Tiny, "What is the capital of France?", 48, " is"), _timeout.Token);

        Assert.Equal(("The capital of France", "stop"), (reply.Content, reply.FinishReason));
    }

    [SkippableFact]
    public async Task A_prompt_longer_than_the_context_is_refused_with_both_numbers()
    {
        NeedsLibrary();
        var context = (await _client.DescribeAsync(Tiny, _timeout.Token)).ContextTokens;

        var error = await Assert.ThrowsAsync<InferenceException>(
            () => _client.ChatAsync(Ask(Tiny, string.Concat(Enumerable.Repeat("word ", 4000))), _timeout.Token));

        Assert.Equal("context-exceeded", error.Type);
        Assert.Contains($"context of {context}", error.Message, StringComparison.Ordinal);
    }

    [SkippableTheory]
    [InlineData(0, "", "", "")]
    [InlineData(100, "", "", "")]
    [InlineData(200_000, "", "", "corrupted or incomplete")]
    [InlineData(int.MaxValue, "GGUF", "HTML", "magic")]
    [InlineData(int.MaxValue, "llama", "qlama", "unknown model architecture: 'qlama'")]
    [InlineData(int.MaxValue, "block_count", "block_kount", "llama.block_count")]
    public async Task A_damaged_model_is_an_error_with_its_cause_and_the_worker_lives_on(int bytes, string old, string damage, string cause)
    {
        NeedsLibrary();
        var path = Path.Combine(Path.GetTempPath(), $"millrace-{Guid.NewGuid():N}.gguf");
        var content = await File.ReadAllBytesAsync(Tiny);
        Encoding.ASCII.GetBytes(damage).CopyTo(content, content.AsSpan().IndexOf(Encoding.ASCII.GetBytes(old)));
        await File.WriteAllBytesAsync(path, content[..Math.Min(bytes, content.Length)]);

        try
        {
            var error = await Assert.ThrowsAsync<InferenceException>(() => _client.ChatAsync(Ask(path, "x"), _timeout.Token));
            var reply = await _client.ChatAsync(Ask(Tiny, "Who are you?"), _timeout.Token);

            Assert.Equal("model-unavailable", error.Type);
            Assert.Contains(cause, error.Message, StringComparison.Ordinal);
            Assert.StartsWith($"llama.cpp cannot load {Path.GetFileName(path)}: ", error.Message, StringComparison.Ordinal);
            Assert.DoesNotContain("does not say why", error.Message, StringComparison.Ordinal);
            Assert.DoesNotContain(Path.GetTempPath(), error.Message, StringComparison.Ordinal);
            Assert.NotEmpty(reply.Content);
        }
        finally
        {
            File.Delete(path);
        }
    }

    [SkippableFact]
    public async Task A_killed_worker_costs_the_request_in_flight_an_error_and_the_next_call_gets_a_new_one()
    {
        NeedsLibrary();
        var model = Given("SmolLM2-135M-Instruct.Q4_1.gguf");
        await _client.DescribeAsync(model, _timeout.Token);
        var worker = _client.WorkerId!.Value;

        var asked = _client.ChatAsync(Ask(model, "Write a long story about a river.", 2000), _timeout.Token);
        Process.GetProcessById(worker).Kill();
        var error = await Assert.ThrowsAsync<InferenceException>(() => asked);
        var reply = await _client.ChatAsync(Ask(Tiny, "Who are you?"), _timeout.Token);

        Assert.True(error.IsTransient);
        Assert.Equal("model-unavailable", error.Type);
        Assert.NotEmpty(reply.Content);
        Assert.NotEqual(worker, _client.WorkerId);
    }

    [SkippableFact]
    public async Task A_cancelled_request_stops_the_computation_and_the_worker_answers_the_next()
    {
        NeedsLibrary();
        var model = Given("SmolLM2-135M-Instruct.Q4_1.gguf");
        await _client.DescribeAsync(model, _timeout.Token);
        var worker = _client.WorkerId;
        using var soon = new CancellationTokenSource();

        var asked = _client.ChatAsync(Ask(model, "Write a long story about a river.", 4000), soon.Token);
        var other = _client.CountTokensAsync(model, [new("user", "x")], _timeout.Token);
        await soon.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => asked);
        Assert.True(await other > 0);
        Assert.Equal(worker, _client.WorkerId);
    }

    [SkippableFact]
    public async Task A_request_cancelled_before_its_turn_costs_the_one_at_work_nothing()
    {
        NeedsLibrary();
        var model = Given("SmolLM2-135M-Instruct.Q4_1.gguf");
        await _client.DescribeAsync(model, _timeout.Token);
        var worker = _client.WorkerId;
        using var enough = new CancellationTokenSource();
        using var soon = new CancellationTokenSource();

        var atWork = _client.ChatAsync(Ask(model, "Write a long story about a river.", 4000), enough.Token);
        var waiting = _client.ChatAsync(Ask(model, "Who are you?"), soon.Token);
        await soon.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiting);

        Assert.False(atWork.IsCompleted);
        Assert.Equal(worker, _client.WorkerId);
        await enough.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => atWork);
    }

    [SkippableFact]
    public async Task An_answer_longer_than_the_context_is_refused_however_long()
    {
        NeedsLibrary();

        var error = await Assert.ThrowsAsync<InferenceException>(
            () => _client.ChatAsync(Ask(Tiny, "Who are you?", int.MaxValue), _timeout.Token));

        Assert.Equal("context-exceeded", error.Type);
        Assert.Contains($"{int.MaxValue} of answer", error.Message, StringComparison.Ordinal);
    }

    [SkippableFact]
    public async Task A_request_that_meets_a_worker_already_put_away_may_be_asked_again()
    {
        NeedsLibrary();
        var worker = await WorkerProcess.StartAsync(new(Command), LlamaBuild.Choose(), _timeout.Token);
        await worker.DisposeAsync();

        var error = await Assert.ThrowsAsync<InferenceException>(
            () => worker.AskAsync(new(FrameKind.Describe, 0) { Model = Tiny }, _timeout.Token));

        Assert.True(error.IsTransient);
    }

    [Fact]
    public async Task A_worker_that_cannot_start_is_one_sentence()
    {
        await using var client = new InferenceClient(new(ImmutableArray.Create("/bin/false")));

        var error = await Assert.ThrowsAsync<InferenceException>(() => client.DescribeAsync(Tiny, _timeout.Token));

        Assert.Contains("ended at once", error.Message, StringComparison.Ordinal);
    }
}
