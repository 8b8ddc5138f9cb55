using System.Collections.Immutable;
using System.Text;
using Millrace.Wasm;

namespace Millrace.Sandbox.Tests.Border;

/// <summary>What a run in a worker has in common with one in process: all of it.</summary>
public sealed class BorderTests
{
    const string Forever = "(loop $l (br $l))";
    const string WaitOnce = "(drop (call $wait_one (call $op (i32.const 0)) (i32.const -1)))";

    readonly FakeRunHost _host = new();

    public static TheoryData<string, string, string> Programs => new()
    {
        { "exit code", "(call $proc_exit (i32.const 42))", "" },
        { "trap with its place", "(call $fall)", "(func $fall unreachable)" },
        { "deep recursion", "(call $deep)", "(func $deep (call $deep))" },
        { "memory", "(drop (memory.grow (i32.const 1000))) unreachable", "" },
        { "CPU time", Forever, "" },
        { "missing import", "(call $nothing)", """(import "env" "nothing" (func $nothing))""" },
        { "bad handle", "(call $take (i32.const 7) (i32.const 0) (i32.const 0))", "" },
        { "bad pointer", "(drop (call $start (i32.const -9) (i32.const 6) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0)))", "" },
    };

    [Theory]
    [MemberData(nameof(Programs))]
    public async Task Ends_as_in_process(string what, string body, string more)
    {
        await using var border = new BorderPool();
        // Imports come before all else of a module.
        var isImport = more.StartsWith("(import", StringComparison.Ordinal);
        var bytes = isImport
            ? WatText.ToBinary($"""(module {more} (func (export "_start") {body}))""")
            : Wat.ProgramBytes(body, more);
        var request = Runs.Request with
        {
            Limits = new() { MemoryBytesMax = 8 << 20, Cpu = TimeSpan.FromMilliseconds(50) },
        };

        var here = Runs.Execute(Module.Compile(Wat.Engine, bytes), new(), request);
        var there = border.Execute(bytes, _host, request);

        Assert.True(here.Kind != RunEndKind.Exited || here.ExitCode == 42, what);
        Assert.Equal((here.Kind, here.ExitCode, here.Message, here.Trap, here.MemoryBytesPeak),
            (there.Kind, there.ExitCode, there.Message, there.Trap, there.MemoryBytesPeak));
        // How deep a stack goes is not the same on every thread.
        Assert.Equal(here.Backtrace.Take(8), there.Backtrace.Take(8));
        Assert.Equal(here.Cpu > TimeSpan.Zero, there.Cpu > TimeSpan.Zero);
    }

    [Fact]
    public async Task Brings_input_arguments_environment_and_assets()
    {
        await using var border = new BorderPool();
        var guest = Wat.ProgramBytes(Wat.TellsWhatItWasGiven, Wat.AssetName);
        var request = Runs.Request with
        {
            Arguments = ["prog"],
            Environment = ImmutableSortedDictionary.CreateRange([KeyValuePair.Create("A", "1")]),
            Input = "event"u8.ToArray(),
            Assets = ImmutableSortedDictionary.CreateRange(
                [KeyValuePair.Create("/assets/a", (ReadOnlyMemory<byte>)"asset"u8.ToArray())]),
        };

        // The second time the worker knows module and asset.
        for (var i = 0; i < 2; i++)
        {
            var host = new FakeRunHost();
            var end = border.Execute(guest, host, request);

            Assert.Equal(RunEndKind.Exited, end.Kind);
            Assert.Equal("prog\0A=1\0event", host.OutputText);
            Assert.Equal("asset", host.LogText);
        }

        Assert.Single(border.Pool.Workers);
    }

