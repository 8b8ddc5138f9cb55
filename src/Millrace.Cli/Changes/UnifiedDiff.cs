using System.Collections.Immutable;
using System.Text;

namespace Millrace.Cli.Changes;

/// <summary>Splits a git diff into the files that GitHub would list.</summary>
static class UnifiedDiff
{
    /// <summary>The files of a diff, in its order. Bytes that are not UTF-8 become U+FFFD, as in GitHub's JSON.</summary>
    /// <exception cref="FormatException">There is no <c>diff --git</c> line in a diff that is not empty.</exception>
    public static ImmutableArray<ChangedFile> Files(ReadOnlySpan<byte> diff)
    {
        if (diff.IndexOfAnyExcept("\r\n\t "u8) < 0) return [];
        var files = ImmutableArray.CreateBuilder<ChangedFile>();
        var lines = Encoding.UTF8.GetString(diff).Split('\n');
        var start = Array.FindIndex(lines, IsFileStart);
        if (start < 0)
            throw new FormatException("no line starts with `diff --git`: make the patch with `git diff` or `git format-patch`");

        while (start < lines.Length)
        {
            var end = Array.FindIndex(lines, start + 1, IsFileStart);
            if (end < 0) end = lines.Length;
            files.Add(File(lines.AsSpan(start, end - start)));
            start = end;
        }

        return files.ToImmutable();
    }

    static bool IsFileStart(string line) => line.StartsWith("diff --git ", StringComparison.Ordinal);

    static ChangedFile File(ReadOnlySpan<string> lines)
    {
        var (oldPath, newPath) = HeaderPaths(lines[0]);
        string? renamedFrom = null;
        var status = "modified";
        var hunksAt = lines.Length;
        for (var i = 1; i < lines.Length; i++)
        {
            var line = lines[i].TrimEnd('\r');
            if (line.StartsWith("@@ ", StringComparison.Ordinal)) { hunksAt = i; break; }
            if (line.StartsWith("new file mode", StringComparison.Ordinal)) status = "added";
            else if (line.StartsWith("deleted file mode", StringComparison.Ordinal)) status = "removed";
            else if (line.StartsWith("old mode", StringComparison.Ordinal)) status = "changed";
            else if (After(line, "rename from ") is { } from) (status, renamedFrom) = ("renamed", Unquote(from));
            else if (After(line, "copy from ") is { } source) (status, renamedFrom) = ("copied", Unquote(source));
            else if (After(line, "rename to ") is { } to) newPath = Unquote(to);
            else if (After(line, "copy to ") is { } copy) newPath = Unquote(copy);
            else if (After(line, "--- ") is { } minus && SidePath(minus) is { } left) oldPath = left;
            else if (After(line, "+++ ") is { } plus && SidePath(plus) is { } right) newPath = right;
        }

        var (additions, deletions, hunks) = Hunks(lines[hunksAt..]);
        if (status == "changed" && hunks is not null) status = "modified";
        return new(status == "removed" ? oldPath : newPath, renamedFrom, status, additions, deletions, hunks);
    }

    static (int Additions, int Deletions, string? Hunks) Hunks(ReadOnlySpan<string> lines)
    {
        if (lines.Length == 0) return (0, 0, null);
        int additions = 0, deletions = 0, oldLeft = 0, newLeft = 0, kept = 0;
        foreach (var line in lines)
        {
            var isHead = line.StartsWith("@@ ", StringComparison.Ordinal);
            var mark = line.Length == 0 ? ' ' : line[0];
            if (!isHead && mark != '\\' && oldLeft + newLeft == 0) break; // a mail's signature, the next mail's head
            switch (mark)
            {
                case '@' when isHead: (oldLeft, newLeft) = HunkLengths(line); break;
                case '+': additions++; newLeft--; break;
                case '-': deletions++; oldLeft--; break;
                case '\\': break;
                default: oldLeft--; newLeft--; break;
            }

            kept++;
        }

        return (additions, deletions, string.Join('\n', lines[..kept]!));
    }

    static (int Old, int New) HunkLengths(string line)
    {
        var parts = line.Split(' ');
        return (Length(parts[1]), parts.Length > 2 ? Length(parts[2]) : 0);

        static int Length(string range)
        {
            var comma = range.IndexOf(',', StringComparison.Ordinal);
            return comma < 0 ? 1 : int.TryParse(range.AsSpan(comma + 1), out var length) ? length : 0;
        }
    }

    static string? After(string line, string prefix) =>
        line.StartsWith(prefix, StringComparison.Ordinal) ? line[prefix.Length..] : null;

    static string? SidePath(string text)
    {
        var path = Unquote(text.TrimEnd('\t', '\r'));
        return path == "/dev/null" ? null : path.Length > 2 && path[1] == '/' ? path[2..] : path;
    }

    /// <summary>Paths of <c>diff --git a/x b/x</c>; for unquoted paths with blanks the two halves must be alike.</summary>
    static (string Old, string New) HeaderPaths(string line)
    {
        var rest = line["diff --git ".Length..].TrimEnd('\r');
        if (rest.StartsWith('"'))
        {
            var close = rest.IndexOf("\" ", 1, StringComparison.Ordinal);
            if (close > 0) return (SidePath(rest[..(close + 1)]) ?? "", SidePath(rest[(close + 2)..]) ?? "");
        }

        for (var at = rest.IndexOf(" b/", StringComparison.Ordinal); at > 0;
             at = rest.IndexOf(" b/", at + 1, StringComparison.Ordinal))
        {
            var isSame = rest.AsSpan(2, at - 2).SequenceEqual(rest.AsSpan(at + 3));
            if (isSame) return (rest[2..at], rest[(at + 3)..]);
        }

        var split = rest.IndexOf(" b/", StringComparison.Ordinal);
        return split < 0 ? (rest, rest) : (SidePath(rest[..split]) ?? rest, SidePath(rest[(split + 1)..]) ?? rest);
    }

    /// <summary>Git quotes paths in C style; octal escapes are UTF-8 bytes.</summary>
    static string Unquote(string text)
    {
        text = text.TrimEnd('\r');
        if (text.Length < 2 || text[0] != '"' || text[^1] != '"') return text;
        var bytes = new List<byte>();
        for (var i = 1; i < text.Length - 1; i++)
        {
            if (text[i] != '\\') { bytes.AddRange(Encoding.UTF8.GetBytes(text[i].ToString())); continue; }
            var escape = text[++i];
            if (escape is >= '0' and <= '3' && i + 2 < text.Length)
            {
                bytes.Add(Convert.ToByte(text.Substring(i, 3), 8));
                i += 2;
            }
            else
            {
                bytes.Add((byte)(escape switch { 't' => '\t', 'n' => '\n', 'r' => '\r', _ => escape }));
            }
        }

        return Encoding.UTF8.GetString(bytes.ToArray());
    }
}
