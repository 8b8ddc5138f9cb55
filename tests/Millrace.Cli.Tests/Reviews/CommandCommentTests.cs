using Millrace.Cli.StandIn;
using Millrace.Flows;

namespace Millrace.Cli.Tests.Reviews;

/// <summary>Who may ask by a comment, and for what.</summary>
[Collection(ReviewTests.Name)]
public sealed class CommandCommentTests(ReviewBench bench)
{
    // A finding that the computed rules are sure of.
    PullRequest Pull() => bench.Pull(
        ReviewBench.Patch("app.py", "subprocess.run(\"tar cf \" + request.args[\"name\"], shell=True)"));

    [Fact]
    public async Task A_member_puts_a_risk_away_and_it_stays_away()
    {
        bench.Calm();
        var pull = Pull();
        var first = await bench.ReviewAsync(pull);
        var risks = first.Findings.Count;
        Assert.True(risks > 0, first.Comment);

        var strangers = await bench.SayAsync(pull, "/review dismiss 1", "NONE");
        var dismissed = await bench.SayAsync(pull, "/review dismiss 1", "MEMBER");
        var again = await bench.SayAsync(pull, "/review", "MEMBER");

        Assert.Equal(first.Comment, strangers.Comment);
        Assert.Single(strangers.Runs);
        Assert.Equal(risks - 1, dismissed.Findings.Count);
        Assert.Contains("dismissed", dismissed.Comment, StringComparison.Ordinal);
        Assert.Equal(risks - 1, again.Findings.Count);
        CommentSafety.Check(again.Comment);
    }

    [Fact]
    public async Task The_bots_own_comment_asks_for_nothing()
    {
        bench.Calm();
        var pull = Pull();
        await bench.ReviewAsync(pull);
        var own = pull.Comments[^1] with { Body = "/review" };

        using var answer = await bench.GitHub.SendAsync(
            "issue_comment", new GitHubJson(bench.GitHub.Address).CommentEvent(pull, own, "OWNER"), default);

        Assert.True(answer.IsSuccessStatusCode);
        Assert.Single(await bench.RunsAsync(pull));
    }

    [Fact]
    public async Task A_bystander_in_the_middle_of_a_review_changes_nothing()
    {
        bench.Calm();
        var pull = Pull();
        bench.Model.Answered = async _ =>
        {
            foreach (var words in (string[])["Nice change!", "/review", "/review dismiss 1"])
                using (await bench.GitHub.CommentAsync(pull, "eve", "NONE", words, default)) { }
        };

        var reviewed = await bench.ReviewAsync(pull);

        Assert.Equal([RunOutcome.Completed], reviewed.Outcomes);
        CommentSafety.Check(reviewed.Comment);
        Assert.NotEmpty(reviewed.Findings);
    }

    [Fact]
    public async Task A_draft_is_left_alone_until_it_is_ready()
    {
        bench.Calm();
        var pull = Pull();
        pull.IsDraft = true;
        var draft = await bench.ReviewAsync(pull);
        pull.IsDraft = false;

        var ready = await bench.ReviewAsync(pull, "ready_for_review");

        Assert.Empty(draft.Output);
        Assert.Equal([RunOutcome.Completed, RunOutcome.Completed], ready.Outcomes);
        CommentSafety.Check(ready.Comment);
        Assert.NotEmpty(ready.Findings);
    }
}
