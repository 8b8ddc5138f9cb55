using System.Diagnostics;
using Millrace.Cli;
using Millrace.Wasm;

namespace Millrace.Bench.Ahead;

/// <summary>Code that is compiled ahead of time: memory over many deploys, the first result of a process, the
/// compiler's speed.</summary>
static class AheadBench
{
    public static async Task<Section> RunAsync(BenchPlan plan)
    {
        const string title = "Ahead of time";
        if (CodeCache.Unavailable is { } reason) return new(title, $"Not measured: {reason}.");
        var folder = Directory.CreateTempSubdirectory("millrace-ahead-").FullName;
        try
        {
            Figure[] figures =
            [
                .. await CompilersAsync(plan, folder), .. await CompilerSpeeds.MeasureAsync(plan),
                .. await ColdProcesses.MeasureAsync(plan, folder),
                .. await AheadDeploys.MeasureAsync(plan, folder),
            ];
            return new(title,
                """
                The compiler's speed is that of `millrace compile` (decode, validate, CIL, crossgen2 in a process of its
                own, file). The cold process is `bench/Millrace.Cold`, published with ReadyToRun,
                from its start to its end; without arguments it is the empty one; in turn. Deploys are modules of
                five functions, each another, compiled one after another, run once in a worker process that is replaced
                after 16 modules, with a cache that holds a part of them: [ahead.svg](ahead.svg).

                crossgen2 runs at the lowest priority, so on a busy machine its time is the others'. Beyond the empty
                process go, by CPU time seen step by step: a quarter to reading the module into fresh memory (a page
                fault takes more than 10 µs on this virtual machine), a quarter to the key, the cache's file and its
                mapping, a quarter to decoding and linking, the rest to instance and first call. Of all that half is the
                runtime's own: types, assemblies, fixing up precompiled code. The JIT compiles 16 methods, where it was
                165. The next step is an engine that is precompiled together with the framework, in a program that
                brings its own; an option of crossgen2 that would include the framework's generics
                (`--non-local-generics-module`) was tried, and left half of them to the JIT.

                *All functions compiled* is for the whole module, by the JIT here and by each of V8's compilers alone,
                which use several threads.
                """, figures);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    static async Task<Figure[]> CompilersAsync(BenchPlan plan, string folder)
    {
        const int Rounds = 3;
        var bytes = await File.ReadAllBytesAsync(
            Path.Combine(Shipped.Guest("code_review"), "code_review.wasm"), plan.Cancel);
        var (ahead, size) = (new Samples(), 0L);
        for (var i = 0; i < Rounds; i++)
        {
            plan.Screen.Note($"  compiling code_review.wasm, {i + 1} of {Rounds}");
            // A custom section of its own makes it another module.
            byte[] fresh = [.. bytes, 0, 3, 1, (byte)'n', (byte)i];
            var report = new CodeCache(Path.Combine(folder, "speed")).Compile(new(), fresh, plan.Cancel);
            ahead.Add(report.Time);
            size = report.Bytes;
        }

        var decoding = Decoding(bytes, folder);
        return
        [
            new($"`code_review.wasm` ({bytes.Length:#,0} bytes) ahead of time, p50",
                $"{ahead.Ms(0.5)}, {Samples.Number(bytes.Length / 1000.0 / ahead.P50Ms, "MB/s")}"),
            new("its file", Samples.Number(size / (double)(1 << 20), "MiB")),
            new("the same module from the cache in a warm process (hash, check, decode, link), p50", decoding.Ms(0.5)),
        ];
    }

    // The image is loaded once; what is left is what every further engine pays.
    static Samples Decoding(byte[] bytes, string folder)
    {
        const int Rounds = 50;
        var cache = new CodeCache(Path.Combine(folder, "speed"));
        cache.Compile(new(), bytes);
        var samples = new Samples();
        for (var i = -10; i < Rounds; i++)
        {
            var began = Stopwatch.GetTimestamp();
            using var engine = new Engine(new() { Cache = cache });
            var module = Module.Compile(engine, bytes);
            if (!module.IsAheadOfTime) throw new InvalidOperationException("the cache was not used");
            if (i >= 0) samples.AddSince(began);
        }
        return samples;
    }
}
