using System.Diagnostics;
using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;

namespace Millrace.Bench;

/// <summary>One figure; <paramref name="Aim"/> is empty where there is none.</summary>
sealed record Figure(string What, string Value, string Aim = "");

/// <summary>What was measured of one thing.</summary>
/// <param name="Title">Its heading.</param>
/// <param name="How">What was done, and what the figures are beside.</param>
/// <param name="Figures">The figures.</param>
sealed record Section(string Title, string How, params Figure[] Figures);

/// <summary>The results with the machine, the commit and the command that gave them.</summary>
sealed class Report
{
    readonly List<(string Title, string Text)> _sections = [];
    readonly string _head;
    readonly string _origin;

    Report(string head, string origin) => (_head, _origin) = (head, origin);

    public static async Task<Report> BeginAsync(string arguments)
    {
        var model = (await File.ReadAllLinesAsync("/proc/cpuinfo"))
            .First(line => line.StartsWith("model name", StringComparison.Ordinal)).Split(':')[1].Trim();
        var kernel = (await File.ReadAllTextAsync("/proc/sys/kernel/osrelease")).Trim();
        var now = TimeProvider.System.GetUtcNow().ToString("yyyy-MM-dd HH:mm", CultureInfo.InvariantCulture);
        var machine = $"{model}, {Environment.ProcessorCount} cores, Linux {kernel}, .NET {Environment.Version}";
        var commit = await GitAsync("rev-parse", "--short", "HEAD");
        // Where a folder lies is this machine's own matter.
        var plain = Regex.Replace(arguments, @"(--models|--folder)[ =]\S+", "$1 FOLDER");
        var command = $"`dotnet run --project bench/Millrace.Bench -c Release -- {plain}`";
        var head = $"""
            # Results

            | | |
            |---|---|
            | machine | {machine} |
            | commit | {commit} |
            | command | {command} |
            | begun | {now} UTC, load average {Load()} |

            """;
        return new(head, $"Measured by itself: {machine}; commit {commit}; {command}; begun {now} UTC, load average {Load()}.");
    }

    public void Add(Section section)
    {
        var text = new StringBuilder($"{section.How}\n");
        if (section.Figures.Length > 0) text.Append("\n| | measured | aim |\n|---|---|---|\n");
        foreach (var figure in section.Figures)
            text.Append(CultureInfo.InvariantCulture, $"| {figure.What} | {figure.Value} | {figure.Aim} |\n");
        text.Append(CultureInfo.InvariantCulture, $"\nLoad average at its end: {Load()}.\n");
        _sections.Add((section.Title, text.ToString()));
    }

    /// <summary>The whole file.</summary>
    public string End() => _head + string.Concat(_sections.Select(one => $"\n## {one.Title}\n\n{one.Text}"));

    /// <summary>Another file with these sections in place of its own; those that it lacks come last.</summary>
    public string Within(string file)
    {
        foreach (var (title, text) in _sections)
        {
            var section = $"\n## {title}\n\n{_origin}\n\n{text}";
            var start = file.IndexOf($"\n## {title}\n", StringComparison.Ordinal);
            var end = start < 0 ? -1 : file.IndexOf("\n## ", start + 1, StringComparison.Ordinal);
            file = start < 0 ? file + section : file[..start] + section + (end < 0 ? "" : file[end..]);
        }
        return file;
    }

    static string Load() => string.Join(' ', File.ReadAllText("/proc/loadavg").Split(' ')[..3]);

    static async Task<string> GitAsync(params string[] arguments)
    {
        using var git = Process.Start(new ProcessStartInfo("git", arguments) { RedirectStandardOutput = true })!;
        var text = await git.StandardOutput.ReadToEndAsync();
        await git.WaitForExitAsync();
        return text.Trim();
    }
}
