using System.Collections.Immutable;
using System.Diagnostics;
using System.Globalization;
using Millrace.Cli;
using Millrace.Sandbox;
using Millrace.Wasm;

namespace Millrace.Bench;

/// <summary>What the border to a worker process costs, beside the same guest in process.</summary>
static class WorkerBench
{
    const int WarmUps = 2_000;
    const int Operations = 20_000;
    const int Runs = 500;
    const int StackBytes = 16 << 20;

    static readonly string AsksForEver =
        $"""
        (module
          (import "millrace" "start" (func $start (param i32 i32 i32 i32 i32 i32) (result i32)))
          (import "millrace" "wait" (func $wait (param i32 i32 i32 i32) (result i32)))
          (import "millrace" "take" (func $take (param i32 i32 i32)))
          (memory (export "memory") 1)
          (data (i32.const 16) "kv.get")
          (data (i32.const 32) "{Head}")
          (func (export "_start") (local $i i32) (local $h i32)
            (loop $l
              (local.set $h (call $start (i32.const 16) (i32.const 6) (i32.const 32) (i32.const 15)
                (i32.const 0) (i32.const 0)))
              (i32.store (i32.const 64) (local.get $h))
              (drop (call $wait (i32.const 64) (i32.const 1) (i32.const -1) (i32.const 80)))
              (call $take (local.get $h) (i32.const 1024) (i32.const 2048))
              (local.set $i (i32.add (local.get $i) (i32.const 1)))
              (br_if $l (i32.lt_u (local.get $i) (i32.const {WarmUps + Operations}))))))
        """;

    // Text of the text format: quotes with a backslash.
    const string Head = """{\"key\":\"state\"}""";

    public static async Task<Section> RunAsync(BenchPlan plan)
    {
        var asking = WatText.ToBinary(AsksForEver);
        var hello = File.ReadAllBytes(Path.Combine(Shipped.Guest("hello"), "hello.wasm"));
        using var engine = new Engine();
        await using var pool = new WorkerPool(WorkerCommand.Options(spares: 1));
        pool.Warm();
        var (here, there) = (new Samples(), new Samples());
        // In turn, so that both meet the same machine.
        for (var turn = 0; turn < 2; turn++)
        {
            await OperationsAsync(here, host => InProcess(engine, Module.Compile(engine, asking), host));
            await OperationsAsync(there, host => InWorker(pool, asking, host));
            plan.Cancel.ThrowIfCancellationRequested();
        }

        var module = Module.Compile(engine, hello);
        var (alone, remote) = (
            await RunsPerSecondAsync(1, host => InProcess(engine, module, host)),
            await RunsPerSecondAsync(1, host => InWorker(pool, hello, host)));
        var both = await RunsPerSecondAsync(
            Environment.ProcessorCount, host => InWorker(pool, hello, host));
        // The spare that was taken is replaced a while later.
        while (pool.Workers.All(worker => worker.Group.Length > 0)) await Task.Delay(100, plan.Cancel);
        var memory = pool.Workers.Where(worker => worker.Group.Length > 0)
            .Select(worker => MemoryMiB(worker.ProcessId)).Single();
        var spare = pool.Workers.Where(worker => worker.Group.Length == 0)
            .Select(worker => MemoryMiB(worker.ProcessId)).DefaultIfEmpty().Single();
        return new("The border to a worker process",
            $"""
            A guest that asks `kv.get` {Operations:#,0} times, each answered at once out of nothing: the time from one
            `start` to the next, so without a journal and its commits, twice in turn. Runs are whole runs of `hello`:
            a thread, a store, an instance, its output and its end; {Runs} of them, the first in a process whose code the JIT
            has hardly met.

            An operation across the border wakes four threads, one after another: the reader of the host's socket, the
            run's own in the host, the reader of the worker's socket, the guest's. To have the readers do what the
            threads behind them are woken for is the next step.
            """,
            new("door operation in process, p50 / p99", Both(here)),
            new("door operation across the border, p50 / p99", Both(there), "p50 ≤ 60 µs"),
            new("runs per second in process, one at a time", Count(alone)),
            new("runs per second across the border, one at a time", Count(remote)),
            new($"runs per second across the border, {Environment.ProcessorCount} at a time", Count(both)),
            new("memory of a worker that nobody used yet (VmRSS)", Samples.Number(spare, "MiB")),
            new("memory of a worker after these runs (VmRSS)", Samples.Number(memory, "MiB")));
    }

