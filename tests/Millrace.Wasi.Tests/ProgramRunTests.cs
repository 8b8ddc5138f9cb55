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

        var end = ProgramRun.Execute(module, new(), "f", ["4294967295", "-5", "0.5", "1.25"]);

        Assert.Equal(["0", "-5", "1.75"], end.Results.ToArray());
        Assert.Throws<ArgumentException>(() => ProgramRun.Execute(module, new(), "f", ["1"]));
        Assert.Throws<ArgumentException>(() => ProgramRun.Execute(module, new(), "f", ["x", "1", "1", "1"]));
        Assert.Throws<ArgumentException>(() => ProgramRun.Execute(module, new(), "f", ["4294967296", "1", "1", "1"]));
        Assert.Throws<ArgumentException>(() => ProgramRun.Execute(module, new(), "g"));
        Assert.Throws<ArgumentException>(() => ProgramRun.Execute(module, new()));
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
}
