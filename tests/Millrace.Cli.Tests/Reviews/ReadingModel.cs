using System.Text.RegularExpressions;

namespace Millrace.Cli.Tests.Reviews;

/// <summary>Answers as a model would that reads what it is shown, and lies a little.</summary>
static partial class ReadingModel
{
    public const string Invented = "this_line_is_nowhere_in_the_change()";

    /// <summary>What hostile text tries in a comment; none of it may work.</summary>
    public const string Attack =
        "@acme/everyone fixes #1 GH-2 ![p](https://evil.example/p.png) <img src=x onerror=y> [c](javascript:alert(1)) </details>";

    /// <summary>A claim about the first new line of some length, one about a line that is not there, and attacks.</summary>
    public static string Answer(string prompt)
    {
        var file = "";
        foreach (var line in prompt.Split('\n'))
        {
            if (FileHead().Match(line) is { Success: true } head) file = head.Groups[1].Value;
            if (NewLine().Match(line) is not { Success: true } added || file.Length == 0) continue;
            return $"""
                SUMMARY: The change touches {file}. {Attack}
                CHANGE: {file} is different now. {Attack}
                FILE {file}: has new lines. {Attack}
                RISK | high | other | {file}:{added.Groups[1].Value} | `{added.Groups[2].Value}` | Callers of it may break. {Attack}
                RISK | critical | secret | {file}:1 | `{Invented}` | It leaks.
                """;
        }

        return "NO RISKS";
    }

    [GeneratedRegex(@"^=== (.+) \(\+\d+ -\d+\)$")]
    private static partial Regex FileHead();

    // Neither masked, nor cut, nor with what the answer's form is made of.
    [GeneratedRegex(@"^ *(\d+) \+ ([^`|…]{12,250})$")]
    private static partial Regex NewLine();
}
