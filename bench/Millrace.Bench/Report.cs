using System.Diagnostics;
using System.Globalization;
using System.Text;

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
    readonly StringBuilder _text = new();

    public static async Task<Report> BeginAsync(string arguments)
    {
        var report = new Report();
        var model = (await File.ReadAllLinesAsync("/proc/cpuinfo"))
            .First(line => line.StartsWith("model name", StringComparison.Ordinal)).Split(':')[1].Trim();
        var kernel = (await File.ReadAllTextAsync("/proc/sys/kernel/osrelease")).Trim();
        var now = TimeProvider.System.GetUtcNow().ToString("yyyy-MM-dd HH:mm", CultureInfo.InvariantCulture);
        report._text.Append(CultureInfo.InvariantCulture, $"""
            # Results

            | | |
            |---|---|
            | machine | {model}, {Environment.ProcessorCount} cores, Linux {kernel}, .NET {Environment.Version} |
            | commit | {await GitAsync("rev-parse", "--short", "HEAD")} |
            | command | `dotnet run --project bench/Millrace.Bench -c Release -- {arguments}` |
            | begun | {now} UTC, load average {Load()} |

            """);
        return report;
    }

    public void Add(Section section)
    {
        _text.Append(CultureInfo.InvariantCulture, $"\n## {section.Title}\n\n{section.How}\n\n");
        _text.Append("| | measured | aim |\n|---|---|---|\n");
        foreach (var figure in section.Figures)
            _text.Append(CultureInfo.InvariantCulture, $"| {figure.What} | {figure.Value} | {figure.Aim} |\n");
        _text.Append(CultureInfo.InvariantCulture, $"\nLoad average at its end: {Load()}.\n");
    }

    public string End() => _text.ToString();

    static string Load() => string.Join(' ', File.ReadAllText("/proc/loadavg").Split(' ')[..3]);

    static async Task<string> GitAsync(params string[] arguments)
    {
        using var git = Process.Start(new ProcessStartInfo("git", arguments) { RedirectStandardOutput = true })!;
        var text = await git.StandardOutput.ReadToEndAsync();
        await git.WaitForExitAsync();
        return text.Trim();
    }
}
