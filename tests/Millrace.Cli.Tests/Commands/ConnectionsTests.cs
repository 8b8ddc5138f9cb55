namespace Millrace.Cli.Tests.Commands;

public sealed class ConnectionsTests
{
    const string Token = "tok-0123456789abcdef";
    const string Secret = "hook-fedcba9876543210";

    static readonly string[] Add = ["connections", "add", "gh", "--integration", "github"];

    [Fact]
    public async Task Secrets_come_by_stdin_and_variables_and_are_never_printed()
    {
        await using var shell = new Shell();
        shell.Set("GH_TOKEN", Token);

        Answer[] answers =
        [
            await shell.RunAsync(
                [.. Add, "--token-stdin", "--webhook-secret-stdin", "--data", shell.Data], $"{Token}\n{Secret}\n"),
            await shell.OnDataAsync("connections", "list"),
            await shell.OnDataAsync("connections", "list", "--json"),
            await shell.OnDataAsync([.. Add, "--token-env", "GH_TOKEN"]),
            await shell.OnDataAsync("doctor"),
        ];

        Assert.All(answers, answer => Assert.Equal(0, answer.Code));
        Assert.All(answers, answer => Assert.DoesNotContain(Token, answer.All, StringComparison.Ordinal));
        Assert.All(answers, answer => Assert.DoesNotContain(Secret, answer.All, StringComparison.Ordinal));
        Assert.Contains("/hooks/github/gh", answers[0].Words, StringComparison.Ordinal);
        Assert.True((bool)answers[2].Json[0]!["has_token"]!);
        Assert.True((bool)answers[2].Json[0]!["has_webhook_secret"]!);
        var file = Path.Combine(shell.Data, "connections", "gh.json");
        Assert.Contains(Token, await File.ReadAllTextAsync(file), StringComparison.Ordinal);
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(file));
    }

    [Fact]
    public async Task A_removed_connection_is_gone()
    {
        await using var shell = new Shell();
        await shell.OnDataAsync("connections", "add", "gh", "--integration", "github");

        var removed = await shell.OnDataAsync("connections", "rm", "gh");
        var again = await shell.OnDataAsync("connections", "rm", "gh");

        Assert.Equal((0, 1), (removed.Code, again.Code));
        Assert.Contains("There is no connection 'gh'", again.Words, StringComparison.Ordinal);
        Assert.Equal("[]", (await shell.OnDataAsync("connections", "list", "--json")).Output.Trim());
    }

    [Theory]
    [InlineData("--token-env NOT_SET", "NOT_SET: this environment variable is not set")]
    [InlineData("--token-stdin", "standard input holds no line for it")]
    [InlineData("--token-stdin --token-env GH_TOKEN", "say either --token-stdin or --token-env")]
    [InlineData("--set oops", "--set oops: write KEY=VALUE")]
    [InlineData("--set nothing=1", "unknown setting 'nothing'")]
    [InlineData("--base-url nowhere", "'nowhere' is no base URL")]
    [InlineData("--token-env SHORT", "The token is shorter than 8 characters")]
    [InlineData("--token hunter2hunter2", "there is no option --token")]
    public async Task What_is_wrong_with_a_new_connection_is_said(string options, string words)
    {
        await using var shell = new Shell();
        shell.Set("GH_TOKEN", Token);
        shell.Set("SHORT", "abc");

        var answer = await shell.OnDataAsync([.. Add, .. options.Split(' ')]);

        Assert.NotEqual(0, answer.Code);
        Assert.DoesNotContain("hunter2", answer.All, StringComparison.Ordinal);
        Assert.Contains(words, answer.Words, StringComparison.Ordinal);
        Assert.False(Directory.Exists(Path.Combine(shell.Data, "connections")));
    }

    [Fact]
    public async Task An_unknown_integration_is_refused_with_the_way_out()
    {
        await using var shell = new Shell();

        var answer = await shell.OnDataAsync("connections", "add", "x", "--integration", "gitlab");

        Assert.Equal(1, answer.Code);
        Assert.Contains("No integration 'gitlab' is deployed; deploy it first", answer.Words, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_test_that_fails_says_why()
    {
        await using var shell = new Shell();
        await shell.OnDataAsync([.. Add, "--base-url", "http://127.0.0.1:1", "--allow-private"]);

        var answer = await shell.OnDataAsync("connections", "test", "gh");

        Assert.Equal(1, answer.Code);
        Assert.Contains("gh cannot be used: ", answer.Words, StringComparison.Ordinal);
    }
}
