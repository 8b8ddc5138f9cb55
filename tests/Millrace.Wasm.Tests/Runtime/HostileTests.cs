using System.Diagnostics;
using System.Globalization;

namespace Millrace.Wasm.Tests.Runtime;

/// <summary>Modules that attack, and what becomes of them; all else is well afterwards.</summary>
public sealed class HostileTests
{
    // It takes milliseconds; the rest is for a busy machine.
    static readonly TimeSpan StopMax = TimeSpan.FromSeconds(10);

    // Long enough to be in the middle of it.
    static readonly TimeSpan Run = TimeSpan.FromMilliseconds(100);

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

    public static TheoryData<string> Names => [.. HostileCase.Names];

    [Theory]
    [MemberData(nameof(Names))]
    public void A_hostile_module_gets_what_it_must_and_nobody_else_notices(string name)
    {
        var attack = HostileCase.Read(name);
        using var engine = new Engine();
        using var neighbour = Guest.FromWat(Neighbour, engine: engine);
        var before = neighbour.CallI32("sum");

        using (var store = new Store(engine, attack.Limits))
        {
            Assert.Equal(attack.Expected, Attack(attack, store, out var instance));
            if (attack.Afterwards is { } afterwards)
                Assert.Equal(afterwards, $"check {Returned(instance!.FindFunction("check")!.Call())}");
        }

        Assert.Equal("neighbour".Sum(letter => letter), before);
        Assert.Equal(before, neighbour.CallI32("sum"));
    }

    /// <summary>What happened, in the words of the expectation where it holds.</summary>
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

    static string UntilStopped(Store store, Function run)
    {
        var stopped = 0L;
        using var timer = new Timer(_ =>
        {
            Volatile.Write(ref stopped, Stopwatch.GetTimestamp());
            store.Interrupt();
        }, null, Run, Timeout.InfiniteTimeSpan);
        var trap = Assert.Throws<TrapException>(() => run.Call(Zeros(run)));
        Assert.Equal(TrapCode.Interrupted, trap.Code);
        Assert.InRange(Stopwatch.GetElapsedTime(Volatile.Read(ref stopped)), TimeSpan.Zero, StopMax);
        return "stopped";
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
