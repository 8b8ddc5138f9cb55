using System.Collections.Concurrent;
using Millrace.Sandbox.Protocol;

namespace Millrace.Sandbox.Tests.Border;

/// <summary>A worker that was taken over says what it likes. The host stays well, ends it, and says why.</summary>
public sealed class HostileWorkerTests
{
    static readonly byte[] Module = Wat.ProgramBytes("");

    readonly FakeRunHost _host = new();
    readonly ConcurrentBag<ThreadWorker> _workers = [];

    static readonly (string Why, Action<FakeWorker, uint> Do)[] AllBreaches =
    [
        ("a frame of 2882417682 bytes", (worker, _) => worker.Say([0x12, 0x34, 0xce, 0xab, 0, 0, 0, 0, 0, 0, 0, 0])),
        ("a frame of 0 bytes", (worker, _) => worker.Say(new byte[64])),
        ("a frame of 1048577 bytes", (worker, _) => worker.Say([1, 0, 16, 0, 9, 1, 0, 0, 0])),
        ("there is no run 77", (worker, _) => worker.Send(FakeWorker.Ended(77))),
        ("there is no run 2", (worker, run) => worker.Send(FakeWorker.Start(run + 1, 0))),
        ("in a message '200'", (worker, run) => worker.Send(new((Verb)200, run))),
        ("not a word of a worker", (worker, _) => worker.Send(new(Verb.Load, 0))),
        ("not a word about a run", (worker, run) => worker.Send(new(Verb.Run, run))),
        ("it ends 8 bytes too early", (worker, run) => worker.Send(new(Verb.Start, run))),
        ("nobody asked for that", (worker, _) => worker.Send(new MessageWriter(Verb.Stats, 0).Long(1))),
        ("nobody asked for that", (worker, _) => worker.Send(new MessageWriter(Verb.Loaded, 0).Raw(new byte[32]))),
        ("it is not what the door lets through", (worker, run) => worker.Send(FakeWorker.Start(run, 0, head: "{"))),
        ("it is not what the door lets through", (worker, run) => worker.Send(FakeWorker.Start(run, 0, name: ""))),
        ("129 is more than 128", (worker, run) => worker.Send(FakeWorker.Start(run, 0, name: new string('a', 129)))),
        ("operation 0 comes after 0", (worker, run) =>
        {
            worker.Send(FakeWorker.Start(run, 0));
            worker.Send(FakeWorker.Start(run, 0));
        }),
        ("more is open than the door lets through", (worker, run) =>
        {
            for (var i = 0; i < 1000; i++) worker.Send(FakeWorker.Start(run, i));
        }),
        ("more is open than the door lets through", (worker, run) =>
        {
            for (var i = 0; i < 3; i++) worker.Send(FakeWorker.Start(run, i, body: new byte[30 << 20]));
        }),
        ("is more than", (worker, run) => worker.Send(FakeWorker.Start(run, 0, body: new byte[(32 << 20) + 1]))),
        ("a message of more than", (worker, run) => worker.Send(FakeWorker.Start(run, 0, body: new byte[100 << 20]))),
        ("no Result of operation 0", (worker, run) => worker.Send(FakeWorker.Deliver(run, DeliveryKind.Result, 0))),
        ("no Result of operation 0", (worker, run) =>
        {
            worker.Send(FakeWorker.Start(run, 0, "answered"));
            worker.Hear();
            worker.Send(FakeWorker.Deliver(run, DeliveryKind.Result, 0));
            worker.Send(FakeWorker.Deliver(run, DeliveryKind.Result, 0));
        }),
        ("no Part of operation", (worker, run) => worker.Send(FakeWorker.Deliver(run, DeliveryKind.Part, 0))),
        ("no Cancel of operation 5", (worker, run) => worker.Send(FakeWorker.Deliver(run, DeliveryKind.Cancel, 5))),
        ("no TimeOut of operation 5", (worker, run) => worker.Send(FakeWorker.Deliver(run, DeliveryKind.TimeOut, 5))),
        ("there is no stream", (worker, run) => worker.Send(FakeWorker.Output(run, (OutputStream)9, 0, [1]))),
        ("byte 10 comes after 0", (worker, run) => worker.Send(FakeWorker.Output(run, OutputStream.Log, 10, [1]))),
        ("byte -1 comes after 0", (worker, run) => worker.Send(FakeWorker.Output(run, OutputStream.Log, -1, [1]))),
        ("more output than the limit", (worker, run) =>
        {
            for (var at = 0L; ; at += 1 << 19)
                worker.Send(FakeWorker.Output(run, OutputStream.Result, at, new byte[1 << 19]));
        }),
        ("it waits already", (worker, run) =>
        {
            worker.Send(new MessageWriter(Verb.Wait, run).Int(0));
            worker.Send(new MessageWriter(Verb.Wait, run).Int(0));
        }),
        ("1000000 is more than 4096", (worker, run) => worker.Send(new MessageWriter(Verb.Wait, run).Int(1_000_000))),
        ("nobody stopped it", (worker, run) => worker.Send(FakeWorker.Ended(run, RunEndKind.Stopped))),
        ("is no RunEndKind", (worker, run) => worker.Send(FakeWorker.Ended(run, (RunEndKind)90))),
        ("is less than nothing", (worker, run) =>
            worker.Send(RunCoding.Write(run, new(RunEndKind.Exited, 0, "") { MemoryBytesPeak = -1 }))),
        ("is no trap", (worker, run) =>
            worker.Send(RunCoding.Write(run, new(RunEndKind.Trapped, 0, "") { Trap = (Wasm.TrapCode)99 }))),
        ("a message within another one", (worker, run) =>
        {
            worker.Say([6, 0, 0, 0, (byte)Verb.Part, (byte)run, 0, 0, 0, 1]);
            worker.Send(FakeWorker.Ended(run + 1));
        }),
        ("not a word of a worker", (worker, _) =>
        {
            for (var i = 0; i < 1000; i++) worker.Send(new MessageWriter(Verb.Log, 0).Text("noise"));
        }),
    ];

