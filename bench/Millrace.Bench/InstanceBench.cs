using System.Diagnostics;
using Millrace.Cli;
using Millrace.Wasi;
using Millrace.Wasm;

namespace Millrace.Bench;

/// <summary>A fresh sandbox from a compiled module.</summary>
static class InstanceBench
{
    const int WarmUps = 3_000;
    const int Count = 20_000;

    public static Task<Section> RunAsync(BenchPlan plan)
    {
        var bytes = File.ReadAllBytes(Path.Combine(Shipped.Guest("hello"), "hello.wasm"));
        using var engine = new Engine();
        var began = Stopwatch.GetTimestamp();
        var module = Module.Compile(engine, bytes);
        var compiled = Stopwatch.GetElapsedTime(began);
        using var wasi = new WasiHost(new());
        var linker = new Linker(engine);
        wasi.Define(linker);
        var (instances, surroundings) = (new Samples(), new Samples());
        for (var i = -WarmUps; i < Count; i++)
        {
            plan.Cancel.ThrowIfCancellationRequested();
            var instance = Instance(engine, linker, module);
            var surrounded = Surrounded(engine, module);
            if (i < 0) continue;
            instances.Add(instance);
            surroundings.Add(surrounded);
        }

        return Task.FromResult(new Section("Instance creation",
            $"""
            `guests/hello/hello.wasm` ({bytes.Length:#,0} bytes), compiled once
            ({Samples.Number(compiled.TotalMilliseconds, "ms")}, cold); then {Count:#,0} times store, link,
            memory, tables and data segments, freed again. The second line adds what a run brings along: a WASI of its own
            with 46
            functions bound.
            """,
            new("store and instance, p50 / p99", Both(instances), "< 50 µs"),
            new("with a WASI of its own, p50 / p99", Both(surroundings))));
    }

    static string Both(Samples samples) => $"{samples.Microseconds(0.5)} / {samples.Microseconds(0.99)}";

    static TimeSpan Instance(Engine engine, Linker linker, Module module)
    {
        var began = Stopwatch.GetTimestamp();
        using (var store = new Store(engine)) linker.Instantiate(store, module);
        return Stopwatch.GetElapsedTime(began);
    }

    static TimeSpan Surrounded(Engine engine, Module module)
    {
        var began = Stopwatch.GetTimestamp();
        using (var store = new Store(engine))
        {
            using var wasi = new WasiHost(new());
            var linker = new Linker(engine);
            wasi.Define(linker);
            linker.Instantiate(store, module);
        }
        return Stopwatch.GetElapsedTime(began);
    }
}
