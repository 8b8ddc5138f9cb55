using System.Collections.Immutable;
using System.Globalization;
using Millrace.Cli;
using Millrace.Sandbox;
using Millrace.Wasm;

namespace Millrace.Bench.Ahead;

/// <summary>
/// Modules that change, compiled ahead of time one after another, run in worker processes that are replaced: machine
/// code cannot be unloaded, so does it go with them?
/// </summary>
static class AheadDeploys
{
    const int Deploys = 200;

    // Kept small, so that old files leave too.
    const long CacheBytesMax = 4L << 20;

    public static async Task<Figure[]> MeasureAsync(BenchPlan plan, string folder)
    {
        var cache = new CodeCache(Path.Combine(folder, "deploys")) { BytesMax = CacheBytesMax };
        var options = WorkerCommand.Options(spares: 1) with { Cache = cache };
        await using var pool = new WorkerPool(options);
        var (host, workers, largest) = (new List<double>(), new List<double>(), 0);
        var compiling = new Samples();
        for (var i = 0; i < Deploys; i++)
        {
            plan.Cancel.ThrowIfCancellationRequested();
            var module = WatText.ToBinary(Wat(i));
            compiling.Add(cache.Compile(new(), module, plan.Cancel).Time);
            Run(pool, module, i);
            host.Add(MemoryMiB(Environment.ProcessId));
            workers.Add(pool.Workers.Sum(worker => MemoryMiB(worker.ProcessId)));
            largest = Math.Max(largest, pool.Workers.Length);
            if (i % 20 == 0) plan.Screen.Note($"  deploy {i}: workers {workers[^1]:0} MiB");
        }

        var plot = MemoryPlot.Svg(
            $"Resident memory of server and workers, MiB, over {Deploys} deploys compiled ahead of time", Deploys,
            [.. host.Zip(workers, (one, other) => one + other)]);
        await File.WriteAllTextAsync(Path.Combine(plan.Plots, "ahead.svg"), plot, plan.Cancel);
        var files = Directory.GetFiles(cache.Folder).Sum(file => new FileInfo(file).Length);
        return
        [
            new($"{Deploys} deploys: one compiled ahead of time, p50 / p90", $"{compiling.Ms(0.5)} / {compiling.Ms(0.9)}"),
            new("workers together, average of the second quarter", Average(workers, 1)),
            new("workers together, average of the last quarter", Average(workers, 3), "as before"),
            new("this process, average of the second quarter", Average(host, 1)),
            new("this process, average of the last quarter", Average(host, 3), "as before"),
            new("most workers at a time", largest.ToString(CultureInfo.InvariantCulture)),
            new($"cache at the end, of {CacheBytesMax >> 20} MiB", Samples.Number(files / (double)(1 << 20), "MiB")),
        ];
    }

    static string Wat(int number) => $"""
        (module
          (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
          (memory (export "memory") 1)
          (func $a (param i32) (result i32) (i32.add (local.get 0) (i32.const {number})))
          (func $b (param i32) (result i32) (call $a (call $a (local.get 0))))
          (func $c (param i32) (result i32) (i32.store (i32.const 8) (call $b (local.get 0))) (i32.load (i32.const 8)))
          (func $d (param i32) (result i32) (call $b (call $c (local.get 0))))
          (func (export "_start")
            (i32.store (i32.const 32) (call $d (i32.const 1)))
            (i32.store (i32.const 16) (i32.const 32))
            (i32.store (i32.const 20) (i32.const 4))
            (drop (call $write (i32.const 1) (i32.const 16) (i32.const 1) (i32.const 24)))))
        """;

    static void Run(WorkerPool pool, byte[] module, int number)
    {
        var host = new HearingHost();
        var end = pool.Create("bench", module, new RunRequest
        {
            RunId = $"deploy {number}",
            Arguments = ["bench"],
            Environment = ImmutableSortedDictionary<string, string>.Empty,
            StartedAtNs = 0,
            Seed = new byte[32],
        }, host).Execute();
        var expected = 1 + (4 * number);
        if (end.Kind != RunEndKind.Exited || host.Number != expected)
            throw new InvalidOperationException($"deploy {number} ended with {end.Kind} {end.Message} and said {host.Number}");
    }

    static string Average(List<double> samples, int quarter) => Samples.Number(
        samples.Skip(quarter * samples.Count / 4).Take(samples.Count / 4).Average(), "MiB");

    static double MemoryMiB(int process)
    {
        try
        {
            return double.Parse(
                File.ReadLines($"/proc/{process}/status").First(line => line.StartsWith("VmRSS:", StringComparison.Ordinal))
                    .Split(' ', StringSplitOptions.RemoveEmptyEntries)[^2], CultureInfo.InvariantCulture) / 1024;
        }
        catch (Exception e) when (e is IOException or InvalidOperationException)
        {
            return 0; // it has just ended
        }
    }

    /// <summary>Hears the four bytes that the guest writes.</summary>
    sealed class HearingHost : IRunHost
    {
        public int Number { get; private set; }

        public void Start(long sequence, OperationRequest request) =>
            throw new InvalidOperationException("the guest asks for nothing");

        public void Deliver(Delivery delivery)
        {
        }

        public void Write(OutputStream stream, long offset, ReadOnlySpan<byte> bytes) =>
            Number = BitConverter.ToInt32(bytes);

        public void BeginWait(ReadOnlySpan<long> sequences)
        {
        }

        public void EndWait()
        {
        }
    }
}
