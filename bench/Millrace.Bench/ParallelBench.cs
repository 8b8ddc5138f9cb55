using System.Diagnostics;
using Millrace.Bench.Kernels;
using Millrace.Cli;
using Millrace.Wasm;

namespace Millrace.Bench;

/// <summary>64 instances of one module on one thread, and on as many as there are cores.</summary>
static class ParallelBench
{
    const int Instances = 64;
    const int Rounds = 7;
    const int Creations = 4_000; // of each instance's place

    public static async Task<Section> RunAsync(BenchPlan plan)
    {
        var wasm = await File.ReadAllBytesAsync(KernelProcess.Shipped("kernels.wasm"), plan.Cancel);
        var hello = await File.ReadAllBytesAsync(Path.Combine(Shipped.Guest("hello"), "hello.wasm"), plan.Cancel);
        using var engine = new Engine();
        var kernels = Module.Compile(engine, wasm);
        var small = Module.Compile(engine, hello);
        var linker = new Linker(engine) { TrapUnknownImports = true };
        var cores = Environment.ProcessorCount;

        plan.Screen.Note("  running");
        var running = Compare(plan, cores, _ => Run(linker, kernels));
        plan.Screen.Note("  making");
        var making = Compare(plan, cores, _ =>
        {
            for (var i = 0; i < Creations / Instances; i++) Make(linker, small);
        });

        return new("Instances on several cores",
            $"""
            {Instances} instances of the kernels, each made, called (`siphash`, `sieve`, `tree`) and freed, on one thread and
            on {cores}, one for each core; then {Creations:#,0} instances of hello made and freed. Wall clock, median of
            {Rounds} rounds in turn. *Contended* is .NET's count of waits for a lock in all rounds on {cores} threads: the
            locks on the way are the store's own, which nobody else takes; what waits in between for its next instance is
            swapped in and out of its place without one.

            What keeps the speed-up from {cores} is the kernel's: page faults of one process share its lock of the address
            space, and each page that is taken away stops the other threads. Making and freeing takes nothing away any more
            where few pages were written; the kernels write more than a waiting memory keeps.
            """,
            new($"running: on one thread, on {cores}", Both(running)),
            new("running: speed-up", Ratio(running), $"{cores}"),
            new("running: locks contended", $"{running.Contended}", "0"),
            new($"making: on one thread, on {cores}", Both(making)),
            new("making: speed-up", Ratio(making), $"{cores}"),
            new("making: locks contended", $"{making.Contended}", "0"));
    }

    static (Samples One, Samples All, long Contended) Compare(BenchPlan plan, int cores, Action<int> work)
    {
        var (one, all, contended) = (new Samples(), new Samples(), 0L);
        for (var round = -1; round < Rounds; round++) // the first compiles
        {
            plan.Cancel.ThrowIfCancellationRequested();
            var alone = Time(1, work);
            var before = Monitor.LockContentionCount;
            var together = Time(cores, work);
            if (round < 0) continue;
            contended += Monitor.LockContentionCount - before;
            one.Add(alone);
            all.Add(together);
        }
        return (one, all, contended);
    }

    // Threads of our own, or the pool's growing would be measured.
    static TimeSpan Time(int threads, Action<int> work)
    {
        var next = 0;
        Thread[] workers = [.. Enumerable.Range(0, threads).Select(_ => new Thread(Work))];
        var began = Stopwatch.GetTimestamp();
        foreach (var worker in workers) worker.Start();
        foreach (var worker in workers) worker.Join();
        return Stopwatch.GetElapsedTime(began);

        void Work()
        {
            for (var i = Interlocked.Increment(ref next); i <= Instances; i = Interlocked.Increment(ref next)) work(i);
        }
    }

    static void Run(Linker linker, Module module)
    {
        using var store = new Store(linker.Engine);
        var instance = linker.Instantiate(store, module);
        foreach (var kernel in (string[])["siphash", "sieve", "tree"])
            instance.FindFunction(kernel)!.Call(Value.From(1));
    }

    static void Make(Linker linker, Module module)
    {
        using var store = new Store(linker.Engine);
        linker.Instantiate(store, module);
    }

    static string Both((Samples One, Samples All, long Contended) times) => $"{times.One.Ms(0.5)}, {times.All.Ms(0.5)}";

    static string Ratio((Samples One, Samples All, long Contended) times) =>
        Samples.Number(times.One.P50Ms / times.All.P50Ms, "");
}
