using Millrace.Cli.Changes;
using Millrace.Cli.StandIn;
using Millrace.Flows;

namespace Millrace.Cli.Tests.Reviews;

/// <summary>Pushes to a pull request that lies in a git repository: what is new is read, one comment tells it.</summary>
[Collection(ReviewTests.Name)]
public sealed class PushTests : IDisposable
{
    readonly ReviewBench _bench;
    readonly ScratchRepository _scratch = new();

    public PushTests(ReviewBench bench)
    {
        _bench = bench;
        bench.Calm();
        bench.Model.Script = ReadingModel.Answer;
        _scratch.Commit("origin", ("a.py", "keep = 1\n"), ("b.py", "keep = 2\n"));
        _scratch.Git("checkout", "-q", "-b", "topic");
        _scratch.Commit("first", ("a.py", "keep = 1\nfirst_total = count(rows)\n"));
    }

    async Task<PullRequest> OpenAsync()
    {
        var repository = await GitRepository.OpenAsync(_scratch.Folder, default);
        var pull = _bench.Pull(await repository.RangeAsync("main..topic", default));
        pull.Compare = (origin, head, cancel) => GitComparison.MakeAsync(repository, origin, head, cancel);
        return pull;
    }

    /// <summary>The pull request shows what the branch holds now.</summary>
    static async Task<string> PushedAsync(PullRequest pull, ScratchRepository scratch)
    {
        var before = pull.Change.HeadSha;
        var repository = await GitRepository.OpenAsync(scratch.Folder, default);
        pull.Change = await repository.RangeAsync("main..topic", default);
        return before;
    }

    static string Short(string sha) => sha[..7];

    [Fact]
    public async Task A_later_push_updates_the_same_comment_with_what_is_new()
    {
        var pull = await OpenAsync();
        var first = await _bench.ReviewAsync(pull);
        var (comment, asked) = (Assert.Single(pull.Comments).Id, _bench.Model.Prompts.Count());
        _scratch.Commit("second", ("b.py", "keep = 2\nsecond_total = count(rows)\n"));
        var before = await PushedAsync(pull, _scratch);

        var second = await _bench.ReviewAsync(pull, "synchronize", before);

        CommentSafety.Check(second.Comment);
        CommentSafety.Check(second.Document, pull.Change);
        Assert.Equal(comment, Assert.Single(pull.Comments).Id);
        Assert.Contains($"read what is new since `{Short(before)}`", second.Comment, StringComparison.Ordinal);
        Assert.Contains("first_total = count(rows)", first.Comment, StringComparison.Ordinal);
        var pushed = string.Join('\n', _bench.Model.Prompts.Skip(asked));
        Assert.Contains("second_total", pushed, StringComparison.Ordinal);
        Assert.DoesNotContain("first_total", pushed, StringComparison.Ordinal);
        // What the model said of the first file stands still.
        Assert.Contains("first_total = count(rows)", second.Comment, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_force_push_is_read_whole()
    {
        var pull = await OpenAsync();
        await _bench.ReviewAsync(pull);
        _scratch.Git("reset", "-q", "--hard", "main");
        _scratch.Commit("rewritten", ("a.py", "keep = 1\nother_total = sum(rows)\n"));
        var before = await PushedAsync(pull, _scratch);

        var reviewed = await _bench.ReviewAsync(pull, "synchronize", before);

        CommentSafety.Check(reviewed.Comment);
        CommentSafety.Check(reviewed.Document, pull.Change);
        Assert.Contains($"Reviewed `{Short(pull.Change.HeadSha)}`, the whole change", reviewed.Comment, StringComparison.Ordinal);
        Assert.Contains("no longer in the change", reviewed.Comment, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_push_in_the_middle_of_a_review_supersedes_it()
    {
        var pull = await OpenAsync();
        var isFirst = true;
        var ended = new TaskCompletionSource();
        _bench.Model.Answered = async _ =>
        {
            if (!isFirst) return;
            isFirst = false;
            _scratch.Commit("second", ("b.py", "keep = 2\nsecond_total = count(rows)\n"));
            var before = await PushedAsync(pull, _scratch);
            await _bench.SendAsync(pull, "synchronize", before);
            // The old run's answer is held back: nobody may wait for it.
            await ended.Task;
        };

        await _bench.SendAsync(pull);
        while ((await _bench.RunsAsync(pull)).Length < 2) await Task.Yield();
        var reviewed = await _bench.SettledAsync(pull);
        ended.SetResult();

        Assert.Equal([RunOutcome.Superseded, RunOutcome.Completed], reviewed.Outcomes);
        CommentSafety.Check(reviewed.Comment);
        Assert.Contains($"Reviewed `{Short(pull.Change.HeadSha)}`", reviewed.Comment, StringComparison.Ordinal);
        Assert.Contains("b.py", reviewed.Comment, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Nine_events_at_once_make_one_review()
    {
        var pull = await OpenAsync();
        var accepted = new TaskCompletionSource();
        _bench.Model.Answered = _ => accepted.Task;

        await Task.WhenAll(Enumerable.Range(0, 9).Select(i => _bench.SendAsync(pull, i == 0 ? "opened" : "synchronize")));
        accepted.SetResult();
        var reviewed = await _bench.SettledAsync(pull);

        Assert.Equal(9, reviewed.Runs.Length);
        Assert.Equal(8, reviewed.Outcomes.Count(outcome => outcome == RunOutcome.Superseded));
        Assert.Equal(RunOutcome.Completed, reviewed.Runs[^1].Outcome);
        CommentSafety.Check(reviewed.Comment);
        Assert.Single(_bench.GitHub.Ledger.Entries, entry =>
            entry.Method == "POST" && entry.Path.Contains($"/{pull.Repository}/", StringComparison.Ordinal));
    }

    public void Dispose() => _scratch.Dispose();
}
