using System.Text;
using Millrace.Cli.StandIn;
using Millrace.Flows;

namespace Millrace.Cli.Tests.Reviews;

/// <summary>Pull requests as no one wants them, by the whole path.</summary>
[Collection(ReviewTests.Name)]
public sealed class BadPatchTests(ReviewBench bench)
{
    static readonly byte[] Latin =
        [.. "diff --git a/caf.py b/caf.py\n--- a/caf.py\n+++ b/caf.py\n@@ -1,1 +1,2 @@\n keep = 1\n+name = \"caf"u8, 0xe9, .. "\"\n"u8];

    [Fact]
    public async Task A_pull_request_of_a_deleted_fork_is_reviewed()
    {
        bench.Calm();
        var pull = bench.Pull(ReviewBench.Patch("a.py", "total = count(rows)"));
        pull.IsForkDeleted = true;

        var reviewed = await bench.ReviewAsync(pull);

        CommentSafety.Check(reviewed.Comment);
        CommentSafety.Check(reviewed.Document, pull.Change);
    }

    [Fact]
    public async Task An_empty_patch_is_said_to_be_empty()
    {
        bench.Calm();

        var reviewed = await bench.ReviewAsync(bench.Pull(""));

        CommentSafety.Check(reviewed.Comment);
        Assert.Empty(reviewed.Findings);
    }

    [Fact]
    public async Task Binary_files_are_counted_and_not_read()
    {
        bench.Calm();
        var pull = bench.Pull("diff --git a/p.png b/p.png\nnew file mode 100644\nBinary files /dev/null and b/p.png differ\n");

        var reviewed = await bench.ReviewAsync(pull);

        CommentSafety.Check(reviewed.Comment);
        Assert.Contains("`p.png`", reviewed.Comment, StringComparison.Ordinal);
        Assert.Equal("p.png", (string?)Assert.Single(reviewed.Document["unread"]!.AsArray()));
    }

    [Fact]
    public async Task A_patch_that_is_not_utf8_is_reviewed()
    {
        bench.Calm();
        bench.Model.Script = ReadingModel.Answer;
        var pull = bench.Pull(Latin);

        var reviewed = await bench.ReviewAsync(pull);

        CommentSafety.Check(reviewed.Comment);
        CommentSafety.Check(reviewed.Document, pull.Change);
        Assert.Contains("name = \"caf\ufffd\"", reviewed.Comment, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_patch_that_is_gone_becomes_a_sentence_over_the_placeholder()
    {
        bench.Calm();
        bench.GitHub.Faults = request => request.Headers.Accept.ToString().Contains("diff", StringComparison.Ordinal)
            ? new(FaultKind.Refuse, 404) : null;
        var pull = bench.Pull(ReviewBench.Patch("a.py", "total = count(rows)"));

        var reviewed = await bench.ReviewAsync(pull);

        CommentSafety.Check(reviewed.Comment);
        Assert.Contains("The review could not be made: GitHub answered 404", reviewed.Comment, StringComparison.Ordinal);
        Assert.Equal(RunOutcome.Failed, reviewed.Runs[0].Outcome);
    }

    [Fact]
    public async Task Three_thousand_files_come_in_thirty_pages_and_fit_one_comment()
    {
        bench.Calm();
        bench.Model.Script = _ => "NO RISKS";
        var patch = new StringBuilder();
        for (var i = 0; i < 3_050; i++) patch.Append(ReviewBench.Patch($"docs/part{i % 50}/page{i}.md", $"line {i}"));
        patch.Append(ReviewBench.Patch("src/login.py", "subprocess.run(\"tar \" + request.args[\"name\"], shell=True)"));
        var pull = bench.Pull(patch.ToString());

        var reviewed = await bench.ReviewAsync(pull);

        CommentSafety.Check(reviewed.Comment);
        CommentSafety.Check(reviewed.Document, pull.Change);
        Assert.Contains("3,000", reviewed.Comment, StringComparison.Ordinal);
        var pages = bench.GitHub.Ledger.Entries.Count(entry =>
            entry.Path.Contains($"{pull.Repository}/pulls/7/files", StringComparison.Ordinal));
        Assert.Equal(30, pages);
    }

    [Fact]
    public async Task A_secret_reaches_neither_the_comment_nor_the_remote_model_nor_the_output_nor_the_log()
    {
        bench.Calm();
        bench.Model.Script = ReadingModel.Answer;
        // Put together here, so that no scanner takes this file for a leak.
        var secret = "ghp_" + "aB3dE5fG7hI9jK1lM3nO5pQ7rS9tU1vW3xY5";
        var pull = bench.Pull(ReviewBench.Patch("app.py", $"token = \"{secret}\"", "total = count(token)"), $"Use {secret}");

        var reviewed = await bench.ReviewAsync(pull);

        CommentSafety.Check(reviewed.Comment);
        Assert.Contains(reviewed.Findings, finding => (string?)finding!["kind"] == "secret");
        var log = string.Concat((await bench.Platform.LogAsync(reviewed.Runs[0].Id)).Select(entry => entry.Text));
        foreach (var text in (IEnumerable<string>)[reviewed.Comment, reviewed.Output, log, .. bench.Model.Prompts])
            Assert.DoesNotContain(secret, text, StringComparison.Ordinal);
    }
}
