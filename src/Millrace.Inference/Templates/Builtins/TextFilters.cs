using System.Net;
using System.Numerics;
using System.Text;
using Millrace.Inference.Templates.Formatting;
using Millrace.Inference.Templates.Values;

namespace Millrace.Inference.Templates.Builtins;

/// <summary>Filters that make texts.</summary>
static class TextFilters
{
    public static object Trim(Evaluator evaluator, object value, Arguments arguments)
    {
        var characters = arguments.Bind("do_trim", "chars?")[0];
        var text = Repr.Text(value, evaluator.Budget);
        evaluator.Budget.Make(text.Length);
        var stripped = StringMethods.Strip(text, characters is null or None ? null : Arguments.Text(characters, "strip"), true, true);
        return Filters.Like(value, stripped);
    }

    /// <summary>Each word begins in upper case; words begin behind white space, hyphens and opening brackets.</summary>
    public static string Title(string text)
    {
        var built = new StringBuilder();
        for (var at = 0; at < text.Length;)
        {
            var isGap = IsGap(text[at]);
            var from = at;
            while (at < text.Length && IsGap(text[at]) == isGap) at++;
            var piece = text[from..at];
            var first = char.IsSurrogatePair(piece, 0) ? 2 : 1;
            built.Append(isGap ? piece : Unicode.Upper(piece[..first]) + Unicode.Lower(piece[first..]));
        }

        return built.ToString();

        static bool IsGap(char c) => Unicode.IsSpace(c) || c is '-' or '(' or '{' or '[' or '<';
    }

    public static object Center(Evaluator evaluator, object value, Arguments arguments)
    {
        var width = Arguments.Int(arguments.Bind("center", "width?")[0], 80);
        return Filters.Like(value, StringMethods.Pad(Repr.Text(value, evaluator.Budget), width, " ", "center", evaluator.Budget));
    }

    public static object Join(Evaluator evaluator, object value, Arguments arguments)
    {
        var bound = arguments.Bind("do_join", "d?", "attribute?");
        var separator = bound[0] is null ? "" : Repr.Text(bound[0]!, evaluator.Budget);
        var key = Keys.Of(evaluator, bound[1]);
        var (built, isFirst) = (new StringBuilder(), true);
        foreach (var element in Sequences.Iterate(value))
        {
            StringMethods.Append(built, isFirst ? "" : separator, Repr.Text(key(element), evaluator.Budget), evaluator.Budget);
            isFirst = false;
        }

        return built.ToString();
    }

    public static object Replace(Evaluator evaluator, object value, Arguments arguments)
    {
        var bound = arguments.Bind("do_replace", "old", "new", "count?");
        var (old, with) = (Repr.Text(bound[0]!, evaluator.Budget), Repr.Text(bound[1]!, evaluator.Budget));
        var count = bound[2] is null or None ? -1 : Arguments.Int(bound[2], -1);
        return StringMethods.Replace(Repr.Text(value, evaluator.Budget), old, with, count, evaluator.Budget);
    }

    public static object Format(Evaluator evaluator, object value, Arguments arguments)
    {
        if (arguments.Positional.Count > 0 && arguments.Named.Count > 0)
            throw new TemplateException("FilterArgumentError", "can't handle positional and keyword arguments at the same time");
        object values = new PyTuple(arguments.Positional);
        if (arguments.Named.Count > 0) values = DictMethods.Make(new([], arguments.Named), evaluator.Budget);
        var text = PercentFormat.Apply(Repr.Text(value, evaluator.Budget), values, value is Markup, evaluator.Budget);
        return Filters.Like(value, text);
    }

    public static object Indent(Evaluator evaluator, object value, Arguments arguments)
    {
        var bound = arguments.Bind("do_indent", "width?", "first?", "blank?");
        if (value is Undefined missing) throw missing.Error;
        var text = PyType.Text(value)
            ?? throw TemplateException.Type($"unsupported operand type(s) for +=: {Repr.OfText(PyType.Name(value))} and 'str'");
        var indent = bound[0] is { } given && PyType.Text(given) is { } own ? own
            : StringMethods.Pad("", Arguments.Int(bound[0], 4), " ", "ljust", evaluator.Budget);
        var indentsBlank = Arguments.Flag(bound[2], false);
        var built = new StringBuilder();
        if (Arguments.Flag(bound[1], false)) built.Append(indent);
        var lines = Unicode.Lines(text + "\n", false);
        for (var i = 0; i < lines.Count; i++)
        {
            var gap = i == 0 ? "" : lines[i].Length > 0 || indentsBlank ? "\n" + indent : "\n";
            StringMethods.Append(built, gap, lines[i], evaluator.Budget);
        }

        return Filters.Like(value, built.ToString());
    }

    public static object ToJson(Budget budget, object value, Arguments arguments)
    {
        var bound = arguments.Bind("tojson", "ensure_ascii?", "indent?", "separators?", "sort_keys?");
        var indent = bound[1] is null or None ? null : PyType.Text(bound[1]!)
            ?? StringMethods.Pad("", Arguments.Int(bound[1], 0), " ", "ljust", budget);
        var (comma, colon) = (indent is null ? ", " : ",", ": ");
        if (bound[2] is not null and not None)
        {
            var separators = Sequences.ToList(bound[2]!, budget);
            if (separators.Count != 2) throw TemplateException.Value("separators are two texts");
            (comma, colon) = (Arguments.Text(separators[0], "separators"), Arguments.Text(separators[1], "separators"));
        }

