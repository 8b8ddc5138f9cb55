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
                .. await CompilersAsync(plan, folder), .. await ColdProcesses.MeasureAsync(plan, folder),
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
                process go, by CPU time seen step by step: a tenth to loading OpenSSL for SHA-256, a quarter to reading,
                checking and mapping the file, a quarter to decoding, the rest to linking, instance and call. In these the
                JIT compiles about 140 generic methods of the framework over structs of the engine, which ReadyToRun leaves
                out of both images. To do without them (arrays in place of immutable ones) is the next step.
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
