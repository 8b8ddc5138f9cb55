using Millrace.Cli.StandIn;
using Millrace.Flows;

namespace Millrace.Cli.Tests.Reviews;

/// <summary>A run that comes to no end of its own leaves a clear sentence, never a placeholder.</summary>
public sealed class FailedRunTests
{
    [Fact]
    public async Task A_model_that_hangs_leaves_the_computed_part_and_says_so()
    {
        await using var slow = await SlowBench.StartAsync("wall: 20s");
        slow.Bench.Model.Answered = _ => slow.Hanging;
        var pull = slow.Bench.Pull(ReviewBench.Patch("a.py", "total = count(rows)"));

        var reviewed = await slow.Bench.ReviewAsync(pull);

        Assert.Equal(RunOutcome.Completed, reviewed.Runs[^1].Outcome);
        CommentSafety.Check(reviewed.Comment);
        Assert.Matches("the model did not answer|took longer than its limit", reviewed.Comment);
    }

    [Fact]
    public async Task A_GitHub_that_hangs_past_the_wall_limit_is_told_in_the_comment()
    {
        await using var slow = await SlowBench.StartAsync("wall: 15s");
        slow.Bench.GitHub.Faults = request => request.Headers.Accept.ToString().Contains("diff", StringComparison.Ordinal)
            ? new(FaultKind.ApplyThenHang) : null;
        var pull = slow.Bench.Pull(ReviewBench.Patch("a.py", "total = count(rows)"));

        var reviewed = await slow.Bench.ReviewAsync(pull);

        Assert.NotEqual(RunOutcome.Completed, reviewed.Runs[0].Outcome);
        CommentSafety.Check(reviewed.Comment);
        Assert.Matches("The review (took longer than its limit and was stopped|could not be made)", reviewed.Comment);
    }

    /// <summary>A bench of its own whose review function has little time.</summary>
    sealed class SlowBench : IAsyncDisposable
    {
        readonly TaskCompletionSource _hanging = new();

        public ReviewBench Bench { get; } = new();

        public Task Hanging => _hanging.Task;

        public static async Task<SlowBench> StartAsync(string wall)
        {
            var slow = new SlowBench();
            await slow.Bench.InitializeAsync();
            await slow.Bench.Platform.DeployAsync(Package.Load(Impatient(wall)));
            return slow;
        }

        public async ValueTask DisposeAsync()
        {
            _hanging.SetResult();
            await Bench.DisposeAsync();
        }
    }

    /// <summary>The review function with another wall limit.</summary>
    static string Impatient(string wall)
    {
        var folder = Directory.CreateTempSubdirectory("millrace-impatient-").FullName;
        foreach (var name in (string[])["flow.yaml", "code_review.wasm"])
            File.Copy(Path.Combine(Shipped.Guest("code_review"), name), Path.Combine(folder, name));
        var manifest = Path.Combine(folder, "flow.yaml");
        File.WriteAllText(manifest, File.ReadAllText(manifest).Replace("wall: 15m", wall, StringComparison.Ordinal));
        return folder;
    }
}
