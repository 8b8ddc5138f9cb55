using System.Collections.Concurrent;
using Millrace.Sandbox.Protocol;

namespace Millrace.Sandbox.Tests.Border;

/// <summary>Which worker serves whom, and for how long.</summary>
public sealed class WorkerPoolTests
{
    static readonly byte[] Module = Wat.ProgramBytes("(call $print_i32 (i32.const 1))");

    [Fact]
    public async Task Runs_of_a_group_share_a_worker_and_groups_never_do()
    {
        await using var border = new BorderPool();

        foreach (var group in (string[])["a", "b", "a", "b"]) border.Execute(Module, new(), group: group);

        Assert.Equal(["a", "b"], border.Pool.Workers.Select(worker => worker.Group).Order());
    }

    [Fact]
    public async Task A_spare_serves_the_first_run_and_another_takes_its_place()
    {
        await using var border = new BorderPool(BorderPool.Standard with { Spares = 1, SpareDelay = TimeSpan.Zero });
        border.Pool.Warm();
        await Runs.UntilAsync(() => border.Pool.Workers is [{ Group: "" }]);
        var spare = border.Pool.Workers[0].ProcessId;

        border.Execute(Module, new());

        await Runs.UntilAsync(() => border.Pool.Workers.Length == 2);
        Assert.Equal(spare, border.Pool.Workers.Single(worker => worker.Group == "test").ProcessId);
    }

    [Fact]
    public async Task A_worker_is_replaced_after_so_many_runs()
    {
        await using var border = new BorderPool(BorderPool.Standard with { RunsMax = 2 });
        var served = new List<int>();
        var host = new FakeRunHost();

        for (var i = 0; i < 4; i++)
        {
            host = new FakeRunHost { OnBeginWait = () => served.Add(border.Pool.Workers.Length) };
            border.Execute(Module, host);
        }

        // Two workers were started, each while no other served.
        Assert.Equal(2, served.Count);
        await Runs.UntilAsync(() => border.Pool.Workers.Length == 0);
        Assert.Empty(border.Notices);
    }

    [Fact]
    public async Task A_worker_that_grew_too_large_is_replaced()
    {
        await using var border = new BorderPool(BorderPool.Standard with { MemoryBytesMax = 1 });

        border.Execute(Module, new());
        await Runs.UntilAsync(() => border.Pool.Workers is [{ MemoryBytes: > 0 }]);
        border.Execute(Module, new());

        await Runs.UntilAsync(() => border.Pool.Workers.Length == 0);
    }

    [Fact]
    public async Task A_worker_with_many_modules_is_replaced()
    {
        await using var border = new BorderPool(BorderPool.Standard with { ModulesMax = 3 });

        for (var i = 0; i < 3; i++) border.Execute(Wat.ProgramBytes($"(call $print_i32 (i32.const {i}))"), new());

        await Runs.UntilAsync(() => border.Pool.Workers.Length == 0);
    }

    [Fact]
    public async Task A_run_that_goes_on_keeps_its_worker_while_others_get_a_new_one()
    {
        await using var border = new BorderPool(BorderPool.Standard with { RunsMax = 1 });
        var host = new FakeRunHost();
        var started = new TaskCompletionSource();
        host.OnStart = (_, _) => started.SetResult();
        var waiting = border.Start(
            Wat.ProgramBytes("(drop (call $wait_one (call $op (i32.const 0)) (i32.const -1)))"), host);
        await started.Task.WaitAsync(Runs.TestTimeout);
        border.Execute(Module, new());

        border.Execute(Module, new());
        host.Answer(0, "{}");

        Assert.Equal(RunEndKind.Exited, (await waiting.WaitAsync(Runs.TestTimeout)).Kind);
        await Runs.UntilAsync(() => border.Pool.Workers.Length == 0);
    }

    [Fact]
    public async Task Idle_workers_are_ended()
    {
        var time = new ManualTime();
        await using var border = new BorderPool(BorderPool.Standard with { Time = time });
        border.Execute(Module, new());

        time.Advance(TimeSpan.FromMinutes(29));
        Assert.Single(border.Pool.Workers);
        time.Advance(TimeSpan.FromMinutes(2));

        await Runs.UntilAsync(() => border.Pool.Workers.Length == 0);
        Assert.Empty(border.Notices);
    }

    [Fact]
    public async Task After_a_worker_died_the_next_run_gets_another()
    {
        var launched = new ConcurrentQueue<ILaunchedWorker>();
        await using var border = new BorderPool(launch: path =>
        {
            var isFirst = launched.IsEmpty;
            var worker = isFirst ? ThreadWorker.Fake(fake => fake.Begin())(path) : ThreadWorker.Launch(path);
            launched.Enqueue(worker);
            return worker;
        });

        await Assert.ThrowsAsync<WorkerLostException>(() => border.Start(Module, new()).WaitAsync(Runs.TestTimeout));
        var end = border.Execute(Module, new());

        Assert.Equal(RunEndKind.Exited, end.Kind);
        Assert.Equal(2, launched.Count);
        await Runs.UntilAsync(() => border.Notices is [var notice] && notice.Contains("is gone", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Workers_that_all_die_are_not_started_without_end()
    {
        var launched = 0;
        await using var border = new BorderPool(launch: path =>
        {
            Interlocked.Increment(ref launched);
            return ThreadWorker.Fake(fake => fake.Greet())(path);
        });

        await Assert.ThrowsAsync<WorkerLostException>(() => border.Start(Module, new()).WaitAsync(Runs.TestTimeout));

        Assert.InRange(launched, 1, 3);
    }

    [Fact]
    public async Task A_program_that_is_not_there_is_said()
    {
        await using var pool = new WorkerPool(new() { Command = ["/nowhere/millrace"], Spares = 0 });
        var run = pool.Create("test", Module, Runs.Request, new FakeRunHost());

        var lost = await Assert.ThrowsAsync<WorkerLostException>(() => Task.Run(run.Execute));

        Assert.Contains("/nowhere/millrace", lost.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_closed_pool_ends_its_workers_and_starts_none()
    {
        var border = new BorderPool();
        border.Execute(Module, new());

        await border.DisposeAsync();

        Assert.Empty(border.Pool.Workers);
        await Assert.ThrowsAsync<WorkerLostException>(() => border.Start(Module, new()));
    }

    /// <summary>Time that goes on when it is told to; its timers then ring.</summary>
    sealed class ManualTime : TimeProvider
    {
        readonly List<(TimerCallback Callback, object? State)> _periodic = [];
        TimeSpan _elapsed;

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public override long GetTimestamp() => _elapsed.Ticks;

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
        {
            if (period != Timeout.InfiniteTimeSpan) _periodic.Add((callback, state));
            return System.CreateTimer(_ => { }, null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        }

        public void Advance(TimeSpan by)
        {
            _elapsed += by;
            foreach (var (callback, state) in _periodic) callback(state);
        }
    }
}
