using System.Text.Json.Nodes;
using Millrace.Sandbox;

namespace Millrace.Flows.Tests;

public sealed class QueueTests
{
    static string Trigger(string concurrency) =>
        "triggers: [{on: http, partition: \"{pr}\", concurrency: " + concurrency + "}]";

    /// <summary>A review: a placeholder, a long look, the finished text.</summary>
    static int Review(GuestDoor door)
    {
        door.Call("outside.post", """{"text":"placeholder"}""");
        if (door.Call("outside.read").State == ResultState.Error) return 1;
        door.Call("outside.put", """{"text":"finished"}""");
        return 0;
    }

    static async Task<TestPlatform> OpenAsync(string concurrency, Func<GuestDoor, int> program, string more = "")
    {
        var test = new TestPlatform();
        await test.OpenAsync();
        await test.DeployAsync(program);
        await test.DeployFilesAsync("flow.yaml",
            $$"""
            millrace: 1
            name: flow
            module: flow.wasm
            {{Trigger(concurrency)}}
            grants:
              outside: {connection: acc, operations: [read, post, put, blind]}
            {{more}}
            """, "flow.wasm");
        return test;
    }

    [Fact]
    public async Task Nine_events_of_one_partition_at_once_make_one_finished_run()
    {
        await using var test = await OpenAsync("cancel-running", Review);

        var accepted = await Task.WhenAll(Enumerable.Range(0, 9).Select(_ =>
            test.Platform.AcceptAsync(TestPlatform.Event("""{"pr":1}"""))));
        var runs = new List<RunDetail>();
        foreach (var one in accepted) runs.Add(await test.EndAsync(one.Runs[0]));

        Assert.Single(runs, run => run.Summary.Outcome == RunOutcome.Completed);
        Assert.Equal(8, runs.Count(run => run.Summary.Outcome == RunOutcome.Superseded));
        Assert.Single(test.Outside.Applied, applied => applied.Path == "/settings");
    }

    [Fact]
    public async Task An_event_whose_partition_is_half_a_surrogate_pair_makes_no_run()
    {
        await using var test = await OpenAsync("queue", Review);

        var accepted = await test.Platform.AcceptAsync(TestPlatform.Event("""{"pr":"\ud83d"}"""));

        Assert.Empty(accepted.Runs);
    }

    [Fact]
    public async Task Runs_of_one_partition_are_executed_one_at_a_time_and_in_order()
    {
        var inside = 0;
        var order = new List<string>();
        await using var test = await OpenAsync("queue", door =>
        {
            Assert.Equal(1, Interlocked.Increment(ref inside));
            lock (order) order.Add(door.Input);
            door.Call("outside.read");
            Interlocked.Decrement(ref inside);
            return 0;
        });
        var bodies = Enumerable.Range(0, 5).Select(i => $$"""{"pr":1,"n":{{i}}}""").ToList();

        var ids = new List<string>();
        foreach (var body in bodies) ids.Add(await test.SendAsync(body));
        foreach (var id in ids) Assert.Equal(RunOutcome.Completed, (await test.EndAsync(id)).Summary.Outcome);

        Assert.Equal(bodies, order);
    }

    [Fact]
    public async Task Replace_queued_leaves_the_running_one_alone()
    {
        var release = new TaskCompletionSource();
        var running = new TaskCompletionSource();
        await using var test = await OpenAsync("replace-queued", Review);
        test.Outside.Arrived = request =>
        {
            if (!request.StartsWith("GET", StringComparison.Ordinal)) return Task.CompletedTask;
            running.TrySetResult();
            return release.Task;
        };

        var first = await test.SendAsync("""{"pr":1}""");
        await running.Task.WaitAsync(TestPlatform.Timeout);
        var second = await test.SendAsync("""{"pr":1}""");
        var third = await test.SendAsync("""{"pr":1}""");
        release.SetResult();

        Assert.Equal(RunOutcome.Completed, (await test.EndAsync(first)).Summary.Outcome);
        Assert.Equal(RunOutcome.Superseded, (await test.EndAsync(second)).Summary.Outcome);
        Assert.Equal(RunOutcome.Completed, (await test.EndAsync(third)).Summary.Outcome);
    }

