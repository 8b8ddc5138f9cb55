using System.Text;

namespace Millrace.Inference.Tests;

/// <summary>A model's own template, out of its file, decides the prompt.</summary>
public sealed class ModelTemplateTests : IAsyncLifetime
{
    readonly CancellationTokenSource _timeout = new(TimeSpan.FromMinutes(5));
    readonly string _patched = Path.Combine(Path.GetTempPath(), $"millrace-{Guid.NewGuid():N}.gguf");
    InferenceClient _client = null!;

    public Task InitializeAsync()
    {
        _client = new(new(["dotnet", Path.Combine(AppContext.BaseDirectory, "millrace.dll"), "inference-worker"]));
        return Task.CompletedTask;
    }

    public async Task DisposeAsync()
    {
        await _client.DisposeAsync();
        _timeout.Dispose();
        File.Delete(_patched);
    }

    static void NeedsLibrary() => Skip.If(NativeLibraries.LlamaFolder() is null, NativeLibraries.WhyAbsent);

    static string Given(string file)
    {
        var folder = Environment.GetEnvironmentVariable("MILLRACE_MODELS");
        Skip.If(folder is null, "MILLRACE_MODELS names no folder of test models");
        return Path.Combine(folder!, file);
    }

    /// <summary>The tiny model with another template of the same length.</summary>
    async Task<string> WithTemplateAsync(string template)
    {
        var bytes = await File.ReadAllBytesAsync(Path.Combine(AppContext.BaseDirectory, "models", "tinychat-q8_0.gguf"));
        var at = bytes.AsSpan().IndexOf("tokenizer.chat_template"u8) + "tokenizer.chat_template"u8.Length + 4;
        var length = (int)BitConverter.ToInt64(bytes, at);
        Encoding.UTF8.GetBytes(template.PadRight(length)).CopyTo(bytes, at + 8);
        await File.WriteAllBytesAsync(_patched, bytes);
        return _patched;
    }

    [SkippableFact]
    public async Task What_a_template_adds_by_itself_is_in_the_prompt()
    {
        NeedsLibrary();
        var model = Given("SmolLM2-135M-Instruct.Q4_1.gguf");

        var added = await _client.CountTokensAsync(model, [new("user", "x")], _timeout.Token);
        var written = await _client.CountTokensAsync(
            model,
            [new("system", "You are a helpful AI assistant named SmolLM, trained by Hugging Face"), new("user", "x")],
            _timeout.Token);

        Assert.Equal(written, added);
    }

    [SkippableFact]
    public async Task A_model_without_a_template_says_so()
    {
        NeedsLibrary();

        var error = await Assert.ThrowsAsync<InferenceException>(
            () => _client.CountTokensAsync(Given("stories260K.gguf"), [new("user", "x")], _timeout.Token));

        Assert.Equal(("invalid", "the model file has no chat template; name the format it was trained with"), (error.Type, error.Message));
    }

    [SkippableTheory]
    [InlineData("{% nope %}", "line 1: Encountered unknown tag 'nope'.")]
    [InlineData("\n{{ messages[0].content }}{{ raise_exception('no ' ~ messages[0].role) }}", "line 2: no user")]
    [InlineData("{{ raise_exception('[' ~ eos_token ~ ']') }}", "[<|im_end|>]")]
    [InlineData("{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}", "deeper than 200")]
    [InlineData("{{ 'x' * 99999999 }}", "longer than")]
    public async Task A_template_that_refuses_is_an_error_with_its_words_and_the_worker_lives_on(string template, string words)
    {
        NeedsLibrary();
        var model = await WithTemplateAsync(template);

        var error = await Assert.ThrowsAsync<InferenceException>(
            () => _client.CountTokensAsync(model, [new("user", "x")], _timeout.Token));
        var worker = _client.WorkerId;
        await _client.DescribeAsync(model, _timeout.Token);

        Assert.Equal("invalid", error.Type);
        Assert.Contains(words, error.Message, StringComparison.Ordinal);
        Assert.Equal(worker, _client.WorkerId);
    }
}
