using Millrace.Sandbox;

namespace Millrace.Flows.Tests;

/// <summary>
/// A guest's worker dies; the server lives. What was paid for or sent gets its answer, and the run goes on.
/// </summary>
public sealed class WorkerLossTests
{
    readonly TaskCompletionSource _arrived = new(TaskCreationOptions.RunContinuationsAsynchronously);
    readonly TaskCompletionSource _isLost = new(TaskCreationOptions.RunContinuationsAsynchronously);
    readonly TaskCompletionSource _again = new(TaskCreationOptions.RunContinuationsAsynchronously);
    int _lives;

    [Theory]
    [InlineData("outside.charge", "/charges")]
    [InlineData("outside.post", "/posts")]
    [InlineData("outside.put", "/settings")]
    public async Task A_paid_call_or_a_write_under_way_is_finished_and_made_once(string operation, string path)
    {
        await using var test = new TestPlatform { SendDeadline = TimeSpan.FromSeconds(10) };
        await OpenAsync(test);
        await test.DeployAsync(door =>
        {
            var handle = door.Start(operation, """{"text":"a"}""");
            DieOnce();
            door.Wait(handle);
            return (int)door.Take(handle).State;
        });
        var id = await test.SendAsync();
        await AnswerLateAsync();

        var run = await test.EndAsync(id);

        Assert.Equal(RunOutcome.Completed, run.Summary.Outcome);
        Assert.Equal(2, run.Summary.Attempts);
        Assert.Equal(path, Assert.Single(test.Outside.Applied).Path);
        // Nobody had to look what became of it.
        Assert.Single(test.Outside.Seen);
    }

    [Fact]
    public async Task A_read_under_way_is_asked_again()
    {
        await using var test = new TestPlatform();
        await OpenAsync(test);
        await test.DeployAsync(door =>
        {
            var handle = door.Start("outside.read");
            DieOnce();
            door.Wait(handle);
            return (int)door.Take(handle).State;
        });
        var id = await test.SendAsync();
        await AnswerLateAsync();

        var run = await test.EndAsync(id);

        Assert.Equal(RunOutcome.Completed, run.Summary.Outcome);
        Assert.Equal(2, test.Outside.Seen.Count);
    }

    [Theory]
    [InlineData("outside.read", 2)]
    [InlineData("outside.charge", 1)]
    public async Task A_child_run_goes_on_in_another_worker_and_its_caller_hears_nothing(string operation, int seen)
    {
        await using var test = new TestPlatform();
        await OpenAsync(test);
        await test.DeployAsync(door => (int)door.Call(operation, """{"text":"a"}""").State);
        test.Reprogram(door =>
        {
            var method = operation == "outside.read" ? "GET" : "POST";
            var handle = door.Start("http.fetch", $$"""{"method":"{{method}}","url":"/charges"}""");
            DieOnce();
            door.Wait(handle);
            door.Take(handle);
            door.Write("{}\n");
            return 0;
        }, "outside");
        var id = await test.SendAsync();
        await AnswerLateAsync();

        var run = await test.EndAsync(id);

        Assert.Equal(RunOutcome.Completed, run.Summary.Outcome);
        Assert.Equal(1, run.Summary.Attempts);
        // The same child: what was paid for is in its journal, what was read is asked again.
        Assert.Single(run.Operations[0].Children);
        Assert.Equal(seen, test.Outside.Seen.Count);
        Assert.Contains(test.Notices, notice => notice.Contains("goes on: Its worker was lost", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_child_run_that_writes_is_settled_by_its_caller(bool diesBeforeItSends)
    {
        await using var test = new TestPlatform();
        await OpenAsync(test);
        await test.DeployAsync(door => (int)door.Call("outside.post", """{"text":"a"}""").State);
        test.Reprogram(door =>
        {
            var isWrite = door.Environment("MILLRACE_EVENT").Contains("\"post\"", StringComparison.Ordinal)
                && !door.Environment("MILLRACE_EVENT").Contains("\"for\"", StringComparison.Ordinal);
            if (isWrite && Interlocked.Increment(ref _lives) == 1)
            {
                if (diesBeforeItSends) throw new WorkerLostException("it ended with exit code 137");
                var key = System.Text.Json.Nodes.JsonNode.Parse(door.Environment("MILLRACE_EVENT"))!["operation"]!["key"];
                door.Call("http.fetch", """{"method":"POST","url":"/posts"}""", $"a {key}");
                throw new WorkerLostException("it ended with exit code 137");
            }

            return FakeOutside.Integration(door);
        }, "outside");
        _isLost.SetResult();

        var run = await test.RunAsync();

        Assert.Equal(RunOutcome.Completed, run.Summary.Outcome);
        Assert.Equal(1, run.Summary.Attempts);
        Assert.Single(test.Outside.Applied);
    }

    [Fact]
    public async Task A_run_whose_worker_dies_five_times_without_a_step_is_given_up()
    {
        await using var test = new TestPlatform();
        await test.OpenAsync();
        await test.DeployAsync(_ => throw new WorkerLostException("it ended with exit code 137"));

        var run = await test.RunAsync();

        Assert.Equal(RunOutcome.Lost, run.Summary.Outcome);
        Assert.Equal(6, run.Summary.Attempts);
        Assert.Contains(
            test.Notices, notice => notice.Contains("Its worker was lost: it ended with exit code 137", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_child_run_whose_worker_dies_without_end_loses_its_caller_at_last()
    {
        await using var test = new TestPlatform();
        await test.OpenAsync();
        await test.DeployAsync(door => (int)door.Call("outside.read").State);
        test.Reprogram(_ =>
        {
            Interlocked.Increment(ref _lives);
            throw new WorkerLostException("it ended with exit code 137");
        }, "outside");

        var run = await test.RunAsync();

        Assert.Equal(RunOutcome.Lost, run.Summary.Outcome);
        // The first attempt leaves a step, the operation's row; five without one follow.
        Assert.InRange(_lives, 25, 35);
    }

    [Fact]
    public async Task A_run_that_is_cancelled_while_its_paid_call_is_finished_ends_without_waiting_for_it()
    {
        await using var test = new TestPlatform();
        await OpenAsync(test);
        await test.DeployAsync(door =>
        {
            door.Start("outside.charge", """{"text":"a"}""");
            _arrived.Task.Wait();
            throw new WorkerLostException("it ended with exit code 137");
        });
        var id = await test.SendAsync();
        await _arrived.Task.WaitAsync(TestPlatform.Timeout);

        Assert.True(await test.Platform.CancelAsync(id));
        var run = await test.EndAsync(id);

        Assert.Equal(RunOutcome.Cancelled, run.Summary.Outcome);
        _isLost.SetResult();
    }

    /// <summary>The far side answers the first request when the worker is dead.</summary>
    Task<Platform> OpenAsync(TestPlatform test)
    {
        test.Outside.Arrived = _ =>
        {
            if (!_arrived.TrySetResult()) _again.TrySetResult();
            return _isLost.Task;
        };
        return test.OpenAsync();
    }

    /// <summary>Answers when the run, were it to go on at once, would have asked again.</summary>
    async Task AnswerLateAsync()
    {
        await _arrived.Task.WaitAsync(TestPlatform.Timeout);
        await Task.WhenAny(_again.Task, Task.Delay(100));
        _isLost.SetResult();
    }

    void DieOnce()
    {
        if (Interlocked.Increment(ref _lives) > 1) return;
        _arrived.Task.Wait();
        throw new WorkerLostException("it ended with exit code 137");
    }
}
