using System.Globalization;
using System.Text;
using Millrace.Wasm;

namespace Millrace.Fuzz;

/// <summary>What a run of comparisons found, as Markdown.</summary>
static class FuzzReport
{
    const long EnoughTimes = 1000;

    public static string Of(
        Comparison comparison, long first, long end, TimeSpan time, IReadOnlyCollection<Divergence> divergences)
    {
        var text = new StringBuilder();
        void Line(FormattableString line) => text.Append(line.ToString(CultureInfo.InvariantCulture)).Append('\n');
        Line($"| | |");
        Line($"|---|---|");
        Line($"| beside | {OtherEngine.Name} |");
        Line($"| seeds | {first} to {end - 1} |");
        Line($"| time | {time.TotalMinutes:0.0} min |");
        Line($"| modules | {comparison.Modules} |");
        foreach (var (mode, count) in comparison.ModulesOf) Line($"| of which run in mode {mode} | {count} |");
        Line($"| modules of which a call trapped | {100.0 * comparison.ModulesThatTrapped / Math.Max(1, comparison.Modules):0} % |");
        Line($"| modules on which the engines differ | {divergences.Count} |");
        foreach (var (name, times) in comparison.Ends.OrderByDescending(pair => pair.Value))
            Line($"| calls that ended with: {name} | {times} |");
        Line($"");
        Line($"Traps of the first mode, by reason; the last are those that a module alone cannot bring about.");
        Line($"");
        Line($"| reason | calls |");
        Line($"|---|---|");
        foreach (var code in Enum.GetValues<TrapCode>().OrderByDescending(code => comparison.Traps.GetValueOrDefault(code)))
            Line($"| {code} | {comparison.Traps.GetValueOrDefault(code)} |");
        if (comparison.Executed.Count == 0) return text.ToString(); // modules of others count nothing
        var names = NumericTable.Names.Union(comparison.Executed.Keys).Order(StringComparer.Ordinal).ToList();
        var rare = names.Where(name => comparison.Executed.GetValueOrDefault(name) < EnoughTimes).ToList();
        Line($"");
        Line($"Instructions counted in every other module, except else and end: {names.Count}, of which {rare.Count} ran");
        Line($"less than {EnoughTimes} times there.");
        Line($"");
        Line($"| instruction | times |");
        Line($"|---|---|");
        foreach (var name in names.OrderBy(name => comparison.Executed.GetValueOrDefault(name)))
            Line($"| {name} | {comparison.Executed.GetValueOrDefault(name)} |");
        return text.ToString();
    }
}
