using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json.Nodes;
using Millrace.Cli.Changes;
using Millrace.Cli.StandIn;

namespace Millrace.Cli.Tests.StandIn;

public sealed class StandInGitHubTests : IAsyncLifetime
{
    StandInGitHub _github = null!;
    HttpClient _client = null!;

    public async Task InitializeAsync()
    {
        _github = await StandInGitHub.StartAsync(TimeProvider.System, default);
        _client = new() { BaseAddress = _github.Address };
        _client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", _github.Token);
    }

    public async Task DisposeAsync()
    {
        _client.Dispose();
        await _github.DisposeAsync();
    }

    static PullRequest Pull(int files = 1)
    {
        var diff = string.Concat(Enumerable.Range(0, files).Select(i =>
            $"diff --git a/f{i} b/f{i}\nnew file mode 100644\n--- /dev/null\n+++ b/f{i}\n@@ -0,0 +1 @@\n+x\n"));
        return new("ada", "wheel", 7, PatchFile.Read(Encoding.UTF8.GetBytes(diff), "Add files", DateTimeOffset.UnixEpoch));
    }

    [Fact]
    public async Task A_wrong_token_is_refused_and_entered_in_the_ledger()
    {
        _client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", "other");

        var response = await _client.GetAsync("user");

        Assert.Equal(HttpStatusCode.Unauthorized, response.StatusCode);
        Assert.Equal(401, Assert.Single(_github.Ledger.Entries).Status);
    }

    [Fact]
    public async Task Files_come_in_pages_with_links()
    {
        _github.Add(Pull(files: 230));

        var first = await _client.GetAsync("repos/ada/wheel/pulls/7/files?per_page=100");
        var third = await _client.GetFromJsonAsync<JsonArray>("repos/ada/wheel/pulls/7/files?per_page=100&page=3");

        Assert.Equal(100, (await first.Content.ReadFromJsonAsync<JsonArray>())!.Count);
        Assert.Contains("page=2>; rel=\"next\"", first.Headers.GetValues("Link").Single(), StringComparison.Ordinal);
        Assert.Equal(30, third!.Count);
    }

    [Fact]
    public async Task A_diff_of_more_than_300_files_is_406()
    {
        _github.Add(Pull(files: 301));
        _client.DefaultRequestHeaders.Accept.ParseAdd("application/vnd.github.diff");

        Assert.Equal(HttpStatusCode.NotAcceptable, (await _client.GetAsync("repos/ada/wheel/pulls/7")).StatusCode);
    }

    [Fact]
    public async Task A_long_patch_is_cut_in_the_listing_but_whole_in_the_diff()
    {
        var lines = string.Concat(Enumerable.Range(0, 5_000).Select(i => $"+{i}\n"));
        var diff = $"diff --git a/f b/f\nnew file mode 100644\n--- /dev/null\n+++ b/f\n@@ -0,0 +1,5000 @@\n{lines}";
        _github.Add(new("ada", "wheel", 7, PatchFile.Read(Encoding.UTF8.GetBytes(diff), "Long", DateTimeOffset.UnixEpoch)));

        var files = await _client.GetFromJsonAsync<JsonArray>("repos/ada/wheel/pulls/7/files");
        _client.DefaultRequestHeaders.Accept.ParseAdd("application/vnd.github.diff");
        var whole = await _client.GetByteArrayAsync("repos/ada/wheel/pulls/7");

        Assert.Equal(3_000, ((string)files![0]!["patch"]!).Split('\n').Length);
        Assert.Equal(diff, Encoding.UTF8.GetString(whole));
    }

    [Fact]
    public async Task A_comment_can_be_made_listed_and_changed()
    {
        _github.Add(Pull());

        var made = await _client.PostAsJsonAsync("repos/ada/wheel/issues/7/comments", new { body = "one" });
        var id = (long)(await made.Content.ReadFromJsonAsync<JsonNode>())!["id"]!;
        await _client.PatchAsJsonAsync($"repos/ada/wheel/issues/comments/{id}", new { body = "two" });
        var listed = await _client.GetFromJsonAsync<JsonArray>("repos/ada/wheel/issues/7/comments");

        Assert.Equal(HttpStatusCode.Created, made.StatusCode);
        Assert.Equal("two", (string?)Assert.Single(listed!)!["body"]);
    }

    [Fact]
    public async Task A_comment_longer_than_GitHub_takes_is_422()
    {
        _github.Add(Pull());

        var made = await _client.PostAsJsonAsync("repos/ada/wheel/issues/7/comments", new { body = new string('x', 65_537) });

        Assert.Equal(HttpStatusCode.UnprocessableEntity, made.StatusCode);
    }

    [Fact]
    public async Task A_fault_may_apply_the_write_and_still_answer_502()
    {
        var pull = Pull();
        _github.Add(pull);
        _github.Faults = request => request.Method == "POST" ? new(FaultKind.ApplyThenAnswer) : null;

        var made = await _client.PostAsJsonAsync("repos/ada/wheel/issues/7/comments", new { body = "one" });

        Assert.Equal(HttpStatusCode.BadGateway, made.StatusCode);
        Assert.Single(pull.Comments);
    }

    [Fact]
    public async Task A_reset_cuts_the_connection()
    {
        _github.Add(Pull());
        _github.Faults = _ => new(FaultKind.ApplyThenReset);

        await Assert.ThrowsAsync<HttpRequestException>(
            () => _client.PostAsJsonAsync("repos/ada/wheel/issues/7/comments", new { body = "one" }));

        Assert.Equal(0, Assert.Single(_github.Ledger.Entries).Status);
    }

    [Fact]
    public async Task A_rate_limit_tells_when_to_come_back()
    {
        _github.Add(Pull());
        _github.Faults = _ => new(FaultKind.Refuse, 429, ("Retry-After", "3"));

        var response = await _client.GetAsync("repos/ada/wheel/pulls/7");

        Assert.Equal((429, TimeSpan.FromSeconds(3)), ((int)response.StatusCode, response.Headers.RetryAfter!.Delta!.Value));
    }

    [Fact]
    public async Task Reads_of_a_real_pull_request_pass_through_and_comments_stay_here()
    {
        await using var real = await StandInGitHub.StartAsync(TimeProvider.System, default);
        var pull = Pull();
        real.Add(pull);
        using var upstream = new Upstream(real.Address, real.Token);
        _github.Upstream = upstream;
        _github.Add(Pull(files: 2));

        var files = await _client.GetFromJsonAsync<JsonArray>("repos/ada/wheel/pulls/7/files");
        await _client.PostAsJsonAsync("repos/ada/wheel/issues/7/comments", new { body = "one" });

        Assert.Single(files!);
        Assert.Empty(pull.Comments);
    }
}
