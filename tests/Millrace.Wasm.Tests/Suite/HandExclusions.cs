using System.Globalization;

namespace Millrace.Wasm.Tests.Suite;

/// <summary>
/// Findings that exclusions.txt names, one a line: <c>file:line  debt|never  reason</c>, or <c>file:first-last</c>.
/// </summary>
sealed class HandExclusions
{
    readonly List<Place> _places = [];

    public HandExclusions(IEnumerable<string> lines)
    {
        foreach (var line in lines)
        {
            if (line.Length == 0 || line[0] == '#') continue;
            var words = line.Split(' ', 3, StringSplitOptions.RemoveEmptyEntries);
            var colon = words[0].LastIndexOf(':');
            if (words.Length != 3 || words[1] is not ("debt" or "never") || colon < 0)
                throw new FormatException($"exclusions.txt: \"{line}\" is not: file:line  debt|never  reason");
            var range = words[0][(colon + 1)..].Split('-');
            _places.Add(new(words[0][..colon], Number(range[0]), Number(range[^1]), $"{words[1]}: {words[2]}"));
        }
    }

    public static HandExclusions Read() =>
        new(File.ReadLines(Path.Combine(AppContext.BaseDirectory, "Suite", "exclusions.txt")));

    /// <summary>The report with named failures among the exclusions and without named faults, and lines that exclude
    /// what passes.</summary>
    public (WastReport Report, IReadOnlyList<string> Needless) Apply(string script, WastReport report)
    {
        Place? Named(WastFailure finding) => _places.FirstOrDefault(
            place => place.File == script && place.First <= finding.Line && finding.Line <= place.Last);

        var needless = _places.Where(place => place.File == script)
            .Except(report.Failures.Concat(report.Faults).Select(Named))
            .Select(static place => $"exclusions.txt: {place!.File}:{place.First} passes").ToArray();
        var excluded = report.Failures.Where(failure => Named(failure) is not null)
            .Select(failure => new WastExclusion(failure.Line, Named(failure)!.Reason));
        var kept = report with
        {
            Failures = [.. report.Failures.Where(failure => Named(failure) is null)],
            Faults = [.. report.Faults.Where(fault => Named(fault) is null)],
            Exclusions = [.. report.Exclusions, .. excluded],
        };
        return (kept, needless);
    }

    static int Number(string text) => int.Parse(text, CultureInfo.InvariantCulture);

    sealed record Place(string File, int First, int Last, string Reason);
}
