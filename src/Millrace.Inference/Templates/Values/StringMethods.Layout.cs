using System.Text;

namespace Millrace.Inference.Templates.Values;

/// <summary>Splitting, padding and encoding.</summary>
static partial class StringMethods
{
    static PyList Split(string text, Arguments arguments, Budget budget, bool fromEnd)
    {
        var bound = arguments.Bind("split", "sep?", "maxsplit?");
        var most = Arguments.Int(bound[1], -1) is var given && given < 0 ? int.MaxValue : given;
        List<object> parts;
        if (bound[0] is null or None)
        {
            parts = fromEnd ? WordsFromEnd(text, most) : Words(text, most);
        }
        else
        {
            var separator = Arguments.Text(bound[0]!, "split()");
            if (separator.Length == 0) throw TemplateException.Value("empty separator");
            budget.Search(text, separator);
            parts = fromEnd ? PartsFromEnd(text, separator, most) : Parts(text, separator, most);
        }

        budget.Step(parts.Count);
        return new(parts);
    }

    static List<object> Words(string text, int most)
    {
        var words = new List<object>();
        for (var at = 0; ;)
        {
            while (at < text.Length && Unicode.IsSpace(text[at])) at++;
            if (at == text.Length) return words;
            if (words.Count == most)
            {
                words.Add(text[at..]);
                return words;
            }

            var from = at;
            while (at < text.Length && !Unicode.IsSpace(text[at])) at++;
            words.Add(text[from..at]);
        }
    }

    static List<object> WordsFromEnd(string text, int most)
    {
        var words = new List<object>();
        for (var at = text.Length; ;)
        {
            while (at > 0 && Unicode.IsSpace(text[at - 1])) at--;
            if (at == 0) break;
            if (words.Count == most)
            {
                words.Add(text[..at]);
                break;
            }

            var to = at;
            while (at > 0 && !Unicode.IsSpace(text[at - 1])) at--;
            words.Add(text[at..to]);
        }

        words.Reverse();
        return words;
    }

    static List<object> Parts(string text, string separator, int most)
    {
        var parts = new List<object>();
        var from = 0;
        while (parts.Count < most && text.IndexOf(separator, from, StringComparison.Ordinal) is var at && at >= 0)
        {
            parts.Add(text[from..at]);
            from = at + separator.Length;
        }

        parts.Add(text[from..]);
        return parts;
    }

    static List<object> PartsFromEnd(string text, string separator, int most)
    {
        var parts = new List<object>();
        var to = text.Length;
        while (parts.Count < most && text.AsSpan(0, to).LastIndexOf(separator) is var at && at >= 0)
        {
            parts.Add(text[(at + separator.Length)..to]);
            to = at;
        }

        parts.Add(text[..to]);
        parts.Reverse();
        return parts;
    }

    static string Padded(string text, Arguments arguments, Budget budget, string function)
    {
        var bound = arguments.Bind(function, "width", "fillchar?");
        var fill = bound[1] is null ? " " : Arguments.Text(bound[1]!, $"{function}()");
        if (Sequences.Length(fill) != 1) throw TemplateException.Type("The fill character must be exactly one character long");
        return Pad(text, Arguments.Int(bound[0], 0), fill, function, budget);
    }

    public static string Pad(string text, int width, string fill, string function, Budget budget)
    {
        var missing = width - (long)Sequences.Length(text);
        if (missing <= 0) return text;
        budget.Make(text.Length + missing * fill.Length);
        // The odd blank of an odd width goes to the left.
        var left = function switch { "ljust" => 0, "rjust" => missing, _ => missing / 2 + (missing & width & 1) };
        return new StringBuilder().Insert(0, fill, (int)left).Append(text)
            .Append(string.Concat(Enumerable.Repeat(fill, (int)(missing - left)))).ToString();
    }

    static object ZeroFilled(string text, Arguments arguments, Budget budget)
    {
        var width = Arguments.Int(arguments.Bind("zfill", "width")[0], 0);
        var sign = text.Length > 0 && text[0] is '+' or '-' ? text[..1] : "";
        return sign + Pad(text[sign.Length..], width - sign.Length, "0", "rjust", budget);
    }

    static string ExpandTabs(string text, Arguments arguments, Budget budget)
    {
        var size = Arguments.Int(arguments.Bind("expandtabs", "tabsize?")[0], 8);
        var (built, column) = (new StringBuilder(), 0);
        foreach (var c in text)
        {
            if (c != '\t')
            {
                built.Append(c);
                column = c is '\n' or '\r' ? 0 : column + 1;
                continue;
            }

            if (size <= 0) continue;
            var blanks = size - column % size;
            budget.CheckLength((long)built.Length + blanks);
            budget.Step(1 + blanks / 8);
            built.Append(' ', blanks);
            column += blanks;
        }

        return built.ToString();
    }

    static PyBytes Encoded(string text, Arguments arguments, Budget budget)
    {
        var encoding = arguments.Bind("encode", "encoding?", "errors?")[0] is { } name ? Arguments.Text(name, "encode()") : "utf-8";
        if (!encoding.Replace("-", "", StringComparison.Ordinal).Equals("utf8", StringComparison.OrdinalIgnoreCase))
            throw new TemplateException("LookupError", $"only utf-8 is known here, not {Repr.OfText(encoding)}");
        budget.Make(text.Length * 4L);
        return new(Encoding.UTF8.GetBytes(text));
    }
}
