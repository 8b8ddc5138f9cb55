using System.Collections.Immutable;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace Millrace.Cli.Changes;

/// <summary>A change from a patch file: <c>git diff</c>, <c>git format-patch</c>, or several of them after one another.</summary>
static class PatchFile
{
    /// <summary>Reads a patch. Title, body and author come from a format-patch mail head, when there is one.</summary>
    public static Change Read(ReadOnlyMemory<byte> bytes, string name, DateTimeOffset now)
    {
        var files = UnifiedDiff.Files(bytes.Span);
        var commits = Mails(Encoding.UTF8.GetString(bytes.Span), now);
        var head = Sha(bytes.Span);
        if (commits.IsEmpty) commits = [new(head, name, "you", "you@localhost", now)];
        var message = commits[0].Message.Split('\n', 2);
        return new()
        {
            Title = commits.Length == 1 ? message[0] : name,
            Body = commits.Length == 1 && message.Length > 1 ? message[1].Trim() : "",
            Author = commits[0].AuthorName,
            BaseRef = "main",
            BaseSha = Sha(Encoding.UTF8.GetBytes("base of " + head)),
            HeadRef = Path.GetFileNameWithoutExtension(name),
            HeadSha = head,
            Commits = commits,
            Files = files,
            Diff = bytes,
        };
    }

    static ImmutableArray<ChangeCommit> Mails(string text, DateTimeOffset now)
    {
        var commits = ImmutableArray.CreateBuilder<ChangeCommit>();
        var lines = text.Split('\n');
        for (var i = 0; i < lines.Length; i++)
        {
            var isMail = lines[i].StartsWith("From ", StringComparison.Ordinal) && i + 1 < lines.Length
                && lines[i + 1].StartsWith("From:", StringComparison.Ordinal);
            if (isMail) commits.Add(Mail(lines.AsSpan(i), now));
        }

        return commits.ToImmutable();
    }

    static ChangeCommit Mail(ReadOnlySpan<string> lines, DateTimeOffset now)
    {
        var (sha, author, email, subject, at) = (lines[0].Split(' ')[1], "you", "you@localhost", "", now);
        var i = 1;
        for (; i < lines.Length && lines[i].Trim().Length > 0; i++)
        {
            var line = lines[i].TrimEnd('\r');
            if (line.StartsWith("From: ", StringComparison.Ordinal)) (author, email) = Address(line[6..]);
            else if (line.StartsWith("Subject: ", StringComparison.Ordinal)) subject = WithoutTag(line[9..]);
            else if (line.StartsWith(' ') && subject.Length > 0) subject += line;
            else if (line.StartsWith("Date: ", StringComparison.Ordinal)) at = Date(line[6..], now);
        }

        var body = new StringBuilder();
        for (i++; i < lines.Length && !IsMessageEnd(lines[i]); i++) body.Append(lines[i]).Append('\n');
        return new(sha, $"{subject}\n\n{body}".Trim(), author, email, at);
    }

    static bool IsMessageEnd(string line) =>
        line.TrimEnd('\r') == "---" || line.StartsWith("diff --git ", StringComparison.Ordinal);

    static DateTimeOffset Date(string text, DateTimeOffset now) =>
        DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, out var date) ? date : now;

    static (string Name, string Email) Address(string text)
    {
        var open = text.LastIndexOf('<');
        return open < 0 ? (text.Trim(), "") : (text[..open].Trim().Trim('"'), text[(open + 1)..].Trim().TrimEnd('>'));
    }

    static string WithoutTag(string subject)
    {
        var close = subject.IndexOf(']', StringComparison.Ordinal);
        return subject.StartsWith("[PATCH", StringComparison.Ordinal) && close > 0 ? subject[(close + 1)..].Trim() : subject;
    }

    // A patch has no commit hash; any stable 40 hex digits serve as its name.
    static string Sha(ReadOnlySpan<byte> bytes) => Convert.ToHexStringLower(SHA256.HashData(bytes))[..40];
}
