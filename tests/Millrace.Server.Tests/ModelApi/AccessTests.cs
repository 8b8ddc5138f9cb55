using System.Net;
using System.Net.Http.Json;
using System.Text.Json.Nodes;

namespace Millrace.Server.Tests.ModelApi;

/// <summary>Who may ask the models over HTTP, and how much.</summary>
public sealed class AccessTests
{
    [Theory]
    [InlineData(null, "A key is needed")]
    [InlineData("Bearer mr-wrong", "There is no such key")]
    [InlineData("Basic dTpw", "There is no such key")]
    public async Task Without_a_key_nothing_is_answered(string? authorization, string words)
    {
        await using var server = await ApiServer.StartAsync();
        server.Http.DefaultRequestHeaders.Authorization = null;
        if (authorization is not null) server.Http.DefaultRequestHeaders.TryAddWithoutValidation("Authorization", authorization);

        foreach (var path in new[] { "/v1/models", "/metrics", "/v1/models/x" })
            Assert.Contains(words, await RefusedAsync(await server.Http.GetAsync(path), 401, "invalid_api_key"), StringComparison.Ordinal);
        using var chat = await server.Http.PostAsJsonAsync("/v1/chat/completions", ApiServer.Chat("hi"));
        await RefusedAsync(chat, 401, "invalid_api_key");
        Assert.Equal(HttpStatusCode.OK, (await server.Http.GetAsync("/health")).StatusCode);
    }

    [Fact]
    public async Task A_key_opens_what_it_is_for_until_it_is_revoked()
    {
        await using var server = await ApiServer.StartAsync("models");
        using var chat = await server.Http.PostAsJsonAsync("/v1/chat/completions", ApiServer.Chat("hi"));

        Assert.Contains("lacks the scope 'chat'; it has: models", await RefusedAsync(chat, 403, "insufficient_permissions"), StringComparison.Ordinal);
        await RefusedAsync(await server.Http.GetAsync("/metrics"), 403, "insufficient_permissions");
        await using (var control = await ControlClient.OpenAsync(server.Folder)) await control.RevokeApiKeyAsync("test");
        await RefusedAsync(await server.Http.GetAsync("/v1/models"), 401, "invalid_api_key");
    }

