using System.Text;
using Millrace.Wasi.Calls;
using Millrace.Wasm;

namespace Millrace.Wasi.Tests;

/// <summary>Whole programs in plain mode.</summary>
public sealed class ProgramRunTests
{
    const string Imports = """
        (import "wasi_snapshot_preview1" "fd_write" (func $fd_write (param i32 i32 i32 i32) (result i32)))
        (import "wasi_snapshot_preview1" "proc_exit" (func $proc_exit (param i32)))
        """;

    [Fact]
    public void Runs_a_program_to_its_exit_code()
    {
        var stdout = new MemoryStream();

        var end = ProgramRun.Execute(
            WatText.ToBinary($"""
                (module {Imports}
                  (memory (export "memory") 1)
                  (data (i32.const 0) "\08\00\00\00\06\00\00\00hello\n")
                  (func (export "_start")
                    (drop (call $fd_write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 100)))
                    (call $proc_exit (i32.const 3))))
                """),
            new() { Stdout = stdout });

        Assert.Equal((3, ""), (end.ExitCode, end.Message));
        Assert.Equal("hello\n", Encoding.UTF8.GetString(stdout.ToArray()));
    }

    [Fact]
    public void Lets_a_guest_without_memory_exit_and_faults_its_pointers()
    {
        var end = ProgramRun.Execute(
            WatText.ToBinary($"""
                (module {Imports} (func (export "_start")
                  (call $proc_exit (call $fd_write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 100)))))
                """),
            new());

        Assert.Equal(21, end.ExitCode);
    }

    [Fact]
    public void Tells_a_trap_as_an_aborted_program()
    {
        var end = ProgramRun.Execute(WatText.ToBinary("""(module (func $f unreachable) (func (export "_start") call $f))"""), new());

        Assert.Equal((134, "unreachable"), (end.ExitCode, end.Message));
        Assert.Equal("f", end.Backtrace[0]);
    }

    [Fact]
    public void Invokes_a_function_with_numbers()
    {
        var module = WatText.ToBinary("""
            (module
              (global $g (mut i32) (i32.const 0))
              (func (export "_initialize") (global.set $g (i32.const 1)))
              (func (export "f") (param i32 i64 f32 f64) (result i32 i64 f64)
                (i32.add (local.get 0) (global.get $g)) (local.get 1)
                (f64.add (f64.promote_f32 (local.get 2)) (local.get 3))))
            """);

        var end = ProgramRun.Execute(module, new(), Call("f", "4294967295", "-5", "0.5", "1.25"));

        Assert.Equal(["0", "-5", "1.75"], end.Results.ToArray());
        Assert.Throws<ArgumentException>(() => ProgramRun.Execute(module, new(), Call("f", "1")));
        Assert.Throws<ArgumentException>(() => ProgramRun.Execute(module, new(), Call("f", "x", "1", "1", "1")));
        Assert.Throws<ArgumentException>(() => ProgramRun.Execute(module, new(), Call("f", "4294967296", "1", "1", "1")));
        Assert.Throws<ArgumentException>(() => ProgramRun.Execute(module, new(), Call("g")));
        Assert.Throws<ArgumentException>(() => ProgramRun.Execute(module, new()));
    }

    [Fact]
    public void A_reactor_is_initialized_and_called_by_its_first_argument()
    {
        var module = WatText.ToBinary("""
            (module
              (global $g (mut i32) (i32.const 0))
              (func (export "_initialize") (global.set $g (i32.const 40)))
              (func (export "add") (param i32) (result i32) (i32.add (local.get 0) (global.get $g))))
            """);

        var called = ProgramRun.Execute(module, new(), new() { IsReactor = true, Arguments = ["add", "2"] });
        var idle = ProgramRun.Execute(module, new(), new() { IsReactor = true });

        Assert.Equal(["42"], called.Results.ToArray());
        Assert.Equal((0, ""), (idle.ExitCode, idle.Message));
    }

    [Fact]
    public void An_exception_that_nothing_catches_aborts_the_program()
    {
        var end = ProgramRun.Execute(
            WatText.ToBinary("""(module (tag $e (param i32)) (func $f (export "_start") (throw $e (i32.const 1))))"""), new());

        Assert.Equal((134, "f"), (end.ExitCode, end.Backtrace[0]));
        Assert.Equal("uncaught exception with a tag of type [i32] -> []", end.Message);
    }

