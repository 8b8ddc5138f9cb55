using System.Diagnostics;
using System.Text;
using Millrace.Cli;
using Millrace.Wasi;
using Millrace.Wasm;

namespace Millrace.Bench;

/// <summary>A fresh sandbox from a compiled module.</summary>
static class InstanceBench
{
    const int WarmUps = 3_000;
    const int Count = 20_000;
    const int SlowCount = 200; // each copies a megabyte
    const int DataBytes = 1 << 20;

    public static Task<Section> RunAsync(BenchPlan plan)
    {
        var hello = File.ReadAllBytes(Path.Combine(Shipped.Guest("hello"), "hello.wasm"));
        var large = WatText.ToBinary(Large());
        using var engine = new Engine();
        using var copying = new Engine(new() { MemoryImageBytesMax = 0 });
        var began = Stopwatch.GetTimestamp();
        var module = Module.Compile(engine, hello);
        var compiled = Stopwatch.GetElapsedTime(began);
        using var wasi = new WasiHost(new() { Stdout = Stream.Null });
        var linker = new Linker(engine);
        wasi.Define(linker);

        plan.Screen.Note("  hello");
        var small = Measure(plan, Count, linker, module, call: null);
        plan.Screen.Note("  hello, its first result");
        var first = Measure(plan, Count, linker, module, call: "_start");
        plan.Screen.Note("  hello, with a WASI of its own");
        var own = MeasureOwn(plan, engine, module);
        plan.Screen.Note("  1 MiB of data");
        var data = Measure(plan, Count, new(engine), Module.Compile(engine, large), call: "read");
        plan.Screen.Note("  1 MiB of data, copied");
        var copied = Measure(plan, SlowCount, new(copying), Module.Compile(copying, large), call: "read");

        return Task.FromResult(new Section("Instance creation",
            $"""
            `guests/hello/hello.wasm` ({hello.Length:#,0} bytes), compiled once
            ({Samples.Number(compiled.TotalMilliseconds, "ms")}, cold), and a module with 1 MiB of data segments in a memory
            of 2 MiB; each {Count:#,0} times: a store, linked, with memory, tables and data (*made*); a call; all given back
            (*freed*: what was written goes to the system). *Copied* is the same with `MemoryImageBytesMax` 0.
            """,
            new("hello made, p50 / p99", Both(small.Made), "< 10 µs / < 100 µs"),
            new("hello freed, p50 / p99", Both(small.Freed)),
            new("hello made, run to its end, p50 / p99", Both(first.Answered), "< 50 µs"),
            new("the same with a WASI of its own (46 functions bound), and freed", Both(own)),
            new("1 MiB made, p50 / p99", Both(data.Made), "< 10 µs / < 100 µs"),
            new("1 MiB made, and one byte read, p50 / p99", Both(data.Answered)),
            new("1 MiB freed, p50 / p99", Both(data.Freed)),
            new("1 MiB copied, made, p50 / p99", Both(copied.Made)),
            new("1 MiB copied, freed, p50 / p99", Both(copied.Freed))));
    }

    static string Both(Samples samples) => $"{samples.Microseconds(0.5)} / {samples.Microseconds(0.99)}";

    static (Samples Made, Samples Answered, Samples Freed) Measure(
        BenchPlan plan, int count, Linker linker, Module module, string? call)
    {
        var (made, answered, freed) = (new Samples(), new Samples(), new Samples());
        for (var i = -Math.Min(WarmUps, count); i < count; i++)
        {
            plan.Cancel.ThrowIfCancellationRequested();
            var began = Stopwatch.GetTimestamp();
            var store = new Store(linker.Engine);
            var instance = linker.Instantiate(store, module);
            var instantiated = Stopwatch.GetTimestamp();
            if (call is not null) Call(instance, call);
            var called = Stopwatch.GetTimestamp();
            store.Dispose();
            var ended = Stopwatch.GetTimestamp();
            if (i < 0) continue;
            made.Add(Stopwatch.GetElapsedTime(began, instantiated));
            answered.Add(Stopwatch.GetElapsedTime(began, called));
            freed.Add(Stopwatch.GetElapsedTime(called, ended));
        }
        return (made, answered, freed);
    }

    static Samples MeasureOwn(BenchPlan plan, Engine engine, Module module)
    {
        var samples = new Samples();
        for (var i = -WarmUps; i < Count; i++)
        {
            plan.Cancel.ThrowIfCancellationRequested();
            var began = Stopwatch.GetTimestamp();
            using (var store = new Store(engine))
            {
                using var wasi = new WasiHost(new() { Stdout = Stream.Null });
                var linker = new Linker(engine);
                wasi.Define(linker);
                Call(linker.Instantiate(store, module), "_start");
            }
            if (i >= 0) samples.AddSince(began);
        }
        return samples;
    }

    static void Call(Instance instance, string name)
    {
        try
        {
            instance.FindFunction(name)!.Call();
        }
        catch (ProcExitException)
        {
            // as programs end
        }
    }

    static string Large()
    {
        var text = new StringBuilder("""
            (module (memory 32) (func (export "read") (result i32) (i32.load8_u (i32.const 600000)))
              (data (i32.const 65536) "
            """);
        var random = new Random(1);
        for (var i = 0; i < DataBytes; i++) text.Append('\\').Append(random.Next(256).ToString("x2", null));
        return text.Append("\"))").ToString();
    }
}
