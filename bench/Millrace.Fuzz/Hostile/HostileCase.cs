using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using Millrace.Wasm;
using Millrace.Wasm.Binary;
using Millrace.Wasm.Compilation;

namespace Millrace.Fuzz.Hostile;

/// <summary>
/// A module that attacks, from <c>hostile/NAME</c>: <c>module.wat</c>, where <c>{{1000|text}}</c> stands for a thousand
/// times the text, and <c>expect.txt</c>. That says in its first line what the module tries, then one line each:
/// <c>limit memory|table|stack|objects N</c>; <c>check NAME</c>, the <see cref="SafetyCheck"/> that stops it, without
/// which something else happens (or a <see cref="CompilerFault"/> that does the same); what must happen, one of <c>returns N</c>, <c>trap: TEXT</c>,
/// <c>start trap: TEXT</c>, <c>stopped</c> (it runs until it is interrupted), <c>link: TEXT</c>, <c>malformed: TEXT</c>,
/// <c>invalid: TEXT</c>, <c>unsupported: TEXT</c>, where the text is part of the message; and
/// <c>then check returns N</c>, what the export <c>check</c> answers afterwards.
/// </summary>
sealed partial class HostileCase
{
    static readonly string Folder = Path.Combine(AppContext.BaseDirectory, "hostile");

    readonly string _wat;
    readonly List<string> _limits = [];

    HostileCase(string wat, IEnumerable<string> lines)
    {
        _wat = wat;
        foreach (var line in lines)
        {
            if (line.StartsWith("limit ", StringComparison.Ordinal)) _limits.Add(line["limit ".Length..]);
            else if (line.StartsWith("check ", StringComparison.Ordinal)) Check = line["check ".Length..];
            else if (line.StartsWith("then ", StringComparison.Ordinal)) Afterwards = line["then ".Length..];
            else Expected = line;
        }
    }

    /// <summary>The check that stops it.</summary>
    public string Check { get; private set; } = "";

    /// <summary>Options with a check switched off, or with a mistake of that name.</summary>
    /// <param name="check">The check or mistake.</param>
    /// <param name="isVerified">Whether the verifier looks at what comes of it, and may refuse it.</param>
    public static EngineOptions Without(string check, bool isVerified = false)
    {
        if (Enum.TryParse<SafetyCheck>(check, out var safety))
            return new() { Without = safety, IsVerified = isVerified || safety == SafetyCheck.None };
        return Enum.TryParse<CompilerFault>(check, out var fault) ? new() { Fault = fault, IsVerified = isVerified }
            : throw new InvalidDataException($"there is no check '{check}'");
    }

    /// <summary>What must happen.</summary>
    public string Expected { get; private set; } = "";

    /// <summary>What <c>check</c> must answer afterwards; null: nobody asks.</summary>
    public string? Afterwards { get; private set; }

    public static IEnumerable<string> Names =>
        Directory.GetDirectories(Folder).Where(path => File.Exists(Path.Combine(path, "module.wat")))
            .Select(path => Path.GetFileName(path)!).Order(StringComparer.Ordinal);

    public static HostileCase Read(string name)
    {
        var path = Path.Combine(Folder, name);
        var wat = File.ReadAllText(Path.Combine(path, "module.wat"));
        return new(wat, File.ReadAllLines(Path.Combine(path, "expect.txt")).Skip(1));
    }

    public string Wat => Repeat().Replace(_wat, match =>
    {
        var times = int.Parse(match.Groups[1].ValueSpan, NumberStyles.None, CultureInfo.InvariantCulture);
        return new StringBuilder().Insert(0, match.Groups[2].Value, times).ToString();
    });

    public StoreLimits Limits => _limits.Select(line => line.Split(' ')).Aggregate(
        new StoreLimits(), (limits, words) =>
        {
            var number = long.Parse(words[1], CultureInfo.InvariantCulture);
            return words[0] switch
            {
                "memory" => limits with { MemoryBytesMax = number },
                "table" => limits with { TableElementsMax = number },
                "objects" => limits with { ObjectBytesMax = number },
                "stack" => limits with { StackBytesMax = (int)number },
                _ => throw new InvalidDataException($"there is no limit {words[0]}"),
            };
        });

    [GeneratedRegex(@"\{\{(\d+)\|(.*?)\}\}", RegexOptions.Singleline)]
    private static partial Regex Repeat();
}