    [Fact]
    public async Task A_superseded_run_finishes_the_write_that_is_under_way_and_keeps_its_partition_until_then()
    {
        var release = new TaskCompletionSource();
        var arrived = new TaskCompletionSource();
        await using var test = await OpenAsync("cancel-running", Review);
        test.SendDeadline = TimeSpan.FromSeconds(30);
        test.Outside.Arrived = request =>
        {
            if (request != "POST /posts" || !arrived.TrySetResult()) return Task.CompletedTask;
            return release.Task;
        };

        var first = await test.SendAsync("""{"pr":1}""");
        await arrived.Task.WaitAsync(TestPlatform.Timeout);
        var second = await test.SendAsync("""{"pr":1}""");
        var waits = (await test.Platform.RunAsync(second))!.Summary.State;
        release.SetResult();
        var superseded = await test.EndAsync(first);

        Assert.Equal(RunState.Queued, waits);
        Assert.Equal(RunOutcome.Superseded, superseded.Summary.Outcome);
        Assert.Equal(OperationState.Done, superseded.Operations[0].State);
        Assert.Equal(RunOutcome.Completed, (await test.EndAsync(second)).Summary.Outcome);
    }

    [Fact]
    public async Task A_superseded_run_withdraws_a_write_that_was_not_applied()
    {
        await using var test = await OpenAsync("cancel-running", Review);
        var arrived = new TaskCompletionSource();
        var release = new TaskCompletionSource();
        test.Outside.Expect(Weather.Fails);
        test.Outside.Arrived = request =>
        {
            if (request != "POST /posts" || !arrived.TrySetResult()) return Task.CompletedTask;
            return release.Task;
        };

        var first = await test.SendAsync("""{"pr":1}""");
        await arrived.Task.WaitAsync(TestPlatform.Timeout);
        var second = await test.SendAsync("""{"pr":1}""");
        release.SetResult();
        var superseded = await test.EndAsync(first);
        await test.EndAsync(second);

        Assert.Equal(OperationState.Withdrawn, superseded.Operations[0].State);
        Assert.Single(test.Outside.Applied, applied => applied.Path == "/posts");
    }

    [Fact]
    public async Task A_run_superseded_before_a_crash_ends_as_superseded_after_it()
    {
        await using var test = await OpenAsync("cancel-running", Review);
        var arrived = new TaskCompletionSource();
        var never = new TaskCompletionSource();
        test.Outside.Arrived = request =>
        {
            if (request != "POST /posts" || !arrived.TrySetResult()) return Task.CompletedTask;
            return never.Task;
        };
        var first = await test.SendAsync("""{"pr":1}""");
        await arrived.Task.WaitAsync(TestPlatform.Timeout);
        var second = await test.SendAsync("""{"pr":1}""");

        await test.CrashAsync();
        var superseded = await test.EndAsync(first);
        var completed = await test.EndAsync(second);

        Assert.Equal(RunOutcome.Superseded, superseded.Summary.Outcome);
        Assert.Equal(OperationState.Done, superseded.Operations[0].State);
        Assert.Equal(RunOutcome.Completed, completed.Summary.Outcome);
        Assert.Equal(2, test.Outside.Applied.Count(applied => applied.Path == "/posts"));
    }

    [Fact]
    public async Task A_cancelled_run_starts_nothing_more_and_its_failure_is_answered_first()
    {
        var arrived = new TaskCompletionSource();
        var never = new TaskCompletionSource();
        var order = new List<string>();
        await using var test = await OpenAsync("queue", door =>
        {
            var type = (string)JsonNode.Parse(door.Environment("MILLRACE_EVENT"))!["type"]!;
            lock (order) order.Add(type);
            if (type != "http") return 0;
            return door.Input.Contains("slow", StringComparison.Ordinal) ? (int)door.Call("outside.read").State : 0;
        }, "on_failure: true");
        test.Outside.Arrived = _ =>
        {
            arrived.TrySetResult();
            return never.Task;
        };

        var first = await test.SendAsync("""{"pr":1,"slow":1}""");
        await arrived.Task.WaitAsync(TestPlatform.Timeout);
        var later = await test.SendAsync("""{"pr":1}""");
        Assert.True(await test.Platform.CancelAsync(first));
        var cancelled = await test.EndAsync(first);
        await test.EndAsync(later);
        never.SetResult();

        Assert.Equal(RunOutcome.Cancelled, cancelled.Summary.Outcome);
        Assert.Equal(OperationState.Cancelled, cancelled.Operations[0].State);
        Assert.Equal(["http", "millrace.run.failed", "http"], order);
        Assert.False(await test.Platform.CancelAsync(first));
    }

    [Fact]
    public async Task A_cancelled_run_in_the_queue_ends_before_its_turn()
    {
        var never = new TaskCompletionSource();
        await using var test = await OpenAsync("queue", Review);
        test.Outside.Arrived = _ => never.Task;

        var first = await test.SendAsync("""{"pr":1}""");
        var second = await test.SendAsync("""{"pr":1}""");
        await test.Platform.CancelAsync(second);
        var cancelled = await test.EndAsync(second);
        never.SetResult();
        await test.EndAsync(first);

        Assert.Equal(RunOutcome.Cancelled, cancelled.Summary.Outcome);
        Assert.Empty(cancelled.Operations);
    }
}