    [Theory]
    [InlineData(10)]
    [InlineData(1 << 20)]
    [InlineData(30 << 20)]
    public async Task Brings_bodies_of_every_size_both_ways(int size)
    {
        await using var border = new BorderPool();
        var body = new byte[size];
        new Random(size).NextBytes(body);
        _host.OnStart = (sequence, request) => _host.Answer(sequence, new(ResultState.Done, request.Head, request.Body, 1));
        var guest = Wat.ProgramBytes(
            """
            (local $h i32)
            (drop (memory.grow (i32.const 1000)))
            (i32.store (i32.const 1040) (i32.const 65536)) (i32.store (i32.const 1044) (i32.const 32000000))
            (drop (call $fd_read (i32.const 0) (i32.const 1040) (i32.const 1) (i32.const 3072)))
            (local.set $h (call $start (i32.const 16) (i32.const 6) (i32.const 32) (i32.const 2) (i32.const 65536)
              (i32.load (i32.const 3072))))
            (drop (call $wait_one (local.get $h) (i32.const -1)))
            (call $take (local.get $h) (i32.const 8192) (i32.const 33000000))
            (call $print (i32.const 33000000) (i32.load (i32.const 2408)))
            """);

        var end = border.Execute(guest, _host, Runs.Request with
        {
            Input = body,
            Limits = new() { MemoryBytesMax = 128 << 20, OutputBytesMax = 64 << 20 },
        });

        Assert.Equal((RunEndKind.Exited, ""), (end.Kind, end.Message));
        Assert.True(_host.Output.AsSpan().SequenceEqual(body));
    }

    [Fact]
    public async Task A_guest_that_waits_gives_its_slot_back_and_asks_for_none_when_its_answer_is_there()
    {
        await using var border = new BorderPool();
        // The first is answered at once, on the run's own thread; the second when the guest waits for it.
        _host.OnStart = (sequence, _) =>
        {
            if (sequence == 0) _host.Answer(sequence, "{}");
        };
        var waits = 0;
        _host.OnBeginWait = () =>
        {
            // The first is for the worker's start.
            if (++waits == 2) Task.Run(() => _host.Answer(1, "{}"));
        };

        var end = border.Execute(
            Wat.ProgramBytes($"{WaitOnce} {WaitOnce} (drop (call $wait (i32.const 0) (i32.const 0) (i32.const 20) (i32.const 2400)))"),
            _host);

        Assert.Equal(RunEndKind.Exited, end.Kind);
        Assert.Equal(3, _host.Waits);
        Assert.False(_host.IsWaiting);
        Assert.Equal([DeliveryKind.Result, DeliveryKind.Result, DeliveryKind.TimeOut], _host.Deliveries.Select(d => d.Kind));
    }

    [Fact]
    public async Task An_answer_that_is_not_waited_for_needs_no_slot()
    {
        await using var border = new BorderPool();
        var waits = 0;
        _host.OnBeginWait = () =>
        {
            if (++waits != 2) return;
            _host.Answer(0, "{}");
            _host.Answer(1, "{}");
        };

        var end = border.Execute(
            Wat.ProgramBytes("""
                (local $a i32) (local $b i32)
                (local.set $a (call $op (i32.const 0)))
                (local.set $b (call $op (i32.const 1)))
                (drop (call $wait_one (local.get $b) (i32.const -1)))
                (drop (call $wait_one (local.get $a) (i32.const -1)))
                """), _host);

        Assert.Equal(RunEndKind.Exited, end.Kind);
        Assert.Equal(2, _host.Waits);
        Assert.Equal([1, 0], _host.Deliveries.Select(d => d.Sequence));
    }

    [Theory]
    [InlineData(WaitOnce)]
    [InlineData("(drop (call $op (i32.const 0))) " + Forever)]
    public async Task Stops_out_of_a_wait_and_out_of_a_loop(string body)
    {
        await using var border = new BorderPool();
        _host.OnStart = (_, _) => _host.Remote!.Stop();

        var end = border.Execute(Wat.ProgramBytes(body), _host);

        Assert.Equal((RunEndKind.Stopped, "stopped by the host"), (end.Kind, end.Message));
        Assert.False(_host.IsWaiting);
    }

