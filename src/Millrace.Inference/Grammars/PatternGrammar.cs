using System.Globalization;
using System.Text;

namespace Millrace.Inference.Grammars;

/// <summary>
/// A regular expression of JSON Schema as grammar for what stands between a JSON string's quotes: characters, classes,
/// groups, alternatives, repetitions, and anchors at its two ends.
/// </summary>
sealed class PatternGrammar
{
    /// <summary>One character of a JSON string; escapes that would need a count of surrogates are left out.</summary>
    public const string Character = """[^"\\\x00-\x1F\x7F] | "\\" ["\\/bfnrt]""";

    // What . stands for in ECMA-262: all but the ends of lines.
    const string Dot = """[^"\\\x00-\x1F\x7F\u2028\u2029] | "\\" ["\\/bft]""";

    // White space of ECMA-262. What is not to be one, may be none of these; what is to be one, is one that all readers know.
    const string Blanks = "\t\n\v\f\r \u00A0\u1680\u2028\u2029\u202F\u205F\u3000\uFEFF";

    const int DepthMax = 50;

    readonly GrammarText _grammar;
    readonly string _pattern;
    readonly string _place;
    int _at;
    int _depth;

    PatternGrammar(GrammarText grammar, string pattern, string place) => (_grammar, _pattern, _place) = (grammar, pattern, place);

    /// <exception cref="InferenceException">The pattern has what cannot be expressed.</exception>
    public static string Of(GrammarText grammar, string pattern, string place)
    {
        var isAnchored = pattern.StartsWith('^');
        var isClosed = pattern.EndsWith('$') && (pattern.Length < 2 || pattern[^2] != '\\');
        var inner = pattern[(isAnchored ? 1 : 0)..(isClosed ? pattern.Length - 1 : pattern.Length)];
        var reader = new PatternGrammar(grammar, inner, place);
        // An anchor holds for the one alternative that it stands in.
        if ((isAnchored || isClosed) && HasTopAlternative(inner)) throw reader.Refused("alternatives outside of a group beside an anchor");
        var body = $"({reader.Alternatives()})";
        if (reader._at < inner.Length) throw reader.Refused("an unmatched )");
        return $"{(isAnchored ? "" : Any() + " ")}{body}{(isClosed ? "" : " " + Any())}";

        string Any() => grammar.Repeat(Character, 0, null);
    }

    static bool HasTopAlternative(string pattern)
    {
        var (depth, inClass) = (0, false);
        for (var i = 0; i < pattern.Length; i++)
        {
            if (pattern[i] == '\\') i++;
            else if (inClass) inClass = pattern[i] != ']';
            else if (pattern[i] == '[') inClass = true;
            else if (pattern[i] is '(') depth++;
            else if (pattern[i] is ')') depth--;
            else if (pattern[i] == '|' && depth == 0) return true;
        }

        return false;
    }

    InferenceException Refused(string what) =>
        new("invalid", $"{_place}: {what} in a pattern cannot be expressed as a grammar");

    bool Has(char c) => _at < _pattern.Length && _pattern[_at] == c;

    bool Takes(char c)
    {
        if (!Has(c)) return false;
        _at++;
        return true;
    }

    string Alternatives()
    {
        if (++_depth > DepthMax) throw Refused("groups nested so deep");
        var parts = new List<string>();
        do parts.Add(Sequence());
        while (Takes('|'));
        _depth--;
        return string.Join(" | ", parts);
    }

    string Sequence()
    {
        var parts = new List<string>();
        while (_at < _pattern.Length && !Has('|') && !Has(')')) parts.Add(Quantified(Atom()));
        return parts.Count == 0 ? "\"\"" : string.Join(' ', parts);
    }

    string Quantified(string atom)
    {
        var quantified = atom;
        if (Takes('*')) quantified = _grammar.Repeat(atom, 0, null);
        else if (Takes('+')) quantified = _grammar.Repeat(atom, 1, null);
        else if (Takes('?')) quantified = _grammar.Repeat(atom, 0, 1);
        else if (Takes('{')) quantified = Counted(atom);
        // How eager a repetition is makes no difference to what it can match.
        if (quantified != atom) Takes('?');
        return quantified == atom ? atom : $"({quantified})";
    }

    string Counted(string atom)
    {
        var end = _pattern.IndexOf('}', _at);
        if (end < 0) throw Refused("a { without }");
        var bounds = _pattern[_at..end].Split(',');
        _at = end + 1;
        if (bounds.Length > 2 || !TryCount(bounds[0], out var least)) throw Refused("an odd repetition");
        if (bounds.Length == 1) return _grammar.Repeat(atom, least, least);
        if (bounds[1].Length == 0) return _grammar.Repeat(atom, least, null);
        return TryCount(bounds[1], out var most) && most >= least ? _grammar.Repeat(atom, least, most) : throw Refused("an odd repetition");
    }

