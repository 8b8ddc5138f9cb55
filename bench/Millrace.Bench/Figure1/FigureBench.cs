using System.Globalization;
using System.Text;

namespace Millrace.Bench.Figure1;

/// <summary>The talk's first figure: one multiplication of matrices in ever better ways, and then here.</summary>
static class FigureBench
{
    const int N = 4096;
    const int Rounds = 3;

    public static async Task<Section> RunAsync(BenchPlan plan)
    {
        var folder = Directory.CreateTempSubdirectory("millrace-figure1-").FullName;
        var threads = Math.Min(Environment.ProcessorCount, 64);
        while (N / 64 % threads != 0) threads--;
        try
        {
            var processes = new MatrixProcess(folder);
            if (await processes.BuildCAsync() is { } noC) return new("Figure 1", $"Not measured: {noC}.");
            var noJava = await processes.BuildJavaAsync();
            var own = new OwnRows(N, threads);
            MatrixRow[] rows =
            [
                .. await Rows(processes, threads, noJava is null).ToArrayAsync(plan.Cancel), .. own.All(processes, threads),
            ];
            var peak = await MeasureAsync(plan, rows, processes, threads);
            MatrixRow[] shown = [.. rows.Where(row => !row.IsAside)];
            await File.WriteAllTextAsync(Path.Combine(plan.Plots, "figure1.svg"), Plot(shown, peak.Gflops), plan.Cancel);
            return new("Figure 1",
                $"{How(threads, peak, noJava)}\n\n{Table(shown, peak.Gflops)}\n\n{Aside(rows)}", [.. Figures(rows)]);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    static string How(int threads, (double Gflops, int Bits) peak, string? noJava) => string.Create(
        CultureInfo.InvariantCulture, $"""
        Two matrices of {N} × {N} doubles multiplied, {2.0 * N * N * N / 1e9:0.0} billion operations, each way in turn in
        {Rounds} rounds; medians of wall time: [figure1.svg](figure1.svg). Sources in `bench/figure1`. All of them agree to
        the last bit. What would take hours computes the first rows of the result alone, of the whole matrices, and
        its time is scaled: how many stands in its row. Peak is what fused multiply-adds on vectors of {peak.Bits} bits reach in
        registers alone on {threads} threads, the best of the rounds: {peak.Gflops:0.0} GFLOPS. *Parallel* is
        {threads} threads.{(noJava is null ? "" : $" No row for Java: {noJava}.")}
        """);

    // Each row from the one before by one idea, as in the talk.
    static async IAsyncEnumerable<MatrixRow> Rows(MatrixProcess run, int threads, bool hasJava)
    {
        if (await MatrixProcess.VersionAsync("python3", "--version") is { } python)
            yield return new($"Python {python}", 1, rows => MatrixProcess.PythonAsync(N, rows));
        if (hasJava)
            yield return new($"Java {await MatrixProcess.VersionAsync("javac", "--version")}", 8, rows => run.JavaAsync(N, rows));
        yield return C("C (gcc -O0)", 8, MatrixProcess.Plain, "naive", 1);
        yield return C("+ loops in another order", 64, MatrixProcess.Plain, "reordered", 1);
        yield return C("+ gcc -O2", 256, MatrixProcess.Optimised, "reordered", 1);
        yield return C("+ parallel loops", 512, MatrixProcess.Optimised, "reordered", threads);
        yield return C("+ divide and conquer", 1024, MatrixProcess.Optimised, "divided", threads);
        yield return C("+ vectorised (gcc -O3 -march=native)", N, MatrixProcess.Vectorised, "divided", threads);
        yield return C("+ intrinsics, tiles in registers", N, MatrixProcess.Optimised, "widest", threads);

        MatrixRow C(string name, int count, string build, string step, int on) =>
            new(name, count, rows => run.CAsync(build, step, N, rows, on));
    }

    static async Task<(double Gflops, int Bits)> MeasureAsync(
        BenchPlan plan, MatrixRow[] rows, MatrixProcess processes, int threads)
    {
        var peak = (Gflops: 0.0, Bits: 0);
        long? first = null;
        var sums = new Dictionary<int, long>();
        for (var round = 0; round < Rounds; round++)
        {
            var reached = await processes.PeakAsync(threads);
            if (reached.Gflops > peak.Gflops) peak = reached;
            foreach (var row in rows)
            {
                plan.Cancel.ThrowIfCancellationRequested();
                var answer = await row.Run(row.Rows);
                plan.Screen.Note(string.Create(
                    CultureInfo.InvariantCulture, $"  {row.Name}: {answer.Time.TotalSeconds:0.00} s for {row.Rows} rows"));
                sums.TryAdd(row.Rows, answer.All);
                if (answer.FirstRow != (first ??= answer.FirstRow) || answer.All != sums[row.Rows])
                    throw new InvalidDataException($"{row.Name} computed another result");
                row.Add(answer.Time);
            }
        }
        return peak;
    }

    static string Table(MatrixRow[] rows, double peak)
    {
        var text = new StringBuilder("| | time, s | GFLOPS | over the row before | over Python | share of peak | measured |\n");
        text.Append("|---|---:|---:|---:|---:|---:|---|");
        for (var i = 0; i < rows.Length; i++)
        {
            var measured = rows[i].Rows == N ? "whole" : $"{rows[i].Rows} of {N} rows";
            text.Append(CultureInfo.InvariantCulture, $"\n| {rows[i].Name} | {string.Join(" | ", Columns(rows, i, peak))} | {measured} |");
        }
        return text.ToString();
    }

    static string[] Columns(MatrixRow[] rows, int i, double peak)
    {
        var (row, culture) = (rows[i], CultureInfo.InvariantCulture);
        return
        [
            row.Seconds(N).ToString(row.Seconds(N) < 100 ? "0.00" : "#,0", culture),
            row.Gflops(N).ToString(row.Gflops(N) < 0.1 ? "0.0000" : "0.00", culture),
            i == 0 ? "" : (rows[i - 1].Seconds(N) / row.Seconds(N)).ToString("0.00", culture),
            (rows[0].Seconds(N) / row.Seconds(N)).ToString("#,0", culture),
            (100 * row.Gflops(N) / peak).ToString(row.Gflops(N) / peak < 0.01 ? "0.000" : "0.0", culture) + " %",
        ];
    }

    static string Aside(MatrixRow[] rows)
    {
        var text = new StringBuilder("| beside them, the same source | time, s | GFLOPS |\n|---|---:|---:|");
        foreach (var row in rows.Where(row => row.IsAside))
            text.Append(CultureInfo.InvariantCulture, $"\n| {row.Name} | {row.Seconds(N):0.00} | {row.Gflops(N):0.00} |");
        return text.ToString();
    }

    static IEnumerable<Figure> Figures(MatrixRow[] rows)
    {
        yield return Over(OwnRows.Scalar, OwnRows.ScalarC, "");
        yield return Over(OwnRows.Simd, OwnRows.SimdC, "≤ 1.5");
        yield return Over(OwnRows.Threads, OwnRows.ThreadsC, "");

        Figure Over(string above, string below, string aim) => new(
            $"{above} over {below}", Samples.Number(Row(above).Seconds(N) / Row(below).Seconds(N), ""), aim);

        MatrixRow Row(string name) => rows.Single(row => row.Name == name);
    }

    static string Plot(MatrixRow[] rows, double peak) => FigurePlot.Draw(
        string.Create(CultureInfo.InvariantCulture, $"A product of two matrices of {N} × {N} doubles"),
        [.. rows.Select((row, i) => (row.Name, Columns(rows, i, peak), row.Gflops(N), row.IsOurs))], peak);
}
