using Millrace.Cli.StandIn;
using Millrace.Flows;
using Xunit.Abstractions;

namespace Millrace.Cli.Tests.Kill;

/// <summary>
/// Workers are killed by SIGKILL in the middle of a review, and the server lives. The review ends as if nothing had
/// been: one comment, one finished text, and the model is not asked for what it had answered.
/// </summary>
public sealed class WorkerKillTests(ITestOutputHelper output)
{
    const int Moments = 16;

    [Fact]
    public async Task Workers_killed_while_an_operation_is_under_way_change_nothing()
    {
        await using var bench = await ReviewBench.StartAsync();
        var requests = await CountAsync(bench);
        Assert.True(requests >= 7, $"a review makes {requests} requests");

        var faults = new List<string>();
        var unheard = 0;
        for (var at = 1; at <= requests; at++)
        {
            int? killed = null;
            Hear(bench, at, () => killed = bench.Server.KillWorkers());
            var pull = await bench.OpenPullAsync();
            var run = await bench.EndAsync(pull);
            if (killed == 0) faults.Add($"request {at}: no worker was there to be killed");
            if (killed is null) unheard++;
            faults.AddRange(Faults(bench, pull, run).Select(fault => $"request {at}: {fault}"));
        }

        Assert.True(faults.Count == 0, string.Join('\n', faults) + bench.Server.Words);
        // On a busy machine a read that timed out is made again, and the review that was counted may have done so.
        Assert.True(unheard <= 1, $"{unheard} of {requests} requests were never made again");
    }

    [Fact]
    public async Task Workers_killed_at_any_moment_change_nothing()
    {
        await using var bench = await ReviewBench.StartAsync();
        var requests = await CountAsync(bench);

        // Between two requests the guests compute, begin, end, and wait for commits; the moments are spread over that.
        var faults = new List<string>();
        var killed = 0;
        for (var moment = 0; moment < Moments; moment++)
        {
            var kill = Task.CompletedTask;
            Hear(bench, 1 + (moment % requests), () => kill = Task.Run(() =>
            {
                Spin(TimeSpan.FromMilliseconds(0.7 * moment));
                Interlocked.Add(ref killed, bench.Server.KillWorkers());
            }));
            var pull = await bench.OpenPullAsync();
            var run = await bench.EndAsync(pull);
            await kill;
            faults.AddRange(Faults(bench, pull, run).Select(fault => $"moment {moment}: {fault}"));
        }

        output.WriteLine($"{killed} workers were killed");
        Assert.True(killed > Moments, $"{killed} workers were killed");
        Assert.True(faults.Count == 0, string.Join('\n', faults) + bench.Server.Words);
    }

    [Fact]
    public async Task No_worker_outlives_a_server_that_is_killed()
    {
        await using var bench = await ReviewBench.StartAsync();
        await bench.EndAsync(await bench.OpenPullAsync());
        var workers = bench.Server.Workers();
        Assert.NotEmpty(workers);

        await bench.Server.KillAsync();

        foreach (var worker in workers) await ServerProcess.GoneAsync(worker, ReviewBench.Patience);
    }

    static IEnumerable<string> Faults(ReviewBench bench, PullRequest pull, RunDetail run)
    {
        if (run.Summary.Outcome != RunOutcome.Completed) yield return $"{run.Summary.Outcome}: {run.Summary.Message}";
        if (bench.Fault(pull) is { } fault) yield return fault;
        // The server finishes what was asked: a worker's death costs no second answer.
        if (bench.Prompts(pull) != 1) yield return $"the model was asked {bench.Prompts(pull)} times";
    }

    /// <summary>How many requests a review makes at the far sides.</summary>
    static async Task<int> CountAsync(ReviewBench bench)
    {
        var count = 0;
        Hear(bench, 0, () => { }, () => Interlocked.Increment(ref count));
        var pull = await bench.OpenPullAsync();
        await bench.EndAsync(pull);
        Assert.Null(bench.Fault(pull));
        return count;
    }

    /// <summary>Does something when the far sides have taken their nth request, before they answer.</summary>
    static void Hear(ReviewBench bench, int nth, Action then, Action? each = null)
    {
        var count = 0;
        Task Take()
        {
            each?.Invoke();
            if (Interlocked.Increment(ref count) == nth) then();
            return Task.CompletedTask;
        }

        bench.GitHub.Applied = _ => Take();
        bench.Model.Answered = _ => Take();
    }

    static void Spin(TimeSpan time)
    {
        var began = TimeProvider.System.GetTimestamp();
        while (TimeProvider.System.GetElapsedTime(began) < time) Thread.Yield();
    }
}
