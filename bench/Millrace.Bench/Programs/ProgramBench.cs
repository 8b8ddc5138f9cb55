using System.Globalization;
using System.Text;
using Millrace.Fuzz;

namespace Millrace.Bench.Programs;

/// <summary>Real programs here, in V8 and native, in turn.</summary>
static class ProgramBench
{
    const int Rounds = 7;
    const int FreshRounds = 3;

    public static async Task<Section> RunAsync(BenchPlan plan)
    {
        var (folder, reason) = await ProgramFolder.BuildAsync(plan.Cancel);
        if (folder is null) return new("Programs", $"Not measured: {reason}.");
        var engines = new List<ProgramEngine> { new OwnPrograms("Millrace", new(), folder) };
        var (node, absent) = await OtherEngine.FetchAsync();
        if (node is not null) engines.Add(new NodePrograms(OtherEngine.Name, node, folder));
        engines.Add(new NativePrograms(folder));
        try
        {
            var works = ProgramFolder.Works();
            var watched = Watch(works, folder);
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

    static string How(string folder, string absent) => $"""
        Out of Debian's source packages ({ProgramFolder.Versions(folder)}), built here by `bench/programs/build` for
        wasm32-wasi by clang-14 -O2, and for this machine by gcc -O2. Each runs scripts of our own (`bench/programs`) in a
        new instance of a module that was compiled before. CPU time, medians of {Rounds} rounds in each of which all
        engines ran in turn; what is printed is equal on all. *Millrace* has all its checks on and compiles with
        the JIT.{(absent.Length > 0 ? $" Not compared: {absent}." : "")}
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
            // The rounds before the first are for the tiers of the others' compilers, and ours.
            for (var round = -2; round < rounds; round++)
            {
                plan.Cancel.ThrowIfCancellationRequested();
                string? output = null;
                for (var i = 0; i < all.Length; i++)
                {
                    if (await run(engines[i], work, round + 2) is not { } sample) continue;
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
    static Figure[] Watch(Work[] works, string folder) =>
    [
        .. works.GroupBy(work => work.Program).Select(group =>
        {
            using var watch = new JitWatch();
            using var engine = new OwnPrograms("", new(), folder);
            foreach (var work in group) engine.RunAsync(work).GetAwaiter().GetResult();
            return new Figure($"{group.Key}: functions that the JIT did not optimise, of those that ran", watch.Summary(), "none");
        }),
    ];

    static string Table(string unit, Dictionary<string, Samples[]> rows, List<ProgramEngine> engines)
    {
        var text = new StringBuilder($"| {unit} |");
        foreach (var engine in engines) text.Append(CultureInfo.InvariantCulture, $" {engine.Name} |");
        foreach (var other in engines.Skip(1)) text.Append(CultureInfo.InvariantCulture, $" over {other.Name} |");
        text.Append("\n|---|").Insert(text.Length, "---:|", (2 * engines.Count) - 1);
        foreach (var (name, samples) in rows)
        {
            text.Append(CultureInfo.InvariantCulture, $"\n| {name} |");
            foreach (var each in samples)
                text.Append(CultureInfo.InvariantCulture, $" {(each.Count == 0 ? "" : Samples.Number(each.P50Ms, ""))} |");
            foreach (var other in samples.Skip(1))
                text.Append(CultureInfo.InvariantCulture, $" {(other.Count == 0 ? "" : Ratio(samples[0], other))} |");
        }
        return text.ToString();
    }

    static string Ratio(Samples above, Samples below) => Samples.Number(above.P50Ms / below.P50Ms, "");

    static IEnumerable<Figure> Summary(Dictionary<string, Samples[]> rows, List<ProgramEngine> engines)
    {
        for (var i = 1; i < engines.Count; i++)
        {
            foreach (var group in rows.GroupBy(row => row.Key.Split(' ')[0]).Append(null))
            {
                var of = group ?? rows.AsEnumerable();
                var mean = Math.Exp(of.Average(row => Math.Log(row.Value[0].P50Ms / row.Value[i].P50Ms)));
                var what = $"Millrace over {engines[i].Name}, geometric mean of {group?.Key ?? "all"}";
                yield return new(what, Samples.Number(mean, ""), engines[i] is NodePrograms ? "≤ 2" : "");
            }
        }
    }
}
