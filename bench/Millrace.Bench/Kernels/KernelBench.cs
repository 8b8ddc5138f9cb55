using System.Globalization;
using System.Text;
using Millrace.Wasm;

namespace Millrace.Bench.Kernels;

/// <summary>Twenty kernels here, in V8 and native, in turn.</summary>
static class KernelBench
{
    const int Rounds = 7;
    const int Own = 5; // engines of ours: JIT, ahead of time, portable, metered, guard pages
    static readonly TimeSpan SampleMin = TimeSpan.FromMilliseconds(50);

    public static async Task<Section> RunAsync(BenchPlan plan)
    {
        var wasm = await File.ReadAllBytesAsync(KernelProcess.Shipped("kernels.wasm"), plan.Cancel);
        var folder = Directory.CreateTempSubdirectory("millrace-kernels-").FullName;
        using var own = new OwnKernels("Millrace", new(), wasm);
        using var ahead = new OwnKernels("ahead of time", AheadOptions(folder), wasm);
        using var portable = new OwnKernels("portable", new() { IsPortable = true }, wasm);
        using var metered = new OwnKernels("metered", new() { IsMetered = true }, wasm);
        using var guarded = new OwnKernels("guard pages", new() { MemoryChecks = MemoryChecks.Guarded }, wasm);
        List<KernelEngine> engines = [own, ahead, portable, metered, guarded];
        var absent = new List<string>();
        if (!ahead.IsAheadOfTime) absent.Add($"*ahead of time* is the JIT's too: {CodeCache.Unavailable}");
        try
        {
            var pinned = await AddAsync(KernelProcess.PinnedNodeAsync());
            await AddAsync(KernelProcess.InstalledNodeAsync());
            await AddAsync(KernelProcess.NativeAsync(folder));
            var rows = new Dictionary<string, Samples[]>();
            foreach (var kernel in own.Kernels)
            {
                plan.Screen.Note($"  {kernel}");
                rows.Add(kernel, await MeasureAsync(kernel, engines, plan.Cancel));
            }

            return new("Kernels", $"{How(absent)}\n\n{Table(rows, engines)}",
                [.. Summary(rows, engines), .. await ColdStart.MeasureAsync(pinned, plan.Cancel)]);
        }
        finally
        {
            foreach (var engine in engines.Skip(Own)) engine.Dispose();
            Directory.Delete(folder, recursive: true);
        }

        async Task<KernelProcess?> AddAsync(Task<(KernelProcess? Engine, string Reason)> starting)
        {
            var (engine, reason) = await starting;
            if (engine is null) absent.Add(reason);
            else engines.Add(engine);
            return engine;
        }
    }

    // Without crossgen2 the row is the JIT's, and says so.
    static EngineOptions AheadOptions(string folder) => CodeCache.Unavailable is null
        ? new() { Cache = new(Path.Combine(folder, "code")), IsAheadOfTime = true }
        : new();

    static string How(List<string> absent)
    {
        var text = $"""
            `bench/kernels/kernels.c`, built once by clang for wasm32 without vectors (`bench/kernels/build`), and here
            for the machine. CPU time of one call that returns a sum, equal on all engines; {SampleMin.TotalMilliseconds:0} ms
            or more on the fastest. In each of {Rounds} rounds all engines ran in turn; medians. *Millrace* has all its
            checks on: bounds, stack, interrupts, and is the JIT's code; *ahead of time* is crossgen2's. *portable* has
            memories in the C heap, *metered* counts fuel too, *guard pages* has pages behind its memory instead of compares.

            What is missed, by the machine code of each: *dispatch* and *heap* call through a table. Such a call takes 3.6 ns
            here (index, null, signature, context, code), and next to nothing where V8 26 has inlined the functions that
            its feedback saw; Node 20's V8 does not. An inline cache at each call, checked by the function itself, is the
            next step. *board* and *mutual* are calls alone: a function that calls looks at the stack, which keeps RyuJIT
            from inlining it; to inline before CIL is made is the next step. *matrix*, *fourier* and *wave* compare the
            addresses of two to four arrays at each step: a quarter of the time, which guard pages save, V8's only way.
            """;
        return absent.Count == 0 ? text : $"{text}\nNot compared: {string.Join("; ", absent)}.";
    }

