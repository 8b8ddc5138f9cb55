using Millrace.Sandbox;

namespace Millrace.Flows.Tests;

/// <summary>
/// The platform is thrown away, as by a SIGKILL, at every point of every operation; what happened outside is read from
/// the far side's own ledger.
/// </summary>
public sealed class KillTests
{
    /// <summary>One of every kind, in the order of a review.</summary>
    static int Program(GuestDoor door)
    {
        door.Call("kv.get", """{"key":"seen"}""");
        Check(door.Call("outside.read"));
        Check(door.Call("outside.charge", """{"text":"tokens"}"""));
        Check(door.Call("outside.post", """{"text":"placeholder"}"""));
        Check(door.Call("http.fetch", """{"method":"GET","url":"/posts"}"""));
        door.Write("half ");
        Check(door.Call("outside.put", """{"text":"finished"}"""));
        door.Call("kv.set", """{"key":"seen"}""", "yes");
        door.Write("done");
        return 0;
    }

    static void Check(OperationResult result)
    {
        if (result.State == ResultState.Error) throw new GuestTrapException();
    }

    [Fact]
    public async Task Killed_at_any_point_every_effect_happens_once()
    {
        var points = await PointsAsync();
        Assert.True(points.Count > 40, string.Join('\n', points));

        var faults = new List<string>();
        for (var at = 0; at < points.Count; at++)
        {
            if (await KillAsync(at, skipsFind: false) is { } fault) faults.Add($"{points[at]}: {fault}");
        }

        Assert.True(faults.Count == 0, string.Join('\n', faults));
    }

    [Fact]
    public async Task Without_find_the_same_kills_post_twice()
    {
        var points = await PointsAsync();
        var faults = new List<string>();
        for (var at = 0; at < points.Count; at++)
        {
            if (!points[at].Contains("outside.post", StringComparison.Ordinal)) continue;
            if (await KillAsync(at, skipsFind: true) is { } fault) faults.Add(fault);
        }

        Assert.NotEmpty(faults);
    }

    [Theory]
    [InlineData("POST /posts")]
    [InlineData("POST /charges")]
    [InlineData("POST /settings")]
    public async Task Killed_between_request_and_reply(string request)
    {
        await using var test = new TestPlatform();
        await test.OpenAsync();
        await test.DeployAsync(Program);
        var killed = new TaskCompletionSource();
        test.Outside.Arrived = async arrived =>
        {
            if (arrived != request || killed.Task.IsCompleted) return;
            await Task.Run(test.Platform.Crash);
            killed.SetResult();
        };

        var run = await test.SendAsync();
        await killed.Task.WaitAsync(TestPlatform.Timeout);
        await test.OpenAsync();
        var end = await test.EndAsync(run);

        Assert.Equal(RunOutcome.Completed, end.Summary.Outcome);
        Assert.Equal("half done", await test.OutputAsync(run));
        Assert.Single(test.Outside.Applied, applied => applied.Path == "/posts");
        Assert.Equal(request == "POST /charges" ? 2 : 1, test.Outside.Applied.Count(a => a.Path == "/charges"));
        Assert.Equal(request == "POST /charges" ? 2 : 1, Asks(end, "outside.charge"));
        Assert.Single(test.Outside.Applied.Where(a => a.Path == "/settings").Select(a => a.Body).Distinct());
    }

    [Fact]
    public async Task Killed_again_and_again_it_still_happens_once()
    {
        var chance = new Random(7);
        using var bound = new CancellationTokenSource(TimeSpan.FromSeconds(8));
        while (!bound.IsCancellationRequested)
        {
            await using var test = new TestPlatform();
            await test.OpenAsync();
            await test.DeployAsync(Program);
            var kills = 0;
            Arm(test, chance.Next(1, 60));
            var run = await test.SendAsync();
            while (await CrashedAsync(test, run) && ++kills < 6)
            {
                if (kills < 4) Arm(test, chance.Next(1, 40));
                else test.FailPoint = null;
                await test.OpenAsync();
            }
            test.FailPoint = null;
            var end = await test.EndAsync(run);

            Assert.Equal(RunOutcome.Completed, end.Summary.Outcome);
            Assert.Single(test.Outside.Applied, applied => applied.Path == "/posts");
            Assert.Equal("half done", await test.OutputAsync(run));
        }
    }

    /// <summary>All points that one undisturbed run passes, in order.</summary>
    static async Task<List<string>> PointsAsync()
    {
        var points = new List<string>();
        await using var test = new TestPlatform
        {
            FailPoint = (point, operation) => { lock (points) points.Add($"{point} {operation}"); },
        };
        await test.OpenAsync();
        await test.DeployAsync(Program);
        var end = await test.RunAsync();
        Assert.Equal(RunOutcome.Completed, end.Summary.Outcome);
        return points;
    }

    /// <summary>Kills at the n-th point, goes on, and looks at the ledger; null: all is as it must be.</summary>
    static async Task<string?> KillAsync(int at, bool skipsFind)
    {
        await using var test = new TestPlatform { SkipsFind = skipsFind };
        Arm(test, at + 1);
        await test.OpenAsync();
        await test.DeployAsync(Program);
        var run = await test.SendAsync();
        if (!await CrashedAsync(test, run)) return "was not reached";
        var chargesBefore = test.Outside.Applied.Count(applied => applied.Path == "/charges");
        test.FailPoint = null;
        await test.OpenAsync();
        var end = await test.EndAsync(run);

        if (end.Summary.Outcome != RunOutcome.Completed) return $"{end.Summary.Outcome}: {end.Summary.Message}";
        if (await test.OutputAsync(run) is not "half done" and var output) return $"output '{output}'";
        var posts = test.Outside.Applied.Count(applied => applied.Path == "/posts");
        if (posts != 1) return $"{posts} posts";
        var settings = test.Outside.Applied.Where(applied => applied.Path == "/settings").ToList();
        if (settings.Select(applied => applied.Body).Distinct().Count() != 1) return "the update differs";
        var charges = test.Outside.Applied.Count(applied => applied.Path == "/charges");
        if (charges > 2) return $"{charges} charges";
        if (charges == 2 && chargesBefore == 1 && Asks(end, "outside.charge") != 2)
            return "asked twice, and the timeline does not say so";
        var committed = chargesBefore == 1 && at >= await IndexAsync("after-commit outside.charge");
        return committed && charges != 1 ? $"{charges} charges after the commit" : null;
    }

    static async Task<int> IndexAsync(string point) => (await Points).IndexOf(point);

    static readonly Task<List<string>> Points = PointsAsync();

    static void Arm(TestPlatform test, int nth)
    {
        var count = 0;
        test.FailPoint = (_, _) =>
        {
            if (Interlocked.Increment(ref count) != nth) return;
            test.Platform.Crash();
            test.Crashed.TrySetResult();
            throw new OperationCanceledException("killed");
        };
        test.Crashed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }

    static async Task<bool> CrashedAsync(TestPlatform test, string run)
    {
        var ended = test.Platform.WaitForEndAsync(run);
        _ = ended.ContinueWith(end => end.Exception, TaskScheduler.Default);
        return await Task.WhenAny(test.Crashed.Task, ended).WaitAsync(TestPlatform.Timeout) == test.Crashed.Task;
    }

    static int Asks(RunDetail run, string operation) => run.Operations.Single(o => o.Name == operation).Asks;
}
