using System.Diagnostics;
using System.Globalization;
using Millrace.Wasm;

namespace Millrace.Bench;

/// <summary>How long calls take while 1,000 instances live and others come and go, and what held up the longest.</summary>
static class PauseBench
{
    const int Live = 1_000;
    const int Worst = 10;
    const int WarmUps = 2_000;
    const int Refresh = 64;
    static readonly TimeSpan Duration = TimeSpan.FromSeconds(15);

    // A call writes and reads some of its memory, and makes objects that the collector has to take.
    const string Guest = """
        (module
          (type $node (struct (field i32) (field (ref null $node))))
          (memory 2) (data (i32.const 0) "state")
          (func (export "call") (param $seed i32) (result i32) (local $i i32) (local $list (ref null $node))
            (loop $next
              (i32.store (i32.and (i32.mul (local.get $i) (i32.const 4093)) (i32.const 0x1fff0)) (local.get $seed))
              (local.set $list (struct.new $node (local.get $i)
                (if (result (ref null $node)) (i32.and (local.get $i) (i32.const 31))
                  (then (local.get $list)) (else (ref.null $node)))))
              (br_if $next (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 500))))
            (struct.get $node 0 (local.get $list))))
        """;

    /// <summary>A call that took long.</summary>
    sealed record Slow(TimeSpan Took, TimeSpan Collector, TimeSpan Waited, long Faults)
    {
        public string Cause => (Collector.Ticks * 2 > Took.Ticks, Waited.Ticks * 2 > Took.Ticks) switch
        {
            (true, _) => "the collector",
            (_, true) => "waiting for a core",
            _ when Faults > 8 => "page faults",
            _ => "the machine: neither collector, core nor page faults",
        };
    }

    public static Task<Section> RunAsync(BenchPlan plan)
    {
        using var engine = new Engine();
        var module = Module.Compile(engine, WatText.ToBinary(Guest));
        var linker = new Linker(engine);
        var stores = Enumerable.Range(0, Live).Select(_ => new Store(engine)).ToArray();
        Function[] calls = [.. stores.Select(store => linker.Instantiate(store, module).FindFunction("call")!)];

        using var stop = CancellationTokenSource.CreateLinkedTokenSource(plan.Cancel);
        var others = new Thread(() =>
        {
            while (!stop.IsCancellationRequested)
            {
                using var store = new Store(engine);
                linker.Instantiate(store, module).FindFunction("call")!.Call(Value.From(1));
                stop.Token.WaitHandle.WaitOne(1);
            }
        });
        others.Start();
        var (young, full) = (GC.CollectionCount(0), GC.CollectionCount(2));
        var (samples, slow) = Measure(plan, calls);
        (young, full) = (GC.CollectionCount(0) - young, GC.CollectionCount(2) - full);
        stop.Cancel();
        others.Join();
        foreach (var store in stores) store.Dispose();
        plan.Cancel.ThrowIfCancellationRequested();

        return Task.FromResult(new Section("Pauses of calls with 1,000 live instances",
            $"""
            {Live:#,0} instances of a module with a memory of 128 KiB that writes to it and makes 500 objects in a call; one
            after another is called for {Duration.TotalSeconds:0} s, while a second thread makes, calls and frees others, one
            a millisecond. {samples.Count:#,0} calls, {young} collections, {full} of them of all generations. What a call
            waited for: .NET's own measure of pauses, and the kernel's of this thread (`schedstat`, page faults).

            {Table(slow)}
            """,
            new("a call, p50", samples.Microseconds(0.5)),
            new("a call, p99 / p99.9", $"{samples.Microseconds(0.99)} / {samples.Microseconds(0.999)}"),
            new("the longest call", samples.Ms(1))));
    }

    // The kernel's counts take longer to read than a call: they are read behind long ones and now and then, so that a
    // long call is told what a few short ones before it may have waited.
    static (Samples, List<Slow>) Measure(BenchPlan plan, Function[] calls)
    {
        var (samples, slow) = (new Samples(), new List<Slow>());
        var began = Stopwatch.GetTimestamp();
        var (waited, faults, pause) = (Waited(), Faults(), GC.GetTotalPauseDuration());
        for (var i = 0; i < WarmUps || Stopwatch.GetElapsedTime(began) < Duration; i++)
        {
            plan.Cancel.ThrowIfCancellationRequested();
            if (i % Refresh == 0) (waited, faults) = (Waited(), Faults());
            pause = GC.GetTotalPauseDuration();
            var before = Stopwatch.GetTimestamp();
            calls[i % Live].Call(Value.From(i));
            var took = Stopwatch.GetElapsedTime(before);
            if (i < WarmUps) continue;
            samples.Add(took);
            if (slow.Count == Worst && took <= slow[^1].Took) continue;
            var now = (Waited: Waited(), Faults: Faults(), Pause: GC.GetTotalPauseDuration());
            slow.Add(new(took, now.Pause - pause, now.Waited - waited, now.Faults - faults));
            (waited, faults) = (now.Waited, now.Faults);
            slow.Sort((a, b) => b.Took.CompareTo(a.Took));
            if (slow.Count > Worst) slow.RemoveAt(Worst);
        }
        return (samples, slow);
    }

    static string Table(List<Slow> slow) =>
        "| the longest | collector | waiting for a core | page faults | cause |\n|---:|---:|---:|---:|---|\n"
        + string.Join('\n', slow.Select(one => string.Create(CultureInfo.InvariantCulture,
            $"| {Ms(one.Took)} | {Ms(one.Collector)} | {Ms(one.Waited)} | {one.Faults} | {one.Cause} |")));

    static string Ms(TimeSpan time) => Samples.Number(time.TotalMilliseconds, "ms");

    static TimeSpan Waited() => TimeSpan.FromTicks(
        long.Parse(File.ReadAllText("/proc/thread-self/schedstat").Split(' ')[1], CultureInfo.InvariantCulture) / 100);

    // The tenth field, counted from behind the name, which may hold anything.
    static long Faults()
    {
        var text = File.ReadAllText("/proc/thread-self/stat");
        return long.Parse(text[(text.LastIndexOf(')') + 2)..].Split(' ')[7], CultureInfo.InvariantCulture);
    }
}
