using System.Text.Json.Nodes;

namespace Millrace.Flows.Tests;

public sealed class OutcomeTests
{
    [Fact]
    public async Task A_failure_makes_one_run_that_knows_what_was_written()
    {
        JsonNode? told = null;
        var runs = 0;
        await using var test = new TestPlatform();
        await test.OpenAsync();
        await test.DeployAsync(door =>
        {
            runs++;
            var type = (string)JsonNode.Parse(door.Environment("MILLRACE_EVENT"))!["type"]!;
            if (type == "millrace.run.failed")
            {
                told = JsonNode.Parse(door.Input);
                return 5;
            }
            door.Call("outside.post", """{"text":"placeholder"}""");
            return 4;
        }, "on_failure: true");

        var failed = await test.RunAsync("""{"n":1}""");
        var answer = Assert.Single(await test.Platform.RunsAsync(), run => run.FailureOf == failed.Summary.Id);
        await test.EndAsync(answer.Id);

        Assert.Equal(2, runs);
        Assert.Equal("failed", (string)told!["outcome"]!);
        Assert.Equal(1, (int)told["event"]!["body"]!["n"]!);
        Assert.Equal(failed.Summary.Id, (string)told["run"]!);
        var write = Assert.Single(told["writes"]!.AsArray())!;
        Assert.Equal("outside.post", (string)write["operation"]!);
        Assert.Equal("placeholder", (string)write["head"]!["text"]!);
        Assert.Equal("done", (string)write["state"]!);
        Assert.Equal(1, (int)write["result"]!["answer"]!["id"]!);
        Assert.Equal(2, (await test.Platform.RunsAsync()).Length);
    }

    [Fact]
    public async Task A_failure_is_told_of_without_a_body_that_holds_half_a_surrogate_pair()
    {
        JsonNode? told = null;
        await using var test = new TestPlatform();
        await test.OpenAsync();
        await test.DeployAsync(door =>
        {
            var type = (string)JsonNode.Parse(door.Environment("MILLRACE_EVENT"))!["type"]!;
            if (type == "millrace.run.failed") told = JsonNode.Parse(door.Input);
            return 4;
        }, "on_failure: true");

        var failed = await test.RunAsync("""{"title":"\ud83d"}""");
        var answer = Assert.Single(await test.Platform.RunsAsync(), run => run.FailureOf == failed.Summary.Id);
        await test.EndAsync(answer.Id);

        Assert.Equal(RunOutcome.Failed, failed.Summary.Outcome);
        Assert.Null(told!["event"]!["body"]);
    }

    [Fact]
    public async Task A_guest_that_does_something_else_when_executed_again_diverges_before_it_sends()
    {
        await using var test = new TestPlatform();
        await test.OpenAsync();
        var arrived = new TaskCompletionSource();
        var never = new TaskCompletionSource();
        test.Outside.Arrived = async request =>
        {
            if (!arrived.TrySetResult()) return;
            await never.Task;
        };
        await test.DeployAsync(door =>
        {
            door.Call("kv.set", """{"key":"a"}""");
            return (int)door.Call("outside.read").State;
        });
        var id = await test.SendAsync();
        await arrived.Task.WaitAsync(TestPlatform.Timeout);
        await WriteTests.UntilAsync(test, id, run => run.Operations.Length == 2);

        test.Platform.Crash();
        test.Reprogram(door => (int)door.Call("outside.post", """{"text":"other"}""").State);
        await test.OpenAsync();
        var run = await test.EndAsync(id);

        Assert.Equal(RunOutcome.Diverged, run.Summary.Outcome);
        Assert.Empty(test.Outside.Applied);
    }

    [Fact]
    public async Task A_run_that_is_lost_five_times_without_a_step_is_given_up()
    {
        await using var test = new TestPlatform();
        await test.OpenAsync();
        await test.DeployAsync(_ => throw new InvalidOperationException("the sandbox is broken"));

        var run = await test.RunAsync();

        Assert.Equal(RunOutcome.Lost, run.Summary.Outcome);
        Assert.Equal(6, run.Summary.Attempts);
    }

    [Fact]
    public async Task A_planned_stop_puts_runs_back_and_never_counts()
    {
        await using var test = new TestPlatform();
        var arrived = new TaskCompletionSource();
        var never = new TaskCompletionSource();
        test.Outside.Arrived = request =>
        {
            arrived.TrySetResult();
            return request.StartsWith("GET", StringComparison.Ordinal) ? never.Task : Task.CompletedTask;
        };
        await test.OpenAsync();
        await test.DeployAsync(door =>
        {
            door.Call("outside.post", """{"text":"a"}""");
            door.Write("begun ");
            door.Call("outside.read");
            door.Write("done");
            return 0;
        });
        var id = await test.SendAsync();

        for (var i = 0; i < 7; i++)
        {
            await arrived.Task.WaitAsync(TestPlatform.Timeout);
            arrived = new();
            await test.RestartAsync();
        }
        never.SetResult();
        var run = await test.EndAsync(id);

        Assert.Equal(RunOutcome.Completed, run.Summary.Outcome);
        Assert.Equal("begun done", await test.OutputAsync(id));
        Assert.Single(test.Outside.Applied);
    }

    [Fact]
    public async Task A_planned_stop_waits_for_the_answer_of_a_write_that_was_sent()
    {
        await using var test = new TestPlatform { SendDeadline = TimeSpan.FromSeconds(20) };
        var arrived = new TaskCompletionSource();
        var release = new TaskCompletionSource();
        test.Outside.Arrived = _ =>
        {
            arrived.TrySetResult();
            return release.Task;
        };
        await test.OpenAsync();
        await test.DeployAsync(door => (int)door.Call("outside.blind", """{"text":"a"}""").State);
        var id = await test.SendAsync();
        await arrived.Task.WaitAsync(TestPlatform.Timeout);

        var restarting = test.RestartAsync();
        release.SetResult();
        await restarting;
        var run = await test.EndAsync(id);

        Assert.Equal(RunOutcome.Completed, run.Summary.Outcome);
        Assert.Single(test.Outside.Applied);
    }

    [Fact]
    public async Task A_guest_that_ends_before_its_write_is_answered_has_it_settled()
    {
        await using var test = new TestPlatform();
        test.Outside.Expect(Weather.AppliesThenFails);
        await test.OpenAsync();
        var sent = new TaskCompletionSource();
        test.Outside.Arrived = _ =>
        {
            sent.TrySetResult();
            return Task.CompletedTask;
        };
        await test.DeployAsync(door =>
        {
            door.Start("outside.post", """{"text":"a"}""");
            sent.Task.Wait();
            return 0;
        });

        var run = await test.RunAsync();

        Assert.Equal(RunOutcome.Completed, run.Summary.Outcome);
        Assert.Equal(OperationState.Done, run.Operations[0].State);
        Assert.Single(test.Outside.Applied);
    }

    [Fact]
    public async Task A_read_that_the_guest_cancels_is_broken_off()
    {
        await using var test = new TestPlatform();
        var never = new TaskCompletionSource();
        test.Outside.Arrived = request => request == "GET /posts" ? never.Task : Task.CompletedTask;
        await test.OpenAsync();
        await test.DeployAsync(door =>
        {
            var read = door.Start("outside.read");
            door.Cancel(read);
            return (int)door.Call("kv.get", """{"key":"a"}""").State;
        });

        var run = await test.RunAsync();

        Assert.Equal(RunOutcome.Completed, run.Summary.Outcome);
        Assert.Equal(OperationState.Cancelled, run.Operations[0].State);
        never.SetResult();
    }
}