    public static TheoryData<int, string> Breaches
    {
        get
        {
            var breaches = new TheoryData<int, string>();
            for (var i = 0; i < AllBreaches.Length; i++) breaches.Add(i, AllBreaches[i].Why);
            return breaches;
        }
    }

    [Theory]
    [MemberData(nameof(Breaches))]
    public async Task Whoever_breaks_the_protocol_is_killed_and_its_run_is_lost(int breach, string why)
    {
        await using var border = Border(worker =>
        {
            var run = worker.Begin();
            AllBreaches[breach].Do(worker, run);
            worker.Killed.Wait();
        });
        _host.OnStart = (sequence, request) =>
        {
            if (request.Name == "answered") _host.Answer(sequence, "{}");
        };

        var lost = await Assert.ThrowsAsync<WorkerLostException>(
            () => border.Start(Module, _host).WaitAsync(Runs.TestTimeout));

        Assert.StartsWith("it broke the protocol: ", lost.Message, StringComparison.Ordinal);
        Assert.Contains(why, lost.Message, StringComparison.Ordinal);
        await Assert.Single(_workers).Killed.WaitAsync(Runs.TestTimeout);
        Assert.False(_host.IsWaiting);
    }

    [Fact]
    public async Task Bytes_by_chance_end_the_worker_and_nothing_else()
    {
        var chance = new Random(7);
        for (var i = 0; i < 200; i++)
        {
            var noise = new byte[chance.Next(1, 4000)];
            chance.NextBytes(noise);
            // Half of them look like frames to begin with.
            if (i % 2 == 0)
            {
                BitConverter.TryWriteBytes(noise.AsSpan(), chance.Next(5, 300));
                if (noise.Length > 9) noise.AsSpan(5, 4).Clear();
                if (noise.Length > 9 && i % 4 == 0) noise[5] = 1;
                if (noise.Length > 4) noise[4] = (byte)chance.Next(0, 20);
            }

            await using var border = Border(worker =>
            {
                worker.Begin();
                worker.Say(noise);
            });

            await Assert.ThrowsAsync<WorkerLostException>(
                () => border.Start(Module, new()).WaitAsync(Runs.TestTimeout));
        }
    }

    [Theory]
    // Which of its two ends the host sees first, of its socket or of its process, is chance.
    [InlineData("the worker did not start", 0)]
    [InlineData("it is not the first word", 1)]
    [InlineData("it is of another version", 2)]
    [InlineData("a frame of", 3)]
    [InlineData("did not start", 4)]
    public async Task A_worker_that_greets_wrongly_is_not_taken(string why, int what)
    {
        await using var border = Border(worker =>
        {
            if (what == 1) worker.Send(new(Verb.Log, 0));
            if (what == 2) worker.Send(new MessageWriter(Verb.Hello, 0).Int(99));
            if (what == 3) worker.Say("HTTP/1.1 200 OK\r\n\r\n"u8);
            if (what > 0) worker.Killed.Wait();
        }, BorderPool.Standard with { StartTimeout = TimeSpan.FromMilliseconds(300) });

        var lost = await Assert.ThrowsAsync<WorkerLostException>(
            () => border.Start(Module, _host).WaitAsync(Runs.TestTimeout));

        Assert.Contains(why, lost.Message, StringComparison.Ordinal);
        Assert.Empty(border.Pool.Workers);
    }