        var style = new JsonStyle(Arguments.Flag(bound[0], false), indent, comma, colon, Arguments.Flag(bound[3], false));
        return JsonText.Write(value, style, budget);
    }

    public static object WordCount(string text)
    {
        var (count, isInside) = (0, false);
        foreach (var c in text)
        {
            var isWord = Unicode.IsWord(c) && !char.IsSurrogate(c);
            if (isWord && !isInside) count++;
            isInside = isWord;
        }

        return (BigInteger)count;
    }

    public static object Truncate(Evaluator evaluator, object value, Arguments arguments)
    {
        var bound = arguments.Bind("do_truncate", "length?", "killwords?", "end?", "leeway?");
        var (length, leeway) = (Arguments.Int(bound[0], 255), bound[3] is null or None ? 5 : Arguments.Int(bound[3], 5));
        var end = bound[2] is null ? "..." : Arguments.Text(bound[2]!, "truncate");
        var tail = Sequences.Length(end);
        if (length < tail) throw new TemplateException("AssertionError", $"expected length >= {tail}, got {length}");
        if (leeway < 0) throw new TemplateException("AssertionError", $"expected leeway >= 0, got {leeway}");
        var text = Arguments.Text(value, "truncate");
        if (Sequences.Length(text) <= (long)length + leeway) return value;
        var kept = text[..Sequences.Offset(text, length - tail)];
        if (!Arguments.Flag(bound[1], false) && kept.LastIndexOf(' ') is var space && space >= 0) kept = kept[..space];
        return Filters.Like(value, evaluator.Budget.Made(kept + end));
    }

    public static object StripTags(Evaluator evaluator, object value)
    {
        var text = Repr.Text(value, evaluator.Budget);
        evaluator.Budget.Make(text.Length);
        text = Without(Without(text, "<!--", "-->"), "<", ">");
        return WebUtility.HtmlDecode(string.Join(' ', text.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries)));
    }

    static string Without(string text, string open, string close)
    {
        var built = new StringBuilder();
        var from = 0;
        while (text.IndexOf(open, from, StringComparison.Ordinal) is var at && at >= 0)
        {
            var end = text.IndexOf(close, at, StringComparison.Ordinal);
            if (end < 0) break;
            built.Append(text, from, at - from);
            from = end + close.Length;
        }

        return built.Append(text, from, text.Length - from).ToString();
    }

    public static object UrlEncode(Evaluator evaluator, object value)
    {
        if (PyType.IsText(value) || Sequences.TryIterate(value) is null) return Quoted(evaluator, value, "/");
        var pairs = value is PyDict dict ? new DictView(dict, "items").Elements : Sequences.Iterate(value);
        var parts = pairs.Select(pair => Sequences.ToList(pair, evaluator.Budget)).Select(pair => pair.Count == 2
            ? $"{InQuery(pair[0])}={InQuery(pair[1])}" : throw TemplateException.Value("urlencode takes pairs"));
        return evaluator.Budget.Made(string.Join('&', parts));

        string InQuery(object part) => Quoted(evaluator, part, "").Replace("%20", "+", StringComparison.Ordinal);
    }

    static string Quoted(Evaluator evaluator, object value, string safe)
    {
        var text = Repr.Text(value, evaluator.Budget);
        evaluator.Budget.Make(text.Length * 9L);
        var built = new StringBuilder();
        foreach (var b in Encoding.UTF8.GetBytes(text))
        {
            var c = (char)b;
            var isSafe = char.IsAsciiLetterOrDigit(c) || c is '_' or '.' or '-' or '~' || safe.Contains(c, StringComparison.Ordinal);
            if (isSafe) built.Append(c);
            else built.Append('%').Append(b.ToString("X2", System.Globalization.CultureInfo.InvariantCulture));
        }

        return built.ToString();
    }

    public static object XmlAttributes(Evaluator evaluator, object value, Arguments arguments)
    {
        var hasSpace = Arguments.Flag(arguments.Bind("do_xmlattr", "autospace?")[0], true);
        if (value is not PyDict dict) throw TemplateException.Type("xmlattr takes a mapping");
        var built = new StringBuilder();
        foreach (var (key, part) in dict.Entries)
        {
            if (part is None or Undefined) continue;
            var name = Repr.Text(key, evaluator.Budget);
            if (name.Any(c => Unicode.IsSpace(c) || c is '/' or '>' or '='))
                throw TemplateException.Value($"Invalid character in attribute name: {Repr.OfText(name)}");
            var text = part is Markup markup ? markup.Text : Markup.Escape(Repr.Text(part, evaluator.Budget));
            var gap = built.Length == 0 && !hasSpace ? "" : " ";
            StringMethods.Append(built, gap, $"{Markup.Escape(name)}=\"{text}\"", evaluator.Budget);
        }

        return built.ToString();
    }
}
