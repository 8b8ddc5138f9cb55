using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Microsoft.Extensions.Logging.Abstractions;
using Millrace.Inference;
using Millrace.Server.ModelApi;

namespace Millrace.Server.Tests.ModelApi;

/// <summary>What a key may use in a day.</summary>
public sealed class BudgetTests : IDisposable
{
    readonly string _folder = Directory.CreateTempSubdirectory("millrace-budget-").FullName;

    static ApiKey Key(long tokens) => new("k", "", ["chat"], tokens, default);

    [Fact]
    public void What_is_only_set_aside_is_waited_for_and_what_is_used_up_is_not()
    {
        using var budgets = new ApiBudgets(_folder, TimeProvider.System, NullLogger.Instance);
        var first = budgets.Reserve(Key(20), least: 5, wanted: 100);

        var waits = Assert.Throws<ApiException>(() => budgets.Reserve(Key(20), 5, 100));
        first.Used = 12;
        first.Dispose();
        using (var second = budgets.Reserve(Key(20), 5, 6)) second.Used = 4;
        var tooMuch = Assert.Throws<ApiException>(() => budgets.Reserve(Key(20), 5, 5));
        using (var third = budgets.Reserve(Key(20), 4, 4)) third.Used = 4;
        var ended = Assert.Throws<ApiException>(() => budgets.Reserve(Key(20), 1, 1));

        Assert.Equal(20, first.Tokens);
        Assert.Equal((429, "rate_limit_exceeded"), (waits.Status, Code(waits)));
        Assert.Contains("is set aside for its answers under way", waits.Message, StringComparison.Ordinal);
        Assert.Equal(1, waits.RetryAfter);
        Assert.Equal("insufficient_quota", Code(tooMuch));
        Assert.Contains("has 4 tokens of its 20 left today, and this takes 5", tooMuch.Message, StringComparison.Ordinal);
        Assert.Equal("insufficient_quota", Code(ended));
        Assert.Contains("has used its 20 tokens of today", ended.Message, StringComparison.Ordinal);
    }

    static string? Code(ApiException failure) => (string?)failure.ToJson()["error"]!["code"];

    [SkippableFact]
    public async Task A_request_that_names_no_limit_is_answered_within_what_is_left()
    {
        ApiServer.NeedsLibrary();
        await using var server = await ApiServer.StartAsync("chat", tokensPerDay: 100);
        var body = ApiServer.Chat("hello");
        body.Remove("max_tokens");

        var answer = await server.PostAsync("/v1/chat/completions", body);

        Assert.InRange((int)answer["usage"]!["completion_tokens"]!, 1, 100);
        Assert.InRange((int)answer["usage"]!["total_tokens"]!, 2, 100);
        Assert.Equal((long)answer["usage"]!["total_tokens"]!, await UsedAsync(server));
    }

    [SkippableFact]
    public async Task A_request_that_fails_costs_nothing()
    {
        ApiServer.NeedsLibrary();
        await using var server = await ApiServer.StartAsync("chat", tokensPerDay: 1_000_000);
        var grammar = ApiServer.Chat("hello");
        grammar["grammar"] = "root ::= (";
        var prompts = new JsonObject
        {
            ["prompt"] = new JsonArray("Once", string.Concat(Enumerable.Repeat("word ", 20_000))),
            ["max_tokens"] = 20,
        };

        using var unread = await server.Http.PostAsJsonAsync("/v1/chat/completions", grammar);
        using var oneOfTwo = await server.Http.PostAsJsonAsync("/v1/completions", prompts);

        await AccessTests.RefusedAsync(unread, 400, null, "grammar");
        await AccessTests.RefusedAsync(oneOfTwo, 400, "context_length_exceeded");
        Assert.Equal(0, await UsedAsync(server));
    }

    [SkippableFact]
    public async Task One_prompt_that_cannot_be_answered_is_told_before_the_others_are_written()
    {
        var model = ApiServer.Given("SmolLM2");
        await using var server = await ApiServer.StartAsync();
        var body = new JsonObject
        {
            ["model"] = model,
            ["prompt"] = new JsonArray("Once", string.Concat(Enumerable.Repeat("word ", 6_000))),
            ["max_tokens"] = 4_000,
            // An end of the text would end the first one early by itself.
            ["grammar"] = "root ::= [^\\x00]*",
        };

        using var refused = await server.Http.PostAsJsonAsync("/v1/completions", body);

        await AccessTests.RefusedAsync(refused, 400, "context_length_exceeded");
        Assert.InRange(Written(await server.Http.GetStringAsync("/metrics"), model), 0, 1_000);
    }

    /// <summary>Tokens that a model wrote, as the metrics count them.</summary>
    internal static long Written(string metrics, string model)
    {
        var start = $"millrace_api_completion_tokens_total{{model=\"{model}\"}} ";
        return long.Parse(
            metrics.Split('\n').Single(line => line.StartsWith(start, StringComparison.Ordinal))[start.Length..],
            System.Globalization.CultureInfo.InvariantCulture);
    }

    [SkippableFact]
    public async Task A_count_that_cannot_be_written_is_an_error_of_the_log_and_ends_nothing()
    {
        ApiServer.NeedsLibrary();
        using var log = new FakeLog();
        var server = await ApiServer.StartAsync(logging: log);
        // Where the file belongs lies something that it cannot take the place of, as full disks leave it.
        Directory.CreateDirectory(Path.Combine(server.Folder, "api-usage.json", "x"));

        var answer = await server.PostAsync("/v1/chat/completions", ApiServer.Chat("hello"));
        await server.DisposeAsync();

        Assert.Equal("chat.completion", (string?)answer["object"]);
        Assert.Contains(log.Errors, line => line.Contains("api-usage.json cannot be written and is tried again", StringComparison.Ordinal));
    }

    [Fact]
    public void A_file_that_cannot_be_put_in_its_place_leaves_nothing_beside_it()
    {
        var path = Path.Combine(_folder, "file");
        Directory.CreateDirectory(Path.Combine(path, "x"));

        Assert.ThrowsAny<Exception>(() => OwnerFile.Write(path, "text"));

        Assert.Equal([path], Directory.EnumerateFileSystemEntries(_folder));
    }

    [Theory]
    [InlineData("model-unavailable", "Unable to load shared library '/home/someone/libllama.so'")]
    [InlineData("model-unavailable", @"cannot open C:\Users\someone\model.gguf")]
    public void A_failure_that_names_folders_of_this_machine_is_told_to_its_log_alone(string type, string message)
    {
        var told = ApiException.Of(new InferenceException(type, message));

        Assert.Equal(503, told.Status);
        Assert.DoesNotContain("someone", told.ToJson().ToJsonString(), StringComparison.Ordinal);
        Assert.Equal(message, told.Cause);
    }

    static async Task<long> UsedAsync(ApiServer server)
    {
        await using var control = await ControlClient.OpenAsync(server.Folder);
        return (await control.ApiKeysAsync()).Single().UsedToday;
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);
}
