using System.Collections.Concurrent;
using System.Diagnostics;

namespace Millrace.Wasm.Tests.Runtime;

public sealed class HammerTests
{
    static readonly TimeSpan Duration = TimeSpan.FromSeconds(2);

    const string Text = """
        (module
          (import "host" "allocate" (func $allocate (param i32) (result i32)))
          (memory (export "memory") 1)
          (table 2 funcref) (elem (i32.const 0) $count)
          (func $count (param i32) (result i32)
            (loop $l
              (i32.store (i32.const 8) (i32.add (i32.load (i32.const 8)) (i32.const 1)))
              (br_if $l (i32.lt_u (i32.load (i32.const 8)) (local.get 0))))
            (call $allocate (local.get 0)))
          (func $deep (export "deep") (param i32) (result i32)
            (i32.add (call $deep (local.get 0)) (i32.const 1)))
          (func (export "count") (param i32) (result i32)
            (call_indirect (param i32) (result i32) (local.get 0) (i32.const 0)))
          (func (export "outside") (param i32) (result i32) (i32.load offset=65533 (local.get 0)))
          (func (export "null") (param i32) (result i32)
            (call_indirect (param i32) (result i32) (local.get 0) (i32.const 1)))
          (func (export "forever") (param i32) (result i32) (loop $l (br $l)) (i32.const 0)))
        """;

    static readonly (string Name, TrapCode? Code)[] Calls =
    [
        ("count", null), ("deep", TrapCode.CallStackExhausted), ("outside", TrapCode.OutOfBoundsMemoryAccess),
        ("null", TrapCode.UninitializedElement), ("forever", TrapCode.Interrupted),
    ];

    [Fact]
    public void Traps_interrupts_and_collections_on_several_threads_stay_apart()
    {
        using var engine = new Engine();
        var module = Module.Compile(engine, WatText.ToBinary(Text));
        var failures = new ConcurrentQueue<string>();
        var clock = Stopwatch.StartNew();

        Parallel.For(0, 4, new ParallelOptions { MaxDegreeOfParallelism = 4 }, worker =>
        {
            for (var i = worker; clock.Elapsed < Duration; i++)
            {
                var (name, expected) = Calls[i % Calls.Length];
                if (Run(engine, module, name) is var got && got != expected) failures.Enqueue($"{name}: {got}");
            }
        });

        Assert.Empty(failures);
    }

    static TrapCode? Run(Engine engine, Module module, string name)
    {
        using var store = new Store(engine, new StoreLimits { StackBytesMax = 128 << 10 });
        var linker = new Linker(engine);
        linker.Define("host", "allocate", FunctionType.Of([ValueType.I32], [ValueType.I32]), (_, arguments, results) =>
        {
            GC.KeepAlive(new byte[100_000]);
            GC.Collect(0);
            results[0] = arguments[0];
        });
        var instance = linker.Instantiate(store, module);
        using var timer = name == "forever" ? new Timer(_ => store.Interrupt(), null, 5, Timeout.Infinite) : null;
        try
        {
            var result = instance.FindFunction(name)!.Call(Value.From(1000))[0].AsI32;
            return result == 1000 ? null : TrapCode.HostFault;
        }
        catch (TrapException trap)
        {
            return trap.Code;
        }
    }
}
