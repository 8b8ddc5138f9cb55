using System.Text.Json;

namespace Millrace.Inference.Tests.Worker;

/// <summary>Vectors and tokens beside the reference's.</summary>
public sealed class EmbeddingTests : IAsyncLifetime
{
    readonly LocalWorker _worker = new();

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync() => await _worker.DisposeAsync();

    [SkippableFact]
    public async Task Vectors_and_tokens_are_the_references()
    {
        var model = LocalWorker.Given("all-MiniLM-L6-v2-q8_0.gguf");
        using var reference = JsonDocument.Parse(await File.ReadAllBytesAsync(LocalWorker.Given("all-MiniLM-L6-v2-reference.json")));
        var cases = reference.RootElement.GetProperty("cases").EnumerateArray().ToArray();
        var texts = cases.Select(static one => one.GetProperty("text").GetString()!).ToArray();

        var embeddings = await _worker.Client.EmbedAsync(model, [.. texts], _worker.Timeout);

        for (var i = 0; i < cases.Length; i++)
        {
            var expected = cases[i].GetProperty("embedding").EnumerateArray().Select(static number => number.GetDouble()).ToArray();
            var cosine = embeddings.Vectors[i].Zip(expected).Sum(static pair => pair.First * pair.Second)
                / Math.Sqrt(expected.Sum(static number => number * number));
            var tokens = await _worker.Client.TokenizeAsync(model, texts[i], _worker.Timeout);

            Assert.True(cosine >= 0.998, $"{texts[i]}: {cosine}");
            Assert.Equal(cases[i].GetProperty("tokens").EnumerateArray().Select(static token => token.GetInt32()), tokens);
        }
    }

    [SkippableFact]
    public async Task A_model_that_only_embeds_writes_no_text_and_says_so()
    {
        var job = new ChatJob(LocalWorker.Given("all-MiniLM-L6-v2-q8_0.gguf"), [], 5, new(0, 1, 1), []) { Prompt = "x" };

        var error = await Assert.ThrowsAsync<InferenceException>(() => _worker.Client.ChatAsync(job, _worker.Timeout));

        Assert.Contains("computes embeddings", error.Message, StringComparison.Ordinal);
    }

    [SkippableFact]
    public async Task More_texts_than_one_answer_holds_are_refused_with_the_number_that_fits()
    {
        var model = LocalWorker.Given("all-MiniLM-L6-v2-q8_0.gguf");

        var error = await Assert.ThrowsAsync<InferenceException>(
            () => _worker.Client.EmbedAsync(model, [.. Enumerable.Repeat("a", 43_691)], _worker.Timeout));

        Assert.Equal("too-large", error.Type);
        Assert.Contains("this model embeds up to 43690", error.Message, StringComparison.Ordinal);
        Assert.Single((await _worker.Client.EmbedAsync(model, ["a"], _worker.Timeout)).Vectors);
    }

    [SkippableFact]
    public async Task A_text_too_long_is_refused_with_both_numbers()
    {
        var model = LocalWorker.Given("all-MiniLM-L6-v2-q8_0.gguf");

        var error = await Assert.ThrowsAsync<InferenceException>(
            () => _worker.Client.EmbedAsync(model, ["short", string.Concat(Enumerable.Repeat("word ", 600))], _worker.Timeout));

        Assert.Equal("context-exceeded", error.Type);
        Assert.Contains("text 2 has 602 tokens", error.Message, StringComparison.Ordinal);
    }
}
