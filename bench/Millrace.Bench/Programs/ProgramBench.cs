using System.Globalization;
using System.Text;
using Millrace.Fuzz;
using Millrace.Wasm;

namespace Millrace.Bench.Programs;

/// <summary>Real programs here, in V8 and native, in turn.</summary>
static class ProgramBench
{
    const int Rounds = 5;
    const int FreshRounds = 3;

    public static async Task<Section> RunAsync(BenchPlan plan)
    {
        var (folder, reason) = await ProgramFolder.BuildAsync(plan.Cancel);
        if (folder is null) return new("Programs", $"Not measured: {reason}.");
        var engines = new List<ProgramEngine> { new OwnPrograms("Millrace", new()) { RatioMax = 2 } };
        if (CodeCache.Unavailable is null) engines.Add(Ahead(folder));
        engines.Add(new OwnPrograms("guard pages", new() { MemoryChecks = MemoryChecks.Guarded }) { RatioMax = 2 });
        var (node, absent) = await OtherEngine.FetchAsync();
        if (node is not null) engines.Add(new NodePrograms(OtherEngine.Name, node));
        engines.Add(new NativePrograms());
        try
        {
            var works = ProgramFolder.Works(folder);
            var watched = Watch(works);
            Work[] first = [.. works.DistinctBy(work => work.Program)];
            List<ProgramEngine> compiling = [.. engines.Where(engine => engine is not NativePrograms)];
            var fresh = await MeasureAsync(plan, "fresh", first, compiling, FreshRounds, FreshAsync);
            var warm = await MeasureAsync(plan, "warm", works, engines, Rounds, async (engine, work, _) => await engine.RunAsync(work));
            return new("Programs", $"""
                {How(folder, node is null ? absent : "")}

                {Table("ms", warm, engines)}

                Compiled and run for the first time; CPU time of all threads:

                {Table("first run, ms", fresh, compiling)}
                """, [.. Summary(warm, engines), .. watched]);
        }
        finally
        {
            foreach (var engine in engines) engine.Dispose();
        }
    }

    static OwnPrograms Ahead(string folder)
    {
        var options = new EngineOptions { Cache = new(Path.Combine(folder, "cache")), IsAheadOfTime = true };
        return new("crossgen2", options) { RatioMax = 1.2 };
    }

    static string How(string folder, string absent) => $"""
        Out of Debian's source packages ({ProgramFolder.Versions(folder)}), built here by `bench/programs/build` for
        wasm32-wasi by clang-14 -O2, and natively by gcc -O2 (CPython's native one is Debian's own
        build). Each runs scripts of our own (`bench/programs`) in a new instance of a module that was compiled before. CPU time, medians of {Rounds} rounds in each of which all
        engines ran in turn; what is printed is equal on all. *Millrace* has all its checks on and compiles with
        the JIT, *crossgen2* is the same compiled ahead of time, *guard pages* has pages behind its memory instead of
        compares: what it saves is what the compares cost.{(absent.Length > 0 ? $" Not compared: {absent}." : "")}

        What is missed: a fifth of the time goes to compares of addresses, as *guard pages* shows. The rest is not taken apart
        yet. Interpreters are one function with a jump table and hundreds of values, and RyuJIT gives up optimising the largest
        of them (below), which crossgen2 does not: to hand its cases out to functions of their own is the next thing to try.
        """;

    static async Task<ProgramSample?> FreshAsync(ProgramEngine engine, Work work, int round) =>
        await engine.RunFreshAsync(work, round);

    static async Task<Dictionary<string, Samples[]>> MeasureAsync(
        BenchPlan plan, string what, Work[] works, List<ProgramEngine> engines, int rounds,
        Func<ProgramEngine, Work, int, Task<ProgramSample?>> run)
    {
        var rows = new Dictionary<string, Samples[]>();
        foreach (var work in works)
        {
            plan.Screen.Note($"  {what}: {work.Name}");
            Samples[] all = [.. engines.Select(_ => new Samples())];
            // The round before the first is for the tiers of the others' compilers, and ours.
            for (var round = -1; round < rounds; round++)
            {
                plan.Cancel.ThrowIfCancellationRequested();
                string? output = null;
                for (var i = 0; i < all.Length; i++)
                {
                    if (await run(engines[i], work, round + 1) is not { } sample) continue;
                    output ??= sample.Output;
                    if (sample.Output != output)
                        throw new InvalidDataException($"{work.Name}: {engines[i].Name} printed\n{sample.Output}, not\n{output}");
                    if (round >= 0) all[i].Add(sample.Cpu);
                }
            }
            rows.Add(work.Name, all);
        }
        return rows;
    }

    // Apart from what is timed: events of the JIT cost time.
    static Figure[] Watch(Work[] works) =>
    [
        .. works.GroupBy(work => work.Program).Select(group =>
        {
            using var watch = new JitWatch();
            using var engine = new OwnPrograms("", new());
            foreach (var work in group) engine.RunAsync(work).GetAwaiter().GetResult();
            return new Figure($"{group.Key}: functions that the JIT did not optimise, of those that ran", watch.Summary(), "none");
        }),
    ];

    static string Table(string unit, Dictionary<string, Samples[]> rows, List<ProgramEngine> engines)
    {
        var ratios = Ratios(engines);
        var text = new StringBuilder($"| {unit} |");
        foreach (var engine in engines) text.Append(CultureInfo.InvariantCulture, $" {engine.Name} |");
        foreach (var (above, below) in ratios) text.Append(CultureInfo.InvariantCulture, $" {Over(engines, above, below)} |");
        text.Append("\n|---|").Insert(text.Length, "---:|", engines.Count + ratios.Length);
        foreach (var (name, samples) in rows)
        {
            text.Append(CultureInfo.InvariantCulture, $"\n| {name} |");
            foreach (var each in samples) text.Append(CultureInfo.InvariantCulture, $" {Samples.Number(each.P50Ms, "")} |");
            foreach (var (above, below) in ratios)
                text.Append(CultureInfo.InvariantCulture, $" {Samples.Number(Ratio(samples, above, below), "")} |");
        }
        return text.ToString();
    }

    // Each of ours over each of the others.
    static (int Above, int Below)[] Ratios(List<ProgramEngine> engines) =>
    [
        .. from below in Enumerable.Range(0, engines.Count) where engines[below] is not OwnPrograms
           from above in Enumerable.Range(0, engines.Count) where engines[above] is OwnPrograms
           select (above, below),
    ];

    static string Over(List<ProgramEngine> engines, int above, int below) => $"{engines[above].Name} over {engines[below].Name}";

    static double Ratio(Samples[] row, int above, int below) => row[above].P50Ms / row[below].P50Ms;

    static IEnumerable<Figure> Summary(Dictionary<string, Samples[]> rows, List<ProgramEngine> engines)
    {
        foreach (var (above, below) in Ratios(engines))
        {
            var max = engines[above] is OwnPrograms own ? own.RatioMax : 0;
            var aim = engines[below] is NodePrograms ? string.Create(CultureInfo.InvariantCulture, $"≤ {max}") : "";
            var means = rows.GroupBy(row => row.Key.Split(' ')[0])
                .Select(group => $"{group.Key} {Mean(group.Select(row => Ratio(row.Value, above, below)))}");
            var all = Mean(rows.Values.Select(row => Ratio(row, above, below)));
            yield return new(
                $"{Over(engines, above, below)}, geometric means", $"{string.Join(", ", means)}; all {all}", aim);
        }
    }

    static string Mean(IEnumerable<double> ratios) => Samples.Number(Math.Exp(ratios.Average(Math.Log)), "");
}