    [Fact]
    public async Task Does_not_begin_when_it_is_stopped_before()
    {
        await using var border = new BorderPool();
        var run = border.Pool.Create("test", Wat.ProgramBytes("(call $print_i32 (i32.const 1))"), Runs.Request, _host);
        run.Stop();

        Assert.Equal(RunEndKind.Stopped, (await Task.Run(() => run.Execute())).Kind);
        Assert.Empty(_host.Output);
    }

    [Fact]
    public async Task Takes_no_more_output_than_the_limit()
    {
        await using var border = new BorderPool();
        var guest = Wat.ProgramBytes("""
            (local $errno i32)
            (loop $l
              (local.set $errno (call $write (i32.const 1) (i32.const 16) (i32.const 6)))
              (br_if $l (i32.eqz (local.get $errno))))
            (call $proc_exit (local.get $errno))
            """);

        var end = border.Execute(guest, _host, Runs.Request with { Limits = new() { OutputBytesMax = 1000 } });

        Assert.Equal(1000, _host.Output.Length);
        Assert.Equal(22, end.ExitCode);
    }

    [Fact]
    public async Task Passes_a_fault_of_the_host_on_and_ends_the_guest_first()
    {
        await using var border = new BorderPool();
        _host.OnStart = (_, _) => throw new InvalidOperationException("the store is broken");

        var thrown = await Assert.ThrowsAsync<InvalidOperationException>(
            () => border.Start(Wat.ProgramBytes($"(drop (call $op (i32.const 0))) {Forever}"), _host));

        Assert.Equal("the store is broken", thrown.Message);
    }

    [Fact]
    public async Task Runs_many_at_a_time_in_one_worker_each_with_its_own_output_and_end()
    {
        await using var border = new BorderPool();
        var guest = Wat.ProgramBytes("""
            (local $i i32)
            (loop $l
              (call $take_print (call $op_waited (local.get $i)))
              (local.set $i (i32.add (local.get $i) (i32.const 1)))
              (br_if $l (i32.lt_u (local.get $i) (i32.const 50))))
            """, """
            (func $op_waited (param $n i32) (result i32) (local $h i32)
              (local.set $h (call $op (local.get $n)))
              (drop (call $wait_one (local.get $h) (i32.const -1)))
              (local.get $h))
            """);
        var hosts = Enumerable.Range(0, 12).Select(i =>
        {
            var host = new FakeRunHost();
            host.OnStart = (sequence, _) =>
            {
                var answer = new OperationResult(ResultState.Done, Encoding.UTF8.GetBytes($"{i}:{sequence};"), default, 1);
                if (sequence % 2 == 0) host.Answer(sequence, answer);
                else Task.Run(() => host.Answer(sequence, answer));
            };
            return host;
        }).ToArray();

        var ends = await Task.WhenAll(hosts.Select(host => border.Start(guest, host))).WaitAsync(Runs.TestTimeout);

        Assert.All(ends, end => Assert.Equal(RunEndKind.Exited, end.Kind));
        for (var i = 0; i < hosts.Length; i++)
        {
            var expected = string.Concat(Enumerable.Range(0, 50).Select(n => $"{i}:{n};"));
            Assert.Equal(expected, string.Concat(hosts[i].OutputText.Where(letter => letter >= ' ')));
        }

        Assert.Single(border.Pool.Workers);
    }

    [Fact]
    public async Task Says_what_is_wrong_with_a_module()
    {
        await using var border = new BorderPool();
        var invalid = WatText.ToBinary("""(module (func (result i32) i32.const 1))""");
        invalid[^3] = 0x42;

        Assert.Null(await border.Pool.CheckAsync("test", Wat.ProgramBytes("")));
        Assert.NotEmpty((await border.Pool.CheckAsync("test", invalid))!);
        Assert.NotEmpty((await border.Pool.CheckAsync("test", new byte[] { 1, 2, 3 }))!);
    }
}
