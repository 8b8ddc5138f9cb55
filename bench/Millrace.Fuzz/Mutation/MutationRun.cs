using System.Diagnostics;
using System.Globalization;
using System.IO.MemoryMappedFiles;
using System.Text;

namespace Millrace.Fuzz.Mutation;

/// <summary>
/// Mutates for a long time, in a process of its own, for an input may end it: the seed that it is at stands in a shared
/// file, and the next process begins behind it.
/// </summary>
static class MutationRun
{
    static readonly TimeSpan SilenceMax = TimeSpan.FromMinutes(2);

    /// <summary>Works alone: the seeds of a range, until the time is up. Prints failures, then how inputs ended.</summary>
    /// <returns>How many failed.</returns>
    public static int Work(long from, long end, TimeSpan limit, string? corpusFolder, string keep, string? place)
    {
        using var file = place is null ? null : MemoryMappedFile.CreateFromFile(place, FileMode.OpenOrCreate, null, sizeof(long));
        using var view = file?.CreateViewAccessor();
        using var work = new MutationCase(MutationCorpus.Of(corpusFolder));
        var clock = Stopwatch.StartNew();
        var failures = 0;
        for (var seed = from; seed < end && clock.Elapsed < limit; seed++)
        {
            view?.Write(0, seed);
            if (work.Run(seed) is not { } failure) continue;
            failures++;
            var path = Path.Combine(Directory.CreateDirectory(keep).FullName, $"{seed}.{MutationCase.Extension(failure)}");
            File.WriteAllBytes(path, failure.Input);
            Console.WriteLine($"! seed {seed}: {failure.What}");
        }

        view?.Write(0, -1L);
        foreach (var (way, times) in work.Ends.OrderByDescending(pair => pair.Value)) Console.WriteLine($"{times} {way}");
        return failures;
    }

    /// <summary>The whole run; what it found, as Markdown, and whether that is nothing.</summary>
    public static async Task<(string? Text, bool IsGood)> RunAsync(
        long from, TimeSpan limit, string? corpusFolder, string keep, CancellationToken cancel)
    {
        var place = Path.GetTempFileName();
        var (failures, clock) = (new List<string>(), Stopwatch.StartNew());
        var ends = new SortedDictionary<string, long>(StringComparer.Ordinal);
        var seed = from;
        try
        {
            // In parts: what a part counted is lost with its process.
            while (clock.Elapsed < limit && !cancel.IsCancellationRequested)
            {
                var part = TimeSpan.FromSeconds(Math.Min(60, (limit - clock.Elapsed).TotalSeconds));
                var (lines, died) = await PartAsync(seed, part, corpusFolder, keep, place, cancel);
                foreach (var line in lines)
                {
                    if (line.StartsWith('!')) failures.Add(line[2..]);
                    else if (line.IndexOf(' ', StringComparison.Ordinal) is > 0 and var space && CountOf(line) is > 0 and var count)
                        ends[line[(space + 1)..]] = ends.GetValueOrDefault(line[(space + 1)..]) + count;
                }

                var at = ReadSeed(place);
                if (died is not null) failures.Add($"seed {at}: {died}");
                // A part that ended well tells how many it did.
                seed = died is not null ? at + 1 : seed + Math.Max(1, lines.Sum(CountOf));
                Console.Error.WriteLine($"{seed - from} inputs, {clock.Elapsed.TotalSeconds:0} s, {failures.Count} failed");
            }
        }
        finally
        {
            File.Delete(place);
        }

        return (Table(from, seed, clock.Elapsed, ends, failures), failures.Count == 0);
    }

    static long CountOf(string line) =>
        line.StartsWith('!') ? 1 : long.TryParse(line.Split(' ')[0], CultureInfo.InvariantCulture, out var count) ? count : 0;

    static async Task<(string[] Lines, string? Died)> PartAsync(
        long from, TimeSpan limit, string? corpusFolder, string keep, string place, CancellationToken cancel)
    {
        List<string> arguments = [typeof(MutationRun).Assembly.Location, "--mutate", "--place", place, "--keep", keep,
            "--from", from.ToString(CultureInfo.InvariantCulture), "--count", long.MaxValue.ToString(CultureInfo.InvariantCulture),
            "--minutes", limit.TotalMinutes.ToString(CultureInfo.InvariantCulture)];
        if (corpusFolder is not null) arguments.AddRange(["--corpus", corpusFolder]);
        var start = new ProcessStartInfo("dotnet", arguments) { RedirectStandardOutput = true, RedirectStandardError = true };
        using var process = Process.Start(start)!;
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        patience.CancelAfter(limit + SilenceMax);
        var (output, errors) = (process.StandardOutput.ReadToEndAsync(cancel), process.StandardError.ReadToEndAsync(cancel));
        string? died = null;
        try
        {
            await process.WaitForExitAsync(patience.Token);
        }
        catch (OperationCanceledException)
        {
            process.Kill();
            cancel.ThrowIfCancellationRequested();
            died = "it went on and on";
        }

        var lines = (await output).Split('\n');
        if (process.ExitCode is not (0 or 1)) died ??= $"the process died: {(await errors).Split('\n')[0]}";
        return (lines, died);
    }

    static long ReadSeed(string place)
    {
        var bytes = File.ReadAllBytes(place);
        return BitConverter.ToInt64(bytes);
    }

    static string Table(
        long from, long end, TimeSpan time, SortedDictionary<string, long> ends, List<string> failures)
    {
        var text = new StringBuilder();
        void Line(FormattableString line) => text.Append(line.ToString(CultureInfo.InvariantCulture)).Append('\n');
        Line($"| | |");
        Line($"|---|---|");
        Line($"| seeds | {from} to {end - 1} |");
        Line($"| time | {time.TotalMinutes:0.0} min |");
        Line($"| inputs that did what they must not | {failures.Count} |");
        foreach (var (way, times) in ends) Line($"| {way} | {times} |");
        foreach (var failure in failures) Line($"\n- {failure}");
        return text.ToString();
    }
}
