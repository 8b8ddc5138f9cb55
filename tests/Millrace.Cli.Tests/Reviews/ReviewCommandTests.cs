using System.Diagnostics;
using System.Text.Json.Nodes;
using Millrace.Cli.Changes;
using Millrace.Cli.StandIn;

namespace Millrace.Cli.Tests.Reviews;

/// <summary><c>millrace review</c> as a user starts it: the built program, in a folder of the user's.</summary>
public sealed class ReviewCommandTests : IAsyncLifetime
{
    const string Risky = "subprocess.run(\"tar cf \" + request.args[\"name\"], shell=True)";

    readonly ScratchRepository _scratch = new();
    readonly DirectoryInfo _user = Directory.CreateTempSubdirectory("millrace-user-");
    ScriptedModelServer _model = null!;

    public async Task InitializeAsync()
    {
        _model = await ScriptedModelServer.StartAsync();
        _model.Script = ReadingModel.Answer;
        _scratch.Commit("origin", ("app.py", "keep = 1\n"));
        _scratch.Git("checkout", "-q", "-b", "topic");
        _scratch.Commit("pack", ("app.py", $"keep = 1\n{Risky}\n"));
    }

    sealed record Ended(int Code, string Output, string Words);

    async Task<Ended> RunAsync(string folder, string[] arguments, params (string Name, string Value)[] variables)
    {
        var start = new ProcessStartInfo("dotnet", [Path.Combine(AppContext.BaseDirectory, "millrace.dll"), .. arguments])
        {
            WorkingDirectory = folder,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.Environment["XDG_DATA_HOME"] = _user.FullName;
        start.Environment["OPENAI_BASE_URL"] = _model.BaseUrl.ToString();
        start.Environment["OPENAI_MODEL"] = ScriptedModelServer.Model;
        start.Environment.Remove("GITHUB_TOKEN");
        start.Environment.Remove("MILLRACE_MODELS");
        foreach (var (name, value) in variables) start.Environment[name] = value;
        using var process = Process.Start(start)!;
        process.StandardInput.Close();
        var (output, words) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        await process.WaitForExitAsync().WaitAsync(ReviewBench.Patience);
        return new(process.ExitCode, await output, await words);
    }

    [Fact]
    public async Task A_range_is_reviewed_and_the_output_holds_the_review_alone()
    {
        var ended = await RunAsync(_scratch.Folder, ["review", "main..topic", "--remote"]);

        Assert.True(ended.Code == 0, ended.Words);
        CommentSafety.Check(ended.Output);
        Assert.Contains("app.py:2", ended.Output, StringComparison.Ordinal);
        Assert.DoesNotContain("<!--", ended.Output, StringComparison.Ordinal);
        Assert.Contains("code leaves this machine", ended.Words, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_patch_becomes_one_JSON_document_and_a_severe_finding_exit_code_1()
    {
        var patch = Path.Combine(_user.FullName, "my.patch");
        await File.WriteAllTextAsync(patch, _scratch.Git("diff", "main", "topic"));

        var ended = await RunAsync(_user.FullName, ["review", "--patch", patch, "--json", "--remote", "--fail-on", "medium"]);

        Assert.True(ended.Code == 1, ended.Words);
        var document = JsonNode.Parse(ended.Output)!.AsObject();
        CommentSafety.Check(document, PatchFile.Read(await File.ReadAllBytesAsync(patch), "my", DateTimeOffset.UnixEpoch));
        Assert.NotEmpty(document["findings"]!.AsArray());
    }

    [Fact]
    public async Task The_working_tree_is_reviewed_with_what_is_not_committed()
    {
        _scratch.Write("new.py", "fresh_total = count(rows)\n");

        var ended = await RunAsync(_scratch.Folder, ["review", "--json", "--remote"]);

        Assert.True(ended.Code == 0, ended.Words);
        Assert.Contains(_model.Prompts, prompt => prompt.Contains("fresh_total", StringComparison.Ordinal));
        Assert.Equal("topic", _scratch.Git("branch", "--show-current").Trim());
    }

    [Fact]
    public async Task What_cannot_be_reviewed_ends_with_2_and_the_reason()
    {
        var outside = _user.CreateSubdirectory("outside").FullName;
        var patch = Path.Combine(outside, "no.patch");
        await File.WriteAllTextAsync(patch, "this is no patch\n");
        (string Folder, string[] Arguments, string Reason)[] cases =
        [
            (_scratch.Folder, ["main..main"], "nothing to review"),
            (_scratch.Folder, ["nowhere..topic"], "`nowhere` is no commit"),
            (outside, ["main..topic"], "not a git repository"),
            (outside, ["--patch", Path.Combine(outside, "missing.patch")], "there is no file"),
            (outside, ["--patch", patch], "diff --git"),
            (outside, ["--pr", "http://127.0.0.1:1/ada/wheel/pull/7"], "cannot be reached"),
            (outside, ["--pr", "ada/wheel/7"], "write the pull request's address"),
            (_scratch.Folder, ["main..topic", "--set", "colour=red"], "unknown setting 'colour'"),
        ];

        foreach (var (folder, arguments, reason) in cases)
        {
            var ended = await RunAsync(folder, ["review", .. arguments, "--remote"]);

            Assert.True(ended is { Code: 2, Output: "" }, $"{string.Join(' ', arguments)}: {ended}");
            Assert.Contains(reason, ended.Words, StringComparison.Ordinal);
            Assert.DoesNotContain("   at ", ended.Words, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task A_pull_request_elsewhere_is_read_and_posted_only_when_asked()
    {
        await using var far = await StandInGitHub.StartAsync(TimeProvider.System, default);
        var patch = _scratch.Git("diff", "main", "topic");
        var pull = new PullRequest("ada", "wheel", 7, PatchFile.Read(
            System.Text.Encoding.UTF8.GetBytes(patch), "Pack things", DateTimeOffset.UnixEpoch));
        far.Add(pull);
        string[] review = ["review", "--pr", $"{far.Address}ada/wheel/pull/7", "--remote"];

        var printed = await RunAsync(_user.FullName, review, ("GITHUB_TOKEN", far.Token));
        var untouched = pull.Comments.Count;
        var posted = await RunAsync(_user.FullName, [.. review, "--post"], ("GITHUB_TOKEN", far.Token));
        var refused = await RunAsync(_user.FullName, review, ("GITHUB_TOKEN", "wrong"));

        Assert.True(printed.Code == 0, printed.Words);
        CommentSafety.Check(printed.Output);
        Assert.Equal(0, untouched);
        Assert.True(posted.Code == 0, posted.Words);
        CommentSafety.Check(Assert.Single(pull.Comments).Body);
        Assert.Equal(2, refused.Code);
        Assert.Contains("refused the token", refused.Words, StringComparison.Ordinal);
    }

    public async Task DisposeAsync()
    {
        await _model.DisposeAsync();
        _scratch.Dispose();
        _user.Delete(recursive: true);
    }
}
