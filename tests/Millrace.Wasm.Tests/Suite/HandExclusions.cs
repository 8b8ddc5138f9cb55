using System.Globalization;

namespace Millrace.Wasm.Tests.Suite;

/// <summary>Findings that exclusions.txt names: <c>file:line  debt|never  reason</c>, one a line.</summary>
sealed class HandExclusions
{
    readonly HashSet<(string File, int Line)> _places = [];

    public HandExclusions(IEnumerable<string> lines)
    {
        foreach (var line in lines)
        {
            if (line.Length == 0 || line[0] == '#') continue;
            var words = line.Split(' ', 3, StringSplitOptions.RemoveEmptyEntries);
            var colon = words[0].LastIndexOf(':');
            if (words.Length != 3 || words[1] is not ("debt" or "never") || colon < 0)
                throw new FormatException($"exclusions.txt: \"{line}\" is not: file:line  debt|never  reason");
            _places.Add((words[0][..colon], int.Parse(words[0].AsSpan(colon + 1), CultureInfo.InvariantCulture)));
        }
    }

    public static HandExclusions Read() =>
        new(File.ReadLines(Path.Combine(AppContext.BaseDirectory, "Suite", "exclusions.txt")));

    /// <summary>The report with named failures among the exclusions, and lines that exclude what passes.</summary>
    public (WastReport Report, IReadOnlyList<string> Needless) Apply(string script, WastReport report)
    {
        bool IsNamed(WastFailure failure) => _places.Contains((script, failure.Line));
        var named = report.Failures.Where(IsNamed).ToArray();
        var needless = _places.Where(place => place.File == script && named.All(failure => failure.Line != place.Line))
            .Select(static place => $"exclusions.txt: {place.File}:{place.Line} passes").ToArray();
        var kept = report with
        {
            Failures = [.. report.Failures.Where(failure => !IsNamed(failure))],
            Exclusions = [.. report.Exclusions, .. named.Select(static one => new WastExclusion(one.Line, "by hand"))],
        };
        return (kept, needless);
    }
}
