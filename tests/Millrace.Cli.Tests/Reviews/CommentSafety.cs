using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Millrace.Cli.Changes;

namespace Millrace.Cli.Tests.Reviews;

/// <summary>What must hold of every review, whatever was reviewed and whoever read it.</summary>
static partial class CommentSafety
{
    static readonly string[] Members = ["summary", "model", "findings", "dropped", "unread", "tokens", "seconds"];
    static readonly string[] FindingMembers =
        ["kind", "severity", "file", "line", "side", "quote", "message", "computed"];

    /// <summary>Finished, within GitHub's limit, and nothing of others works in it.</summary>
    public static void Check(string comment)
    {
        Assert.InRange(comment.Length, 1, 65_536);
        Assert.StartsWith("## Code review", comment, StringComparison.Ordinal);
        Assert.DoesNotContain("is being reviewed", comment, StringComparison.Ordinal);
        Assert.Equal(Count(comment, "<details>"), Count(comment, "</details>"));
        // Fenced blocks and code spans are text by themselves; what is left must hold nothing that works.
        var outside = OurHtml().Replace(CodeSpan().Replace(FencedBlock().Replace(comment, ""), ""), "");
        var active = Active().Match(outside);
        Assert.False(active.Success, $"{active.Value} works in: …{Around(outside, active.Index)}…");
    }

    /// <summary>As <c>millrace review --json</c> promises it, and every quote really stands where it says.</summary>
    public static void Check(JsonObject document, Change change)
    {
        Assert.Equal(Members, document.Select(member => member.Key));
        foreach (var finding in document["findings"]!.AsArray())
        {
            Assert.Equal(FindingMembers, finding!.AsObject().Select(member => member.Key));
            var file = Assert.Single(change.Files, file => file.Path == (string?)finding["file"]);
            Assert.NotNull(file.Hunks);
            var (side, line) = ((string)finding["side"]!, (int)finding["line"]!);
            var text = Lines(file.Hunks).FirstOrDefault(entry => entry.Side == side && entry.Number == line).Text;
            Assert.True(text is not null && Same(text, (string)finding["quote"]!), $"{file.Path}:{line} {side} is `{text}`, not `{finding["quote"]}`");
        }
    }

    // Secrets in a quote are masked and long lines cut: what stands before both must agree.
    static bool Same(string line, string quote)
    {
        var (left, right) = (Normal(line), Normal(quote));
        var cut = right.IndexOf('…', StringComparison.Ordinal);
        if (cut >= 0) return left.StartsWith(right[..cut], StringComparison.Ordinal);
        return left == right;
    }

    static string Normal(string text) => string.Join(' ', text.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries));

    static IEnumerable<(string Side, int Number, string Text)> Lines(string hunks)
    {
        var (left, right) = (0, 0);
        foreach (var line in hunks.Split('\n'))
        {
            if (HunkHead().Match(line) is { Success: true } head)
            {
                (left, right) = (int.Parse(head.Groups[1].ValueSpan), int.Parse(head.Groups[2].ValueSpan));
                continue;
            }

            switch (line.Length == 0 ? ' ' : line[0])
            {
                case '+': yield return ("RIGHT", right++, line[1..]); break;
                case '-': yield return ("LEFT", left++, line[1..]); break;
                case '\\': break;
                default:
                    yield return ("RIGHT", right++, line.Length == 0 ? "" : line[1..]);
                    left++;
                    break;
            }
        }
    }

    static int Count(string text, string part) => text.Split(part).Length - 1;

    static string Around(string text, int at) => text[Math.Max(0, at - 60)..Math.Min(text.Length, at + 60)];

    [GeneratedRegex(@"^@@ -(\d+)(?:,\d+)? \+(\d+)(?:,\d+)? @@")]
    private static partial Regex HunkHead();

    [GeneratedRegex(@"^\s*(`{3,})text\n[\s\S]*?\n\s*\1\n", RegexOptions.Multiline)]
    private static partial Regex FencedBlock();

    [GeneratedRegex(@"(?<![`\\])(`+)(?!`)[^\n]*?(?<!`)\1(?!`)")]
    private static partial Regex CodeSpan();

    [GeneratedRegex(@"</?details>|</?summary>|<!-- millrace-review [^\n]* -->|<!-- millrace-status -->|<!-- millrace:[\w:.-]+ -->")]
    private static partial Regex OurHtml();

    [GeneratedRegex(@"@\w|(?<!\\)#\d|GH-\d|(?<!\\)\[|(?<!\\)\]\(|(?<!\\)!\[|<[\w/!]|://|www\.\w")]
    private static partial Regex Active();
}