    [Fact]
    public async Task A_worker_that_never_compiles_is_killed()
    {
        await using var border = Border(
            worker =>
            {
                worker.Greet();
                worker.Killed.Wait();
            },
            BorderPool.Standard with { LoadTimeout = TimeSpan.FromMilliseconds(100) });

        var lost = await Assert.ThrowsAsync<WorkerLostException>(
            () => border.Start(Module, _host).WaitAsync(Runs.TestTimeout));

        Assert.Contains("did not compile", lost.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_worker_that_does_not_stop_a_run_is_killed_and_the_run_is_stopped()
    {
        await using var border = Border(
            worker =>
            {
                var run = worker.Begin();
                worker.Send(FakeWorker.Start(run, 0));
                worker.Killed.Wait();
            },
            BorderPool.Standard with { StopGrace = TimeSpan.FromMilliseconds(50) });
        _host.OnStart = (_, _) => _host.Remote!.Stop();

        var end = await border.Start(Module, _host).WaitAsync(Runs.TestTimeout);

        Assert.Equal(RunEndKind.Stopped, end.Kind);
        await Assert.Single(_workers).Killed.WaitAsync(Runs.TestTimeout);
        // The log line is written behind the kill.
        await Runs.UntilAsync(() => border.Notices.Any(
            notice => notice.Contains("did not end a run", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task A_worker_that_never_answers_is_killed_at_the_deadline_and_the_run_has_timed_out()
    {
        await using var border = Border(
            worker =>
            {
                worker.Begin();
                worker.Killed.Wait();
            },
            BorderPool.Standard with { StopGrace = TimeSpan.FromMilliseconds(50) });

        var end = await border.Start(
            Module, _host, Runs.Request with { Limits = new() { Wall = TimeSpan.FromMilliseconds(100) } })
            .WaitAsync(Runs.TestTimeout);

        Assert.Equal((RunEndKind.TimedOut, "the wall time of 0.1 s is used up"), (end.Kind, end.Message));
        await Assert.Single(_workers).Killed.WaitAsync(Runs.TestTimeout);
    }

    [Fact]
    public async Task A_worker_that_reads_nothing_holds_up_nobody()
    {
        await using var border = Border(
            worker =>
            {
                var run = worker.Begin();
                worker.Send(FakeWorker.Start(run, 0));
                worker.Killed.Wait();
            },
            BorderPool.Standard with { SendTimeout = TimeSpan.FromSeconds(1) });
        TimeSpan took = default;
        _host.OnStart = (sequence, _) =>
        {
            var began = System.Diagnostics.Stopwatch.GetTimestamp();
            _host.Answer(sequence, new(ResultState.Done, "{}"u8.ToArray(), new byte[20 << 20], 1));
            took = System.Diagnostics.Stopwatch.GetElapsedTime(began);
        };

        var lost = await Assert.ThrowsAsync<WorkerLostException>(
            () => border.Start(Module, _host).WaitAsync(Runs.TestTimeout));

        Assert.Contains("took nothing from its socket", lost.Message, StringComparison.Ordinal);
        // Handing a result over is not the place where somebody waits for a worker.
        Assert.True(took < TimeSpan.FromSeconds(1), $"{took}");
    }

    [Fact]
    public async Task A_worker_that_dies_loses_its_runs_and_says_so_once()
    {
        var begun = new CountdownEvent(2);
        await using var border = Border(worker =>
        {
            worker.Begin();
            // The second run comes without a load.
            worker.Hear();
        });
        var first = border.Start(Module, _host);
        var second = border.Start(Module, new FakeRunHost());

        await Assert.ThrowsAsync<WorkerLostException>(() => first.WaitAsync(Runs.TestTimeout));
        var lost = await Assert.ThrowsAsync<WorkerLostException>(() => second.WaitAsync(Runs.TestTimeout));

        Assert.Equal("it ended with exit code 0", lost.Message);
        Assert.Single(_workers);
        begun.Dispose();
    }

    [Fact]
    public async Task What_a_worker_says_stands_in_the_log_as_plain_text()
    {
        await using var border = Border(worker =>
        {
            var run = worker.Begin();
            worker.Send(new MessageWriter(Verb.Log, 0).Text("\u001b[2Jfake\nline"));
            worker.Send(FakeWorker.Ended(run));
        });

        await border.Start(Module, _host).WaitAsync(Runs.TestTimeout);

        Assert.Contains(border.Notices, notice => notice.EndsWith("[2Jfake line", StringComparison.Ordinal));
    }

    BorderPool Border(Action<FakeWorker> work, WorkerOptions? options = null) => new(
        options, ThreadWorker.Fake(work, new Collector(_workers)));

    sealed class Collector(ConcurrentBag<ThreadWorker> bag) : System.Collections.ObjectModel.Collection<ThreadWorker>
    {
        protected override void InsertItem(int index, ThreadWorker item) => bag.Add(item);
    }
}
