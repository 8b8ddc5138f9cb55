using System.Globalization;
using System.Text;

namespace Millrace.Wasm;

/// <summary>The counts of several scripts, and how they are shown.</summary>
public sealed class WastTotals
{
    readonly List<WastReport> _reports = [];

    /// <summary>Assertions executed.</summary>
    public int Executed { get; private set; }

    /// <summary>Assertions that held.</summary>
    public int Passed { get; private set; }

    /// <summary>Assertions that did not hold.</summary>
    public int Failed { get; private set; }

    /// <summary>Assertions excluded for a feature that is not there yet.</summary>
    public int Excluded { get; private set; }

    /// <summary>Commands that are no assertions and went wrong.</summary>
    public int Faults { get; private set; }

    /// <summary>Whether nothing went wrong.</summary>
    public bool IsGood => Failed == 0 && Faults == 0;

    /// <summary>Counts a script in.</summary>
    public void Add(WastReport report)
    {
        _reports.Add(report);
        Executed += report.Executed;
        Passed += report.Passed;
        Failed += report.Failures.Length;
        Excluded += report.Exclusions.Length;
        Faults += report.Faults.Length;
    }

    /// <summary>One line for one script.</summary>
    public static string Line(WastReport report) => Line(
        report.File, report.Executed, report.Passed, report.Failures.Length, report.Exclusions.Length,
        report.Faults.Length) + Reasons(report);

    /// <summary>One line for all of them.</summary>
    public string Line() =>
        Line($"{_reports.Count} scripts", Executed, Passed, Failed, Excluded, Faults);

    static string Line(string subject, int executed, int passed, int failed, int excluded, int faults)
    {
        var text = Format($"{subject}: {executed} executed, {passed} passed, {failed} failed, {excluded} excluded");
        return faults == 0 ? text : text + Format($", {faults} other commands went wrong");
    }

    static string Reasons(WastReport report)
    {
        var reasons = string.Join(", ", ByReason([report]).Select(static pair => pair.Reason));
        return reasons.Length == 0 ? "" : $" ({reasons})";
    }

    /// <summary>The counts as one JSON object on one line.</summary>
    public string ToJson() => "{" + Format(
        $"\"executed\": {Executed}, \"passed\": {Passed}, \"failed\": {Failed}, \"excluded\": {Excluded}") + "}";

    /// <summary>The counts as a page in Markdown: in all, by reason of exclusion, and by file.</summary>
    public string ToMarkdown()
    {
        var page = new StringBuilder();
        page.Append("| | assertions |\n|---|---|\n");
        page.Append(Format($"| executed | {Executed} |\n| passed | {Passed} |\n| failed | {Failed} |\n"));
        page.Append(Format($"| excluded | {Excluded} |\n"));
        foreach (var (reason, count) in ByReason(_reports)) page.Append(Format($"| excluded, {reason} | {count} |\n"));
        page.Append("\n| file | executed | passed | failed | excluded | why |\n|---|---|---|---|---|---|\n");
        foreach (var report in _reports.OrderBy(static report => report.File, StringComparer.Ordinal))
        {
            var reasons = ByReason([report]).Select(static pair => Format($"{pair.Reason} {pair.Count}"));
            page.Append(Format($"| {report.File.Replace('\\', '/')} | {report.Executed} | {report.Passed} "));
            page.Append(Format($"| {report.Failures.Length} | {report.Exclusions.Length} "));
            page.Append("| ").AppendJoin(", ", reasons).Append(" |\n");
        }

        return page.ToString();
    }

    static IEnumerable<(string Reason, int Count)> ByReason(IEnumerable<WastReport> reports) =>
        reports.SelectMany(static report => report.Exclusions).GroupBy(static exclusion => exclusion.Reason)
            .Select(static group => (group.Key, group.Count()))
            .OrderByDescending(static pair => pair.Item2);

    static string Format(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
