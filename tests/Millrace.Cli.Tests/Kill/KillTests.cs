using System.Diagnostics;
using Microsoft.AspNetCore.Http;
using Millrace.Cli.StandIn;
using Millrace.Flows;
using Xunit.Abstractions;

namespace Millrace.Cli.Tests.Kill;

/// <summary>
/// The server is killed by SIGKILL at every point of every operation of a review. What came of it is read from the
/// stand-in's and the model server's own ledgers, never from our database.
/// </summary>
public sealed class KillTests(ITestOutputHelper output)
{
    [Fact]
    public async Task Killed_at_any_point_of_any_operation_there_is_one_review()
    {
        var watch = Stopwatch.StartNew();
        await using var bench = await ReviewBench.StartAsync();
        var undisturbed = await bench.OpenPullAsync();
        var run = await bench.EndAsync(undisturbed);
        Assert.Null(bench.Fault(undisturbed));

        var faults = new List<string>();
        var lives = KillCase.Lives(run).ToList();
        foreach (var cases in lives) faults.AddRange(await KillAsync(bench, cases));

        var killed = lives.Sum(cases => cases.Length);
        output.WriteLine($"killed at {killed} points in {lives.Count} lives and {watch.Elapsed.TotalSeconds:0} s");
        // Ten operations of a review and the requests of seven child runs, at four points and on the way.
        Assert.True(killed >= 75, string.Join('\n', lives.SelectMany(cases => cases)));
        Assert.True(faults.Count == 0, string.Join('\n', faults));
    }

    [Theory]
    [InlineData(KillCase.Received)]
    [InlineData("after-reply")]
    public async Task Without_the_find_step_the_same_kill_leaves_comments_twice(string point)
    {
        await using var bench = await ReviewBench.StartAsync(("MILLRACE_SKIP_FIND", "1"));

        var faults = await KillAsync(bench, [new(point, "github.create_comment/http.fetch")]);

        // Two; where the machine is so busy that the reply misses its deadline of a second, even more.
        Assert.Matches("[2-9] comments were created$", Assert.Single(faults));
    }

    /// <summary>
    /// Opens a pull request for each point, kills the server when all their runs stand there, lets the next server go
    /// on, and answers what is wrong then.
    /// </summary>
    static async Task<string[]> KillAsync(ReviewBench bench, KillCase[] cases)
    {
        var name = string.Join(", ", cases.AsEnumerable());
        var pulls = new List<PullRequest>();
        var exited = bench.Server.Exited;
        var atPoints = cases.Where(at => at.Point != KillCase.Received).ToArray();
        if (cases.FirstOrDefault(at => at.Point == KillCase.Received) is { } received)
        {
            var isThere = HoldWhenReceived(bench, received, atPoints.Length == 0);
            pulls.Add(await bench.OpenPullAsync());
            await isThere.WaitAsync(ReviewBench.Patience);
        }

        bench.Arm(atPoints.Select(at => $"{at.Point}:{at.Operation}:1"));
        pulls.AddRange(await Task.WhenAll(atPoints.Select(_ => bench.OpenPullAsync())));
        if (await Task.WhenAny(exited, Task.Delay(ReviewBench.Patience)) != exited) return [$"{name}: not reached"];
        bench.Disarm();
        await bench.RestartAsync();

        var faults = new List<string>();
        foreach (var pull in pulls)
        {
            var run = await bench.EndAsync(pull);
            if (await FaultAsync(bench, pull, run) is { } fault) faults.Add($"{name}: #{pull.Number}: {fault}");
        }

        var asked = pulls.Count(pull => bench.Prompts(pull) > 1);
        var updated = pulls.Count(pull => bench.Updates(pull).Length > 1);
        var twice = cases.Count(at => at.AsksTwice);
        if (asked < twice || asked > twice + cases.Count(at => at.MayAskTwice))
            faults.Add($"{name}: {asked} reviews asked the model twice");
        if (updated > cases.Count(at => at.MayUpdateTwice)) faults.Add($"{name}: {updated} reviews were sent twice");
        return [.. faults];
    }

    static async Task<string?> FaultAsync(ReviewBench bench, PullRequest pull, RunDetail run)
    {
        if (run.Summary.Outcome != RunOutcome.Completed) return $"{run.Summary.Outcome}: {run.Summary.Message}";
        if (bench.Fault(pull) is { } fault) return fault;
        if (bench.Prompts(pull) == 1) return null;
        var timeline = await bench.TimelineAsync(run.Summary.Id);
        var asks = timeline["operations"]!.AsArray().Single(row => (string?)row!["name"] == "llm.chat")!["asks"];
        return (int)asks! > 1 ? null : "the model was asked twice, and the timeline does not say so";
    }

    /// <summary>
    /// Holds back the reply to the operation's first request until the server is dead. The task ends when the request
    /// was applied.
    /// </summary>
    static Task HoldWhenReceived(ReviewBench bench, KillCase at, bool kills)
    {
        var server = bench.Server;
        var isThere = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        Task HoldAsync()
        {
            if (!isThere.TrySetResult()) return Task.CompletedTask;
            return kills ? server.KillAsync() : server.Exited;
        }

        if (at.Operation == KillCase.Chat) bench.Model.Answered = _ => HoldAsync();
        else bench.GitHub.Applied = request => IsMeant(at, request) ? HoldAsync() : Task.CompletedTask;
        return isThere.Task;
    }

    static bool IsMeant(KillCase at, HttpRequest request) =>
        at.IsRequest(request.Method, request.Path, request.Headers.Accept.ToString());
}
