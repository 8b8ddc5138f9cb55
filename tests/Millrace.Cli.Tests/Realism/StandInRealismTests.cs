using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json.Nodes;
using Millrace.Cli.Changes;
using Millrace.Cli.StandIn;

namespace Millrace.Cli.Tests.Realism;

/// <summary>The stand-in speaks as GitHub describes itself, and its webhooks look like the real ones.</summary>
public class StandInRealismTests
{
    const string Diff = """
        diff --git a/a.c b/a.c
        --- a/a.c
        +++ b/a.c
        @@ -1,2 +1,2 @@
         x
        -y
        +z
        diff --git a/old.txt b/new.txt
        similarity index 100%
        rename from old.txt
        rename to new.txt
        diff --git a/p.png b/p.png
        new file mode 100644
        Binary files /dev/null and b/p.png differ

        """;

    static PullRequest Pull() =>
        new("ada", "wheel", 7, PatchFile.Read(Encoding.UTF8.GetBytes(Diff), "Turn the wheel", DateTimeOffset.UnixEpoch));

    [SkippableFact]
    public async Task Answers_are_as_GitHub_describes_them()
    {
        var description = await GitHubDescription.LoadAsync();
        await using var github = await StandInGitHub.StartAsync(TimeProvider.System, default);
        var pull = Pull();
        github.Add(pull);
        using var client = new HttpClient { BaseAddress = github.Address };
        client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", github.Token);
        var change = pull.Change;

        async Task Check(string schema, string path, bool isList = false)
        {
            var answer = await client.GetFromJsonAsync<JsonNode>(path);
            var entries = isList ? answer!.AsArray().ToArray() : [answer];
            Assert.NotEmpty(entries);
            foreach (var entry in entries)
                Assert.True(!description.Faults(schema, entry).Any(), $"{path}: {string.Join("; ", description.Faults(schema, entry).Take(20))}");
        }

        using var made = await client.PostAsJsonAsync("repos/ada/wheel/issues/7/comments", new { body = "hello" });
        var comment = await made.Content.ReadFromJsonAsync<JsonNode>();

        Assert.Empty(description.Faults("issue-comment", comment));
        await Check("pull-request", "repos/ada/wheel/pulls/7");
        await Check("diff-entry", "repos/ada/wheel/pulls/7/files", isList: true);
        await Check("commit", "repos/ada/wheel/pulls/7/commits", isList: true);
        await Check("commit-comparison", $"repos/ada/wheel/compare/{change.BaseSha}...{change.HeadSha}");
        await Check("issue-comment", "repos/ada/wheel/issues/7/comments", isList: true);
    }

    [SkippableTheory]
    [InlineData("opened", null)]
    [InlineData("synchronize", "before")]
    public void A_pull_request_webhook_has_what_the_real_one_has(string action, string? before)
    {
        var real = Real("pull_request", action);
        var ours = new GitHubJson(new("http://127.0.0.1:1/")).PullRequestEvent(Pull(), action, before);

        Assert.Empty(MissingOf(real, ours).Except(Unsaid));
    }

    [SkippableFact]
    public void A_comment_webhook_has_what_the_real_one_has()
    {
        var real = Real("issue_comment", "created");
        var comment = new Comment(1, "/review", "ada", "User", DateTimeOffset.UnixEpoch, DateTimeOffset.UnixEpoch);
        var ours = new GitHubJson(new("http://127.0.0.1:1/")).CommentEvent(Pull(), comment, "MEMBER");

        Assert.Empty(MissingOf(real["comment"]!, ours["comment"]!));
        Assert.NotNull(ours["issue"]!["pull_request"]!["url"]);
        Assert.Equal(real["sender"]!["type"]!.ToString(), ours["sender"]!["type"]!.ToString());
    }

    // The repository's hundred addresses and counters: no reviewer reads them.
    static readonly string[] Unsaid = ["organization", "installation", "enterprise"];

    static IEnumerable<string> MissingOf(JsonNode real, JsonNode ours) =>
        real.AsObject().Select(property => property.Key).Where(key => !ours.AsObject().ContainsKey(key));

    static JsonNode Real(string name, string action)
    {
        var (examples, reason) = WebhookExamples.FetchAsync(name).GetAwaiter().GetResult();
        Skip.If(examples is null, reason);
        return examples!.Of(action);
    }
}
