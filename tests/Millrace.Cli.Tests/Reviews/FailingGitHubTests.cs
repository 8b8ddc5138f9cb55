using System.Text;
using Microsoft.AspNetCore.Http;
using Millrace.Cli.StandIn;
using Millrace.Flows;

namespace Millrace.Cli.Tests.Reviews;

/// <summary>GitHub refuses, or applies a write and does not say so: one comment, and nothing is sent twice.</summary>
[Collection(ReviewTests.Name)]
public sealed class FailingGitHubTests(ReviewBench bench)
{
    static readonly string Patch = ReviewBench.Patch("a.py", "total = count(rows)");

    /// <summary>Misbehaves once, at the first request of a method.</summary>
    static Func<HttpRequest, Fault?> Once(string method, Fault fault)
    {
        var left = 1;
        return request => request.Method == method && Interlocked.Exchange(ref left, 0) == 1 ? fault : null;
    }

    int Asked(PullRequest pull, string method) => bench.GitHub.Ledger.Entries.Count(entry =>
        entry.Method == method && entry.Path.Contains($"/{pull.Repository}/", StringComparison.Ordinal));

    public static TheoryData<string, int> Limits => new() { { "GET", 429 }, { "GET", 403 }, { "POST", 429 }, { "PATCH", 403 } };

    [Theory]
    [MemberData(nameof(Limits))]
    public async Task A_rate_limit_is_waited_out(string method, int status)
    {
        bench.Calm();
        bench.GitHub.Faults = Once(method, new(FaultKind.Refuse, status, ("Retry-After", "1")));
        var pull = bench.Pull(Patch);

        var reviewed = await bench.ReviewAsync(pull);

        Assert.Equal([RunOutcome.Completed], reviewed.Outcomes);
        CommentSafety.Check(reviewed.Comment);
        // The refused one and the one that was taken.
        if (method != "GET") Assert.Equal(2, Asked(pull, method));
    }

    [Theory]
    [InlineData(FaultKind.ApplyThenAnswer)]
    [InlineData(FaultKind.ApplyThenReset)]
    [InlineData(FaultKind.ApplyThenHang)]
    internal async Task A_comment_that_was_made_without_an_answer_is_found_and_not_made_again(FaultKind kind)
    {
        bench.Calm();
        bench.GitHub.Faults = Once("POST", new(kind));
        var pull = bench.Pull(Patch);

        var reviewed = await bench.ReviewAsync(pull);

        Assert.Equal([RunOutcome.Completed], reviewed.Outcomes);
        CommentSafety.Check(reviewed.Comment);
        Assert.Equal(1, Asked(pull, "POST"));
    }

    [Theory]
    [InlineData(FaultKind.ApplyThenAnswer)]
    [InlineData(FaultKind.ApplyThenReset)]
    [InlineData(FaultKind.ApplyThenHang)]
    internal async Task An_update_without_an_answer_is_sent_again_with_the_same_bytes(FaultKind kind)
    {
        bench.Calm();
        bench.GitHub.Faults = Once("PATCH", new(kind));
        var pull = bench.Pull(Patch);

        var reviewed = await bench.ReviewAsync(pull);

        Assert.Equal([RunOutcome.Completed], reviewed.Outcomes);
        CommentSafety.Check(reviewed.Comment);
        var sent = bench.GitHub.Ledger.Entries.Where(entry =>
            entry.Method == "PATCH" && entry.Path.Contains($"/{pull.Repository}/", StringComparison.Ordinal)).ToArray();
        Assert.Equal(2, sent.Length);
        Assert.Equal(Encoding.UTF8.GetString(sent[0].Body.AsSpan()), Encoding.UTF8.GetString(sent[1].Body.AsSpan()));
    }

    [Fact]
    public async Task A_read_that_fails_for_good_is_said_on_the_pull_request()
    {
        bench.Calm();
        bench.GitHub.Faults = request =>
            request.Path.Value!.EndsWith("/commits", StringComparison.Ordinal) ? new(FaultKind.Refuse, 403) : null;
        var pull = bench.Pull(Patch);

        var reviewed = await bench.ReviewAsync(pull);

        CommentSafety.Check(reviewed.Comment);
        Assert.Contains("The review could not be made: GitHub answered 403", reviewed.Comment, StringComparison.Ordinal);
    }
}
