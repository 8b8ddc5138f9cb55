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

    // A call is the object alone, so an answer in JSON may begin as one.
    const string Bare = "{{tools}}{% for m in messages %}{{m.content}}"
        + "{% for c in m.tool_calls or [] %}{{tag}}{{c.function|tojson}}{% endfor %}{% endfor %}";

    const string Tool = """{"type":"function","function":{"name":"☃","parameters":{"type":"object","maxProperties":0}}}""";

    [SkippableFact]
    public async Task A_json_answer_that_begins_as_a_call_does_is_an_answer()
    {
        NeedsLibrary();
        var schema = """{"type":"object","properties":{"name":{"const":"a"},"arguments":{"const":1}},"required":["name","arguments"]}""";
        var job = new ChatJob(await WithTemplateAsync(Bare), [new("user", "x")], 60, new(0, 1, 1), [])
        {
            Tools = [Tool],
            Format = AnswerFormat.JsonSchema(schema),
        };

        var reply = await _client.ChatAsync(job, _timeout.Token);
        var cut = await _client.ChatAsync(job with { MaxTokens = 12 }, _timeout.Token);
        var call = await _client.ChatAsync(job with { ToolChoice = "required", Format = AnswerFormat.Text }, _timeout.Token);

        Assert.Equal(("stop", 0), (reply.FinishReason, reply.ToolCalls.Length));
        Assert.Equal("{\"name\":\"a\",\"arguments\":1}", reply.Content.Replace(" ", "", StringComparison.Ordinal));
        Assert.StartsWith("{\"name\"", cut.Content, StringComparison.Ordinal);
        Assert.Equal("☃", Assert.Single(call.ToolCalls).Name);
    }

    [SkippableFact]
    public async Task One_jobs_variables_are_nothing_to_the_next_ones_calls()
    {
        NeedsLibrary();
        var job = new ChatJob(await WithTemplateAsync(Bare), [new("user", "x")], 60, new(0, 1, 1), [])
        {
            Tools = [Tool],
            ToolChoice = "required",
        };

        var tagged = await _client.ChatAsync(job with { TemplateVariables = """{"tag":"a tag that is long "}""" }, _timeout.Token);
        var plain = await _client.ChatAsync(job, _timeout.Token);

        Assert.Equal(plain.CompletionTokens, tagged.CompletionTokens);
        Assert.Single(plain.ToolCalls);
    }

    [SkippableFact]
    public async Task Tokens_are_counted_whatever_form_the_answer_must_have()
    {
        NeedsLibrary();
        var job = new ChatJob(LocalWorker.Tiny, [new("user", "x")], 9, new(0, 1, 1), []);

        var plain = await _client.CountTokensAsync(job, _timeout.Token);

        Assert.Equal(plain, await _client.CountTokensAsync(job with { Format = AnswerFormat.JsonSchema("no schema") }, _timeout.Token));
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