    public static async Task<Samples[]> MeasureAsync(string kernel, List<KernelEngine> engines, CancellationToken cancel)
    {
        var rounds = await CalibrateAsync(kernel, engines);
        Samples[] all = [.. engines.Select(_ => new Samples())];
        for (var round = 0; round < Rounds; round++)
        {
            cancel.ThrowIfCancellationRequested();
            var answers = await RunAllAsync(kernel, rounds, engines);
            for (var i = 0; i < all.Length; i++) all[i].Add(answers[i].Cpu);
        }
        return all;
    }

    // The calls before the last warm every engine up.
    static async Task<int> CalibrateAsync(string kernel, List<KernelEngine> engines)
    {
        for (var rounds = 1; ;)
        {
            var fastest = (await RunAllAsync(kernel, rounds, engines)).Min(answer => answer.Cpu);
            if (fastest >= SampleMin) return rounds;
            var factor = 1.2 * (SampleMin / TimeSpan.FromTicks(Math.Max(1, fastest.Ticks)));
            rounds = (int)Math.Ceiling(rounds * Math.Min(factor, 8));
        }
    }

    static async Task<KernelSample[]> RunAllAsync(string kernel, int rounds, List<KernelEngine> engines)
    {
        var answers = new KernelSample[engines.Count];
        for (var i = 0; i < answers.Length; i++)
        {
            answers[i] = await engines[i].RunAsync(kernel, rounds);
            var (sum, first) = (answers[i].Sum, answers[0].Sum);
            if (sum == first) continue;
            throw new InvalidDataException(
                $"{kernel} {rounds}: {sum} in {engines[i].Name}, {first} in {engines[0].Name}");
        }
        return answers;
    }

    static string Table(Dictionary<string, Samples[]> rows, List<KernelEngine> engines)
    {
        var text = new StringBuilder("| ms |");
        foreach (var engine in engines) text.Append(CultureInfo.InvariantCulture, $" {engine.Name} |");
        foreach (var other in engines.Skip(Own)) text.Append(CultureInfo.InvariantCulture, $" over {other.Name} |");
        text.Append("\n|---|").Insert(text.Length, "---:|", (2 * engines.Count) - Own);
        foreach (var (kernel, samples) in rows)
        {
            text.Append(CultureInfo.InvariantCulture, $"\n| {kernel} |");
            foreach (var each in samples)
                text.Append(CultureInfo.InvariantCulture, $" {Samples.Number(each.P50Ms, "")} |");
            foreach (var other in samples.Skip(Own))
                text.Append(CultureInfo.InvariantCulture, $" {Samples.Number(samples[0].P50Ms / other.P50Ms, "")} |");
        }
        return text.ToString();
    }

    static IEnumerable<Figure> Summary(Dictionary<string, Samples[]> rows, List<KernelEngine> engines)
    {
        for (var i = Own; i < engines.Count; i++)
        {
            var isNative = engines[i].Name.StartsWith("gcc", StringComparison.Ordinal);
            var (aim, guarded) = isNative ? ("", "") : ("≤ 1.0; ≤ 1.5", "≤ 0.75");
            yield return new($"Millrace over {engines[i].Name}: geometric mean; worst", Ratios(rows, 0, i), aim);
            yield return new("the same, ahead of time", Ratios(rows, 1, i), aim);
            yield return new("the same, with guard pages", Ratios(rows, 4, i), guarded);
        }
        yield return new("ahead of time over the JIT: geometric mean; worst", Ratios(rows, 1, 0));
        yield return new("memories in the C heap over reserved ones: geometric mean; worst", Ratios(rows, 2, 0));
        yield return new("metered over not: geometric mean; worst", Ratios(rows, 3, 0));
        yield return new("guard pages over compares: geometric mean; worst", Ratios(rows, 4, 0));
    }

    public static string Ratios(Dictionary<string, Samples[]> rows, int above, int below)
    {
        var ratios = rows.ToDictionary(row => row.Key, row => row.Value[above].P50Ms / row.Value[below].P50Ms);
        var (worst, ratio) = ratios.MaxBy(row => row.Value);
        var mean = Math.Exp(ratios.Values.Average(Math.Log));
        return $"{Samples.Number(mean, "")}; {Samples.Number(ratio, "")} ({worst})";
    }
}
