using System.Diagnostics;
using System.Globalization;
using System.Text;
using Millrace.Wasm.Compilation;

namespace Millrace.Fuzz;

/// <summary>How soon the comparison finds each mistake that the compiler can make on purpose.</summary>
static class FaultSearch
{
    /// <summary>All mistakes.</summary>
    public static IEnumerable<CompilerFault> All => Enum.GetValues<CompilerFault>().Where(fault => fault != CompilerFault.None);

    /// <summary>
    /// Searches in a process of its own, which a mistake may kill: by this program with <c>--fault</c>, which ends with
    /// 1 at the first difference. Null: not found in that time.
    /// </summary>
    public static async Task<Found?> SearchAsync(CompilerFault fault, TimeSpan limit, CancellationToken cancel)
    {
        var start = new ProcessStartInfo("dotnet", [typeof(FaultSearch).Assembly.Location, "--fault", fault.ToString(),
            "--count", long.MaxValue.ToString(CultureInfo.InvariantCulture),
            "--minutes", limit.TotalMinutes.ToString(CultureInfo.InvariantCulture)])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        var clock = Stopwatch.StartNew();
        using var process = Process.Start(start)!;
        var errors = process.StandardError.ReadToEndAsync(cancel);
        var words = (await process.StandardOutput.ReadToEndAsync(cancel)).Split('\n')[0];
        await process.WaitForExitAsync(cancel);
        _ = await errors;
        return process.ExitCode switch
        {
            0 => null,
            1 => new(clock.Elapsed, words),
            2 => throw new InvalidOperationException(await errors),
            _ => new(clock.Elapsed, "the process died"),
        };
    }

    /// <summary>A table of all mistakes, as Markdown; tells each on <paramref name="progress"/> as it is found.</summary>
    public static async Task<string> TableAsync(TimeSpan limit, Action<string> progress, CancellationToken cancel)
    {
        var text = new StringBuilder("| mistake | found after | by |\n|---|---|---|\n");
        foreach (var fault in All)
        {
            var found = await SearchAsync(fault, limit, cancel);
            var row = found is null
                ? $"| {fault} | not in {limit.TotalMinutes:0} min | |"
                : string.Create(CultureInfo.InvariantCulture, $"| {fault} | {found.After.TotalSeconds:0} s | {found.By.Replace("|", "", StringComparison.Ordinal)} |");
            progress(row);
            text.Append(row).Append('\n');
        }

        return text.ToString();
    }

    /// <summary>A mistake that was found.</summary>
    /// <param name="After">From the start of the process.</param>
    /// <param name="By">What differed.</param>
    public sealed record Found(TimeSpan After, string By);
}
