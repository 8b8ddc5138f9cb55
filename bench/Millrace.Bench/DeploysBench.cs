using System.Diagnostics;
using Millrace.Wasm;

namespace Millrace.Bench;

/// <summary>Small modules that change, compiled and run once each in one process: does their code go again?</summary>
static class DeploysBench
{
    const int Deploys = 10_000;
    const int BetweenLooks = 250;

    public static async Task<Section> RunAsync(BenchPlan plan)
    {
        using var engine = new Engine();
        var resident = new List<double>();
        var clock = Stopwatch.StartNew();
        for (var i = 0; i < Deploys; i++)
        {
            plan.Cancel.ThrowIfCancellationRequested();
            Deploy(engine, i);
            if ((i + 1) % BetweenLooks == 0) resident.Add(ResidentMiB());
        }

        var time = clock.Elapsed / Deploys;
        var quarter = resident.Count / 4;
        var (early, late) = (resident.Skip(quarter).Take(quarter).Average(), resident.TakeLast(quarter).Average());
        var plot = Path.Combine(plan.Plots, "deploys.svg");
        await File.WriteAllTextAsync(plot, MemoryPlot.Svg(
            $"Resident memory, MiB, over {Deploys:#,0} deploys in one process", Deploys, resident), plan.Cancel);
        return new("Deploys in one process",
            $"""
            {Deploys:#,0} modules of five functions, each another, compiled, instantiated and called once in one process by
            the collectible JIT path; resident memory every {BetweenLooks} of them: [deploys.svg](deploys.svg).
            """,
            new("one deploy", Samples.Number(time.TotalMilliseconds, "ms")),
            new("resident in the second quarter, average", Samples.Number(early, "MiB")),
            new("resident in the last quarter, average", Samples.Number(late, "MiB"), "as before"),
            new("growth between them", Samples.Number(100 * (late - early) / early, "%")));
    }

    static void Deploy(Engine engine, int number)
    {
        using var store = new Store(engine);
        var instance = new Linker(engine).Instantiate(store, Module.Compile(engine, WatText.ToBinary(Wat(number))));
        var answer = instance.FindFunction("run")!.Call(Value.From(1))[0].AsI32;
        if (answer != 1 + (4 * number)) throw new InvalidOperationException($"module {number} answered {answer}");
    }

    static string Wat(int number) => $"""
        (module
          (memory 1)
          (func $a (param i32) (result i32) (i32.add (local.get 0) (i32.const {number})))
          (func $b (param i32) (result i32) (call $a (call $a (local.get 0))))
          (func $c (param i32) (result i32) (i32.store (i32.const 8) (call $b (local.get 0))) (i32.load (i32.const 8)))
          (func $d (param i32) (result i32) (call $b (call $c (local.get 0))))
          (func (export "run") (param i32) (result i32) (call $d (local.get 0))))
        """;

    static double ResidentMiB()
    {
        using var process = Process.GetCurrentProcess();
        return process.WorkingSet64 / (double)(1 << 20);
    }
}
