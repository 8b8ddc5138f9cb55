using System.Collections.Immutable;
using Millrace.Wasm;

namespace Millrace.Sandbox.Tests;

/// <summary>How an execution ends, and its limits.</summary>
public sealed class EndTests
{
    const string Forever = "(loop $l (br $l))";
    const string WaitOnce = "(drop (call $wait_one (call $op (i32.const 0)) (i32.const -1)))";

    readonly FakeRunHost _host = new();

    [Fact]
    public void Runs_a_program_on_its_input_with_arguments_environment_and_assets()
    {
        var guest = Wat.Program(Wat.TellsWhatItWasGiven, Wat.AssetName);

        var end = Runs.Execute(guest, _host, Runs.Request with
        {
            Arguments = ["prog"],
            Environment = ImmutableSortedDictionary.CreateRange([KeyValuePair.Create("A", "1")]),
            Input = "event"u8.ToArray(),
            Assets = ImmutableSortedDictionary.CreateRange([KeyValuePair.Create("/assets/a", (ReadOnlyMemory<byte>)"asset"u8.ToArray())]),
        });

        Assert.Equal(RunEndKind.Exited, end.Kind);
        Assert.Equal("prog\0A=1\0event", _host.OutputText);
        Assert.Equal("asset", _host.LogText);
        Assert.Equal(4 * 65536, end.MemoryBytesPeak);
    }

    [Fact]
    public void Tells_the_exit_code()
    {
        var end = Runs.Execute(Wat.Program("(call $proc_exit (i32.const 42))"), _host);

        Assert.Equal((RunEndKind.Exited, 42, "the guest ended with exit code 42"), (end.Kind, end.ExitCode, end.Message));
    }

    [Fact]
    public void Tells_an_exception_that_nothing_caught_as_a_trap_without_a_code()
    {
        var end = Runs.Execute(
            Wat.Program("(call $fall)", "(tag $e (param i32)) (func $fall (throw $e (i32.const 1)))"), _host);

        Assert.Equal((RunEndKind.Trapped, null), (end.Kind, end.Trap));
        Assert.Equal("uncaught exception with a tag of type [i32] -> []", end.Message);
        Assert.Equal("fall", end.Backtrace[0]);
    }

    [Fact]
    public void Tells_a_trap_with_its_place()
    {
        var end = Runs.Execute(Wat.Program("(call $fall)", "(func $fall unreachable)"), _host);

        Assert.Equal((RunEndKind.Trapped, TrapCode.Unreachable), (end.Kind, end.Trap));
        Assert.Equal("fall", end.Backtrace[0]);
    }