    [Theory]
    [InlineData("(loop $l (br $l))")]
    [InlineData("(drop (call $poll (i32.const 0) (i32.const 64) (i32.const 1) (i32.const 128)))")]
    [InlineData("(drop (call $read (i32.const 0) (i32.const 200) (i32.const 1) (i32.const 128)))")]
    public void Time_that_is_over_ends_loops_sleeps_and_reads(string body)
    {
        var module = WatText.ToBinary($"""
            (module
              (import "wasi_snapshot_preview1" "poll_oneoff" (func $poll (param i32 i32 i32 i32) (result i32)))
              (import "wasi_snapshot_preview1" "fd_read" (func $read (param i32 i32 i32 i32) (result i32)))
              (memory (export "memory") 1)
              (data (i32.const 16) "\01\00\00\00") (data (i32.const 24) "\00\00\c1\6f\f2\86\23\00")
              (data (i32.const 200) "\00\01\00\00\10\00\00\00")
              (func (export "_start") {body}))
            """);
        using var stdin = new EndlessInput();

        var end = ProgramRun.Execute(
            module, new() { Stdin = stdin }, new() { Timeout = TimeSpan.FromMilliseconds(50) });

        Assert.Equal((134, "stopped: its 0.05 s are over"), (end.ExitCode, end.Message));
    }

    [Fact]
    public void Fuel_and_memory_have_their_limits()
    {
        var module = WatText.ToBinary("""
            (module (memory 1)
              (func (export "loop") (loop $l (br $l)))
              (func (export "grow") (param i32) (result i32) (memory.grow (local.get 0))))
            """);

        var empty = ProgramRun.Execute(module, new(), new() { Invoke = "loop", Fuel = 10_000 });
        Assert.Equal((134, "all fuel consumed"), (empty.ExitCode, empty.Message));
        var limit = new ProgramOptions { Invoke = "grow", MemoryBytesMax = 3 << 16 };
        Assert.Equal("1", ProgramRun.Execute(module, new(), limit with { Arguments = ["2"] }).Results[0]);
        Assert.Equal("-1", ProgramRun.Execute(module, new(), limit with { Arguments = ["3"] }).Results[0]);
        Assert.Throws<LinkException>(
            () => ProgramRun.Execute(module, new(), limit with { Arguments = ["1"], MemoryBytesMax = 1 }));
    }

    [Fact]
    public void Tells_what_is_missing_before_anything_runs()
    {
        Assert.Throws<LinkException>(
            () => ProgramRun.Execute(WatText.ToBinary("""(module (import "x" "y" (func)) (func (export "_start")))"""), new()));
        Assert.Throws<MalformedException>(() => ProgramRun.Execute("not a module"u8.ToArray(), new()));
    }

    [Fact]
    public void Reads_the_machines_clocks_and_sleeps()
    {
        var system = new MachineSystem(TimeProvider.System);
        var before = system.ReadClock(WasiClock.Monotonic);

        Assert.True(system.Sleep(2_000_000));

        Assert.True(system.ReadClock(WasiClock.Monotonic) - before >= 2_000_000);
        var realtime = DateTimeOffset.UnixEpoch.AddTicks(system.ReadClock(WasiClock.Realtime) / 100);
        Assert.InRange((TimeProvider.System.GetUtcNow() - realtime).TotalSeconds, 0, 60);
        Assert.True(system.ReadClock(WasiClock.ProcessCpu) > 0);
        foreach (var clock in Enum.GetValues<WasiClock>()) Assert.True(system.ClockResolution(clock) > 0);
    }

    static ProgramOptions Call(string function, params string[] arguments) =>
        new() { Invoke = function, Arguments = [.. arguments] };

    /// <summary>A terminal at which nobody types.</summary>
    sealed class EndlessInput : MemoryStream
    {
        readonly ManualResetEventSlim _closed = new();

        public override int Read(Span<byte> buffer)
        {
            _closed.Wait();
            return 0;
        }

        protected override void Dispose(bool disposing)
        {
            _closed.Set();
            base.Dispose(disposing);
        }
    }
}
