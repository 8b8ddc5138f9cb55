using System.Diagnostics;
using System.Globalization;
using Millrace.Wasm;

namespace Millrace.Fuzz.Hostile;

/// <summary>Runs a module that attacks, and tells what became of it in the words of its expectation.</summary>
static class HostileRun
{
    // It takes milliseconds; the rest is for a busy machine.
    static readonly TimeSpan StopMax = TimeSpan.FromSeconds(10);

    // Long enough to be in the middle of it.
    static readonly TimeSpan UntilInterrupt = TimeSpan.FromMilliseconds(100);

    const string Neighbour = """
        (module
          (memory (export "memory") 1)
          (data (i32.const 0) "neighbour")
          (func (export "sum") (result i32) (local $at i32) (local $sum i32)
            (loop $next
              (local.set $sum (i32.add (local.get $sum) (i32.load8_u (local.get $at))))
              (br_if $next (i32.lt_u (local.tee $at (i32.add (local.get $at) (i32.const 1))) (i32.const 65536))))
            (local.get $sum)))
        """;

    /// <summary>What happened; the expectation where all was as it must be.</summary>
    public static string Of(HostileCase attack, EngineOptions options)
    {
        using var engine = new Engine(options);
        using var well = new Engine();
        using var beside = new Store(well);
        var neighbour = new Linker(well).Instantiate(beside, Module.Compile(well, WatText.ToBinary(Neighbour)))
            .FindFunction("sum")!;
        var before = neighbour.Call()[0].AsI32;
        var happened = Of(attack, engine);
        if (before != "neighbour".Sum(letter => letter)) return "the neighbour began wrong";
        return before == neighbour.Call()[0].AsI32 ? happened : "the neighbour's memory was changed";
    }

    static string Of(HostileCase attack, Engine engine)
    {
        using var store = new Store(engine, attack.Limits);
        var happened = Attack(attack, store, out var instance);
        if (happened != attack.Expected || attack.Afterwards is null) return happened;
        var check = $"check {Returned(instance!.FindFunction("check")!.Call())}";
        return check == attack.Afterwards ? happened : check;
    }

    static string Attack(HostileCase attack, Store store, out Instance? instance)
    {
        instance = null;
        try
        {
            var module = Module.Compile(store.Engine, WatText.ToBinary(attack.Wat));
            instance = Linker(store).Instantiate(store, module);
            var run = instance.FindFunction("run")!;
            return attack.Expected == "stopped" ? UntilStopped(store, run) : Returned(run.Call(Zeros(run)));
        }
        catch (MalformedException e)
        {
            return Said(attack, "malformed", e);
        }
        catch (InvalidException e)
        {
            return Said(attack, "invalid", e);
        }
        catch (UnsupportedFeatureException e)
        {
            return Said(attack, "unsupported", e);
        }
        catch (LinkException e)
        {
            return Said(attack, "link", e);
        }
        catch (TrapException e)
        {
            return Said(attack, instance is null ? "start trap" : "trap", e);
        }
    }

    static string UntilStopped(Store store, Function run) => TimeToStop(store, run) switch
    {
        null => "returns",
        { } time => time.Wall <= StopMax ? "stopped" : "stopped too late",
    };

    /// <summary>
    /// From the interrupt to the trap, of a module that must be stopped: by the clock, and what this process had of the
    /// CPU meanwhile, which a busy machine does not change. Null: it ended by itself.
    /// </summary>
    public static (TimeSpan Wall, TimeSpan Cpu)? TimeToStop(HostileCase attack)
    {
        using var engine = new Engine();
        using var store = new Store(engine, attack.Limits);
        var module = Module.Compile(engine, WatText.ToBinary(attack.Wat));
        return TimeToStop(store, Linker(store).Instantiate(store, module).FindFunction("run")!);
    }

    static (TimeSpan Wall, TimeSpan Cpu)? TimeToStop(Store store, Function run)
    {
        var (stopped, used) = (0L, 0L);
        using var timer = new Timer(_ =>
        {
            Volatile.Write(ref used, Environment.CpuUsage.TotalTime.Ticks);
            Volatile.Write(ref stopped, Stopwatch.GetTimestamp());
            store.Interrupt();
        }, null, UntilInterrupt, Timeout.InfiniteTimeSpan);
        try
        {
            run.Call(Zeros(run));
            return null;
        }
        catch (TrapException trap) when (trap.Code == TrapCode.Interrupted)
        {
            var cpu = Environment.CpuUsage.TotalTime - TimeSpan.FromTicks(Volatile.Read(ref used));
            return (Stopwatch.GetElapsedTime(Volatile.Read(ref stopped)), cpu);
        }
    }

    static string Said(HostileCase attack, string phase, WasmException error)
    {
        var isAsExpected = attack.Expected.StartsWith($"{phase}: ", StringComparison.Ordinal)
            && error.Message.Contains(attack.Expected[(phase.Length + 2)..], StringComparison.Ordinal);
        return isAsExpected ? attack.Expected : $"{phase}: {error.Message}";
    }

    static string Returned(Value[] values) =>
        values.Length == 0 ? "returns" : $"returns {values[0].AsI32.ToString(CultureInfo.InvariantCulture)}";

    static Value[] Zeros(Function run) => new Value[run.Type.Parameters.Length];

    static Linker Linker(Store store)
    {
        var linker = new Linker(store.Engine);
        linker.Define("host", "nothing", FunctionType.Of([], []), (_, _, _) => { });
        linker.Define("host", "again", FunctionType.Of([], []), (caller, _, _) =>
            caller.Instance.FindFunction("run")!.Call());
        return linker;
    }
}