    [Fact]
    public async Task Only_the_hash_of_a_key_is_kept_and_it_lasts_over_a_restart()
    {
        await using var server = await ApiServer.StartAsync("models");
        var key = server.Http.DefaultRequestHeaders.Authorization!.Parameter!;

        foreach (var file in Directory.EnumerateFiles(server.Folder))
        {
            if (Path.GetFileName(file) is not "control.sock" and not "lock")
                Assert.False((await ReadAsync(file)).Contains(key, StringComparison.Ordinal), file);
        }

        if (!OperatingSystem.IsWindows())
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(Path.Combine(server.Folder, "api-keys.json")));
        await server.RestartAsync();
        await using var control = await ControlClient.OpenAsync(server.Folder);
        Assert.Equal("test", Assert.Single(await control.ApiKeysAsync()).Name);
        Assert.DoesNotContain("401", (await server.Http.GetAsync("/v1/models")).StatusCode.ToString("D"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_key_needs_a_name_of_its_own_and_known_scopes()
    {
        await using var server = await ApiServer.StartAsync();
        await using var control = await ControlClient.OpenAsync(server.Folder);

        var twice = await Assert.ThrowsAsync<ServerException>(() => control.AddApiKeyAsync(new("test", ["chat"], null)));
        var scope = await Assert.ThrowsAsync<ServerException>(() => control.AddApiKeyAsync(new("b", ["chat", "all"], null)));
        var name = await Assert.ThrowsAsync<ServerException>(() => control.AddApiKeyAsync(new("a b", ["chat"], null)));
        var gone = await Assert.ThrowsAsync<ServerException>(() => control.RevokeApiKeyAsync("nobody"));

        Assert.Contains("There is a key 'test' already", twice.Message, StringComparison.Ordinal);
        Assert.Contains("There is no scope 'all'; there are: chat, embeddings, models, metrics", scope.Message, StringComparison.Ordinal);
        Assert.Contains("letters, digits", name.Message, StringComparison.Ordinal);
        Assert.Contains("There is no key 'nobody'", gone.Message, StringComparison.Ordinal);
    }

    [SkippableFact]
    public async Task A_budget_bounds_an_answer_and_then_ends_the_day_also_over_a_restart()
    {
        ApiServer.NeedsLibrary();
        await using var server = await ApiServer.StartAsync("chat", tokensPerDay: 20);

        // Each answer takes some; none takes more than what is left.
        var (used, answers) = (0, 0);
        JsonObject Body() => new() { ["prompt"] = "a", ["max_tokens"] = 500 };
        HttpResponseMessage last;
        while ((last = await server.Http.PostAsJsonAsync("/v1/completions", Body())).IsSuccessStatusCode)
        {
            used += (int)JsonNode.Parse(await last.Content.ReadAsStringAsync())!["usage"]!["total_tokens"]!;
            answers++;
            Assert.InRange(used, 1, 20);
            await server.RestartAsync();
        }

        Assert.True(answers > 0);
        Assert.Contains("of today", await RefusedAsync(last, 429, "insufficient_quota"), StringComparison.Ordinal);
        Assert.NotNull(last.Headers.RetryAfter);
    }

    [Fact]
    public async Task An_open_server_answers_this_machine_and_no_page_of_a_stranger()
    {
        await using var server = await ApiServer.StartAsync(scopes: null);
        HttpRequestMessage Ask(string? origin, string? host = null)
        {
            var request = new HttpRequestMessage(HttpMethod.Get, "/metrics");
            if (origin is not null) request.Headers.Add("Origin", origin);
            request.Headers.Host = host;
            return request;
        }

        using var plain = await server.Http.SendAsync(Ask(null));
        using var own = await server.Http.SendAsync(Ask("http://localhost:3000"));
        using var stranger = await server.Http.SendAsync(Ask("https://evil.example"));
        using var rebound = await server.Http.SendAsync(Ask(null, "evil.example"));
        using var file = await server.Http.SendAsync(Ask("null"));

        Assert.Equal((HttpStatusCode.OK, HttpStatusCode.OK), (plain.StatusCode, own.StatusCode));
        Assert.Equal("http://localhost:3000", own.Headers.GetValues("Access-Control-Allow-Origin").Single());
        foreach (var refused in new[] { stranger, rebound, file })
        {
            await RefusedAsync(refused, 403, "foreign_origin");
            Assert.False(refused.Headers.Contains("Access-Control-Allow-Origin"));
        }
    }

    [Fact]
    public async Task A_page_may_ask_with_a_key()
    {
        await using var server = await ApiServer.StartAsync();
        var preflight = new HttpRequestMessage(HttpMethod.Options, "/v1/chat/completions");
        preflight.Headers.Add("Origin", "https://app.example");
        preflight.Headers.Add("Access-Control-Request-Headers", "authorization,content-type");
        preflight.Headers.Authorization = null;

        using var answer = await server.Http.SendAsync(preflight);

        Assert.Equal(HttpStatusCode.NoContent, answer.StatusCode);
        Assert.Equal("*", answer.Headers.GetValues("Access-Control-Allow-Origin").Single());
        Assert.Equal("authorization,content-type", answer.Headers.GetValues("Access-Control-Allow-Headers").Single());
    }

    static async Task<string> ReadAsync(string file)
    {
        await using var stream = new FileStream(file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
        using var reader = new StreamReader(stream, System.Text.Encoding.Latin1);
        return await reader.ReadToEndAsync();
    }

    internal static async Task<string> RefusedAsync(HttpResponseMessage response, int status, string? code, string? parameter = null)
    {
        var text = await response.Content.ReadAsStringAsync();
        Assert.True(status == (int)response.StatusCode, $"{response.StatusCode}: {text}");
        var error = JsonNode.Parse(text)!["error"]!;
        Assert.Equal((code, parameter), ((string?)error["code"], (string?)error["param"]));
        Assert.NotNull((string?)error["type"]);
        return (string)error["message"]!;
    }
}