    static bool TryCount(string text, out int count) => int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out count);

    string Atom()
    {
        var c = _pattern[_at++];
        switch (c)
        {
            case '(':
                if (Takes('?') && !Takes(':')) throw Refused("a group with ?");
                var inner = Alternatives();
                if (!Takes(')')) throw Refused("a ( without )");
                return $"({inner})";
            case '[': return Class();
            case '.': return $"({Dot})";
            case '\\': return Set(Escape(isNegated: false), isNegated: false);
            case '*' or '+' or '?' or '^' or '$': throw Refused($"{c} at this place");
            default:
                if (char.IsHighSurrogate(c) && _at < _pattern.Length) return GrammarText.Literal($"{c}{_pattern[_at++]}");
                return Set([(c, c)], isNegated: false);
        }
    }

    string Class()
    {
        var isNegated = Takes('^');
        var ranges = new List<(char From, char To)>();
        while (!Has(']'))
        {
            if (_at >= _pattern.Length) throw Refused("a [ without ]");
            var from = Member(isNegated);
            if (Has('-') && _at + 1 < _pattern.Length && _pattern[_at + 1] != ']')
            {
                _at++;
                var to = Member(isNegated);
                if (from is not [var (low, same)] || to is not [var (high, alike)] || low != same || high != alike || low > high)
                    throw Refused("an odd range");
                ranges.Add((low, high));
            }
            else
            {
                ranges.AddRange(from);
            }
        }

        _at++;
        return Set(ranges, isNegated);
    }

    List<(char From, char To)> Member(bool isNegated)
    {
        var c = _pattern[_at++];
        if (char.IsSurrogate(c)) throw Refused("characters beyond U+FFFF in a class");
        return c == '\\' ? Escape(isNegated) : [(c, c)];
    }

    List<(char From, char To)> Escape(bool isNegated)
    {
        if (_at >= _pattern.Length) throw Refused("a \\ at the end");
        var c = _pattern[_at++];
        return c switch
        {
            'd' => [('0', '9')],
            'w' => [('0', '9'), ('A', 'Z'), ('_', '_'), ('a', 'z')],
            's' when isNegated => [.. Blanks.Select(static blank => (blank, blank)), ('\u2000', '\u200A')],
            's' => [(' ', ' '), ('\t', '\t'), ('\n', '\n'), ('\r', '\r')],
            't' => [('\t', '\t')],
            'n' => [('\n', '\n')],
            'r' => [('\r', '\r')],
            >= '0' and <= '9' or >= 'A' and <= 'Z' or >= 'a' and <= 'z' => throw Refused($"\\{c}"),
            _ => [(c, c)],
        };
    }

    // In a JSON string quotes, backslashes and control characters are written with a backslash.
    string Set(List<(char From, char To)> ranges, bool isNegated)
    {
        var plain = new StringBuilder();
        foreach (var (from, to) in ranges) plain.Append(Code(from)).Append('-').Append(Code(to));
        if (isNegated) return $"""[^"\\\x00-\x1F\x7F{plain}]""";
        var escaped = new[] { ('"', "\\\""), ('\\', "\\\\"), ('\n', "\\n"), ('\r', "\\r"), ('\t', "\\t"), ('\b', "\\b"), ('\f', "\\f") }
            .Where(pair => ranges.Exists(range => range.From <= pair.Item1 && pair.Item1 <= range.To))
            .Select(static pair => GrammarText.Literal(pair.Item2)).ToList();
        var split = ranges.SelectMany(Unescaped).ToList();
        if (split.Count > 0) escaped.Add($"[{string.Concat(split.Select(static range => $"{Code(range.From)}-{Code(range.To)}"))}]");
        return escaped.Count == 0 ? throw Refused("a class of nothing") : $"({string.Join(" | ", escaped)})";
    }

    static IEnumerable<(char From, char To)> Unescaped((char From, char To) range)
    {
        var from = (int)Math.Max(range.From, ' ');
        foreach (var gap in (char[])['"', '\\', '\x7F'])
        {
            if (gap < from || gap > range.To) continue;
            if (gap > from) yield return ((char)from, (char)(gap - 1));
            from = gap + 1;
        }

        if (from <= range.To) yield return ((char)from, range.To);
    }

    static string Code(char c) => c < 0x100 ? $"\\x{(int)c:X2}" : $"\\u{(int)c:X4}";
}
