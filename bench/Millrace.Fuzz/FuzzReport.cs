using System.Globalization;
using System.Text;

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
        Line($"| modules of which a call trapped | {100.0 * comparison.ModulesThatTrapped / Math.Max(1, comparison.Modules):0} % |");
        Line($"| modules on which the engines differ | {divergences.Count} |");
        foreach (var (name, times) in comparison.Ends.OrderByDescending(pair => pair.Value))
            Line($"| calls that ended with: {name} | {times} |");
        var names = NumericTable.Names.Union(comparison.Executed.Keys).Order(StringComparer.Ordinal).ToList();
        var rare = names.Where(name => comparison.Executed.GetValueOrDefault(name) < EnoughTimes).ToList();
        Line($"");
        Line($"Instructions counted in every other module: {names.Count}, of which {rare.Count} ran less than {EnoughTimes} times there.");
        Line($"");
        Line($"| instruction | times |");
        Line($"|---|---|");
        foreach (var name in names.OrderBy(name => comparison.Executed.GetValueOrDefault(name)))
            Line($"| {name} | {comparison.Executed.GetValueOrDefault(name)} |");
        return text.ToString();
    }
}