    [Fact]
    public void Tells_what_is_missing()
    {
        var noProgram = Runs.Execute(Wat.Module("(module)"), _host);
        var noImport = Runs.Execute(Wat.Module("""(module (import "env" "nothing" (func)) (func (export "_start")))"""), _host);

        Assert.Equal((RunEndKind.Trapped, "the module exports no program: there is no function _start"), (noProgram.Kind, noProgram.Message));
        Assert.Equal((RunEndKind.Trapped, TrapCode.UnknownImport), (noImport.Kind, noImport.Trap));
        Assert.Contains("nothing", noImport.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Stops_out_of_a_wait()
    {
        using var started = new ManualResetEventSlim();
        _host.OnStart = (_, _) => started.Set();
        var guest = Runs.Start(Wat.Program("(drop (call $wait_one (call $op (i32.const 0)) (i32.const -1)))"), _host);
        Assert.True(started.Wait(Runs.TestTimeout));

        _host.Run.Stop();

        Assert.Equal((RunEndKind.Stopped, "stopped by the host"), (guest.Wait().Kind, guest.Wait().Message));
    }

    [Fact]
    public void Stops_out_of_a_loop()
    {
        using var started = new ManualResetEventSlim();
        _host.OnStart = (_, _) => started.Set();
        var guest = Runs.Start(Wat.Program($"(drop (call $op (i32.const 0))) {Forever}"), _host);
        Assert.True(started.Wait(Runs.TestTimeout));

        _host.Run.Stop();

        Assert.Equal(RunEndKind.Stopped, guest.Wait().Kind);
    }

    [Fact]
    public void Starts_nothing_once_it_is_stopped()
    {
        _host.OnStart = (_, _) => _host.Run.Stop();

        var end = Runs.Execute(Wat.Program("(drop (call $op (i32.const 0))) (drop (call $op (i32.const 1)))"), _host);

        Assert.Equal(RunEndKind.Stopped, end.Kind);
        Assert.Single(_host.Started);
    }

    [Fact]
    public void Does_not_begin_when_it_is_stopped_before()
    {
        _host.Run = SandboxRun.Create(Wat.Engine, Wat.Program("(call $print_i32 (i32.const 1))"), Runs.Request, _host, TimeProvider.System);
        _host.Run.Stop();

        Assert.Equal(RunEndKind.Stopped, _host.Run.Execute().Kind);
        Assert.Empty(_host.Output);
    }

    [Fact]
    public void Ends_a_loop_when_its_CPU_time_is_used_up()
    {
        var end = Runs.Execute(Wat.Program(Forever), _host, WithLimits(new() { Cpu = TimeSpan.FromMilliseconds(50) }));

        Assert.Equal((RunEndKind.TimedOut, "the CPU time of 0.05 s is used up"), (end.Kind, end.Message));
        Assert.True(end.Cpu >= TimeSpan.FromMilliseconds(50), $"{end.Cpu}");
    }

    [Fact]
    public void Ends_a_wait_when_its_wall_time_is_used_up_and_counts_no_CPU_for_waiting()
    {
        WarmUp();

        var end = Runs.Execute(
            Wat.Program(WaitOnce), _host,
            WithLimits(new() { Wall = TimeSpan.FromMilliseconds(200), Cpu = TimeSpan.FromMilliseconds(190) }));

        Assert.Equal((RunEndKind.TimedOut, "the wall time of 0.2 s is used up"), (end.Kind, end.Message));
    }

    [Fact]
    public void Counts_re_execution_by_itself()
    {
        // The loop comes before what the journal holds: it is re-execution that does not end.
        var request = new OperationRequest("kv.get", "{}"u8.ToArray(), new byte[4]);
        var journal = new JournalPrefix(
            [new(0, "kv.get", request.Digest(), new(ResultState.Done, default, default, 0))], [new(DeliveryKind.Result, 0, 1)]);

        var end = Runs.Execute(
            Wat.Program(Forever), _host,
            WithLimits(new() { Cpu = TimeSpan.FromMilliseconds(50) }) with { Journal = journal });

        Assert.Equal((RunEndKind.TimedOut, "the CPU time of re-execution of 0.05 s is used up"), (end.Kind, end.Message));
    }

    [Theory]
    [InlineData("unreachable", RunEndKind.OutOfMemory)]
    [InlineData("(call $proc_exit (i32.const 134))", RunEndKind.OutOfMemory)]
    [InlineData("(call $proc_exit (i32.const 1))", RunEndKind.Exited)]
    [InlineData("", RunEndKind.Exited)]
    public void Is_out_of_memory_only_when_it_dies_of_a_refused_grow(string then, RunEndKind kind)
    {
        var limits = WithLimits(new() { MemoryBytesMax = 8 << 20 });

        var end = Runs.Execute(Wat.Program($"(drop (memory.grow (i32.const 1000))) {then}"), _host, limits);

        Assert.Equal(kind, end.Kind);
        Assert.True(end.MemoryBytesPeak <= 8 << 20);
    }

    [Fact]
    public void Is_out_of_memory_when_it_asks_for_too_much_from_the_start()
    {
        var limits = WithLimits(new() { MemoryBytesMax = 8 << 20 });

        var end = Runs.Execute(Wat.Module("""(module (memory 200) (func (export "_start")))"""), _host, limits);

        Assert.Equal(
            (RunEndKind.OutOfMemory, null, "the guest needed more than its 8 MiB of memory"),
            (end.Kind, end.Trap, end.Message));
    }

    [Fact]
    public void Is_out_of_memory_when_it_keeps_too_many_objects()
    {
        var limits = WithLimits(new() { MemoryBytesMax = 4 << 20 });

        var end = Runs.Execute(Wat.Module("""
            (module
              (type $node (struct (field (ref null $node))))
              (global $kept (mut (ref null $node)) (ref.null $node))
              (func (export "_start")
                (loop $more (global.set $kept (struct.new $node (global.get $kept))) (br $more))))
            """), _host, limits);

        Assert.Equal(
            (RunEndKind.OutOfMemory, null, "the guest needed more than its 4 MiB of memory"),
            (end.Kind, end.Trap, end.Message));
    }

    [Fact]
    public void Traps_that_have_nothing_to_do_with_memory_stay_traps() => Assert.Equal(
        RunEndKind.Trapped, Runs.Execute(Wat.Program("(drop (memory.grow (i32.const 1))) unreachable"), _host).Kind);

    [Fact]
    public void Takes_no_more_output_than_the_limit()
    {
        var guest = Wat.Program("""
            (local $errno i32)
            (loop $l
              (local.set $errno (call $write (i32.const 1) (i32.const 16) (i32.const 6)))
              (br_if $l (i32.eqz (local.get $errno))))
            (call $proc_exit (local.get $errno))
            """);

        var end = Runs.Execute(guest, _host, WithLimits(new() { OutputBytesMax = 1000 }));

        Assert.Equal(1000, _host.Output.Length);
        Assert.Equal(22, end.ExitCode);
    }

    [Fact]
    public void Wants_a_whole_seed() => Assert.Throws<ArgumentException>(() => SandboxRun.Create(
        Wat.Engine, Wat.Program(""), Runs.Request with { Seed = new byte[31] }, _host, TimeProvider.System));

    [Fact]
    public void Passes_a_fault_of_the_host_on_to_the_host()
    {
        _host.OnStart = (_, _) => throw new InvalidOperationException("the store is broken");

        var thrown = Assert.Throws<InvalidOperationException>(() => Runs.Execute(Wat.Program("(drop (call $op (i32.const 0)))"), _host));

        Assert.Equal("the store is broken", thrown.Message);
    }

    [Fact]
    public void Runs_many_at_a_time_each_with_its_own_end()
    {
        WarmUp();
        var limits = WithLimits(new() { Cpu = TimeSpan.FromMilliseconds(100) });
        var guests = Enumerable.Range(0, 16).Select(i =>
        {
            var host = new FakeRunHost();
            host.OnStart = (sequence, _) => host.Answer(sequence, "{}");
            return i % 2 == 0
                ? Runs.Start(Wat.Program(Forever), host, limits)
                : Runs.Start(Wat.Program(WaitOnce), host, limits);
        }).ToArray();

        for (var i = 0; i < guests.Length; i++)
            Assert.Equal(i % 2 == 0 ? RunEndKind.TimedOut : RunEndKind.Exited, guests[i].Wait().Kind);
    }

    /// <summary>Has the code compiled that a guest with little CPU time is measured by.</summary>
    static void WarmUp()
    {
        var host = new FakeRunHost();
        host.OnStart = (sequence, _) => host.Answer(sequence, "{}");
        Assert.Equal(RunEndKind.Exited, Runs.Execute(Wat.Program(WaitOnce), host).Kind);
    }

    static RunRequest WithLimits(RunLimits limits) => Runs.Request with { Limits = limits };
}