    static string Both(Samples samples) => $"{samples.Microseconds(0.5)} / {samples.Microseconds(0.99)}";

    static string Count(double count) => count.ToString("#,0", CultureInfo.InvariantCulture);

    static double MemoryMiB(int process) => double.Parse(
        File.ReadLines($"/proc/{process}/status").First(line => line.StartsWith("VmRSS:", StringComparison.Ordinal))
            .Split(' ', StringSplitOptions.RemoveEmptyEntries)[^2], CultureInfo.InvariantCulture) / 1024;

    static async Task OperationsAsync(Samples samples, Func<InstantHost, RunEnd> execute)
    {
        var host = new InstantHost(samples, WarmUps);
        await OnThreadAsync(() => Check(execute(host)));
    }

    static async Task<double> RunsPerSecondAsync(int atATime, Func<InstantHost, RunEnd> execute)
    {
        var unused = new Samples();
        void Many(int count)
        {
            for (var i = 0; i < count; i++) Check(execute(new(unused, int.MaxValue)));
        }

        await OnThreadAsync(() => Many(Runs / 5));
        var began = Stopwatch.GetTimestamp();
        await Task.WhenAll(Enumerable.Range(0, atATime).Select(_ => OnThreadAsync(() => Many(Runs / atATime))));
        return Runs / Stopwatch.GetElapsedTime(began).TotalSeconds;
    }

    static void Check(RunEnd end)
    {
        if (end is not { Kind: RunEndKind.Exited, ExitCode: 0 }) throw new InvalidOperationException(end.Message);
    }

    static Task OnThreadAsync(Action work)
    {
        var done = new TaskCompletionSource();
        new Thread(() =>
        {
            try
            {
                work();
                done.SetResult();
            }
            catch (Exception e)
            {
                done.SetException(e);
            }
        }, StackBytes).Start();
        return done.Task;
    }

    static RunEnd InProcess(Engine engine, Module module, InstantHost host)
    {
        var run = SandboxRun.Create(engine, module, Request, host, TimeProvider.System);
        host.Complete = run.Complete;
        return run.Execute();
    }

    static RunEnd InWorker(WorkerPool pool, byte[] module, InstantHost host)
    {
        var run = pool.Create("bench", module, Request, host);
        host.Complete = run.Complete;
        return run.Execute();
    }

    static RunRequest Request => new()
    {
        RunId = "bench",
        Arguments = ["hello"],
        Environment = ImmutableSortedDictionary<string, string>.Empty,
        Input = "bench"u8.ToArray(),
        StartedAtNs = 0,
        Seed = new byte[32],
    };

    /// <summary>Answers every operation at once, and notes when the next one comes.</summary>
    sealed class InstantHost(Samples samples, int warmUps) : IRunHost
    {
        static readonly OperationResult Answer = new(
            ResultState.Done, """{"found":false,"version":0}"""u8.ToArray(), default, 0);

        int _count;
        long _last;

        public Action<long, OperationResult> Complete { get; set; } = (_, _) => { };

        public void Start(long sequence, OperationRequest request)
        {
            if (++_count > warmUps) samples.AddSince(_last);
            _last = Stopwatch.GetTimestamp();
            Complete(sequence, Answer);
        }

        public void Deliver(Delivery delivery)
        {
        }

        public void Write(OutputStream stream, long offset, ReadOnlySpan<byte> bytes)
        {
        }

        public void BeginWait(ReadOnlySpan<long> sequences)
        {
        }

        public void EndWait()
        {
        }
    }
}
