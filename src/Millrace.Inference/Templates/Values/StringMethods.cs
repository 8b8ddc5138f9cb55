using System.Numerics;
using System.Text;
using Millrace.Inference.Templates.Formatting;

namespace Millrace.Inference.Templates.Values;

/// <summary>Methods of texts. Those of a Markup give Markups and escape what they put in.</summary>
static partial class StringMethods
{
    delegate object Method(string text, Arguments arguments, Budget budget);

    static readonly Dictionary<string, Method> All = new()
    {
        ["strip"] = static (text, arguments, _) => Strip(text, Characters(arguments, "strip"), true, true),
        ["lstrip"] = static (text, arguments, _) => Strip(text, Characters(arguments, "lstrip"), true, false),
        ["rstrip"] = static (text, arguments, _) => Strip(text, Characters(arguments, "rstrip"), false, true),
        ["split"] = static (text, arguments, budget) => Split(text, arguments, budget, false),
        ["rsplit"] = static (text, arguments, budget) => Split(text, arguments, budget, true),
        ["splitlines"] = static (text, arguments, _) =>
            new PyList([.. Unicode.Lines(text, Arguments.Flag(arguments.Bind("splitlines", "keepends?")[0], false))]),
        ["join"] = static (text, arguments, budget) => Join(text, arguments.Bind("join", "iterable")[0]!, budget),
        ["replace"] = Replace,
        ["startswith"] = static (text, arguments, _) => Affix(text, arguments, "startswith"),
        ["endswith"] = static (text, arguments, _) => Affix(text, arguments, "endswith"),
        ["removeprefix"] = static (text, arguments, _) => Sole(arguments, "removeprefix", "prefix") is var part
            && text.StartsWith(part, StringComparison.Ordinal) ? text[part.Length..] : text,
        ["removesuffix"] = static (text, arguments, _) => Sole(arguments, "removesuffix", "suffix") is var part
            && part.Length > 0 && text.EndsWith(part, StringComparison.Ordinal) ? text[..^part.Length] : text,
        ["partition"] = static (text, arguments, budget) => Partition(text, Sole(arguments, "partition", "sep"), budget, false),
        ["rpartition"] = static (text, arguments, budget) => Partition(text, Sole(arguments, "rpartition", "sep"), budget, true),
        ["find"] = static (text, arguments, budget) => Place(text, arguments, budget, "find", false),
        ["rfind"] = static (text, arguments, budget) => Place(text, arguments, budget, "rfind", true),
        ["index"] = static (text, arguments, budget) => Found(Place(text, arguments, budget, "index", false)),
        ["rindex"] = static (text, arguments, budget) => Found(Place(text, arguments, budget, "rindex", true)),
        ["count"] = Count,
        ["upper"] = Plain("upper", Unicode.Upper),
        ["lower"] = Plain("lower", Unicode.Lower),
        ["title"] = Plain("title", Unicode.Title),
        ["capitalize"] = Plain("capitalize", Unicode.Capitalize),
        ["swapcase"] = Plain("swapcase", Unicode.Swap),
        ["casefold"] = Plain("casefold", Unicode.Fold),
        ["isdigit"] = Every("isdigit", Unicode.IsDigit),
        ["isdecimal"] = Every("isdecimal", Unicode.IsDecimal),
        ["isnumeric"] = Every("isnumeric", Unicode.IsNumeric),
        ["isalpha"] = Every("isalpha", Unicode.IsLetter),
        ["isalnum"] = Every("isalnum", static rune => Unicode.IsLetter(rune) || Unicode.IsNumeric(rune)),
        ["isspace"] = Every("isspace", static rune => rune.IsBmp && Unicode.IsSpace((char)rune.Value)),
        ["isprintable"] = static (text, _, _) => Unicode.Runes(text).All(static rune =>
            rune.Value == ' ' || Unicode.IsPrintable(Rune.GetUnicodeCategory(rune))),
        ["isascii"] = static (text, _, _) => Ascii.IsValid(text),
        ["isidentifier"] = static (text, _, _) =>
            text.Length > 0 && text.All(Unicode.IsWord) && !Unicode.IsNumeric(Unicode.Runes(text).First()),
        ["islower"] = static (text, _, _) => IsCase(text, Unicode.IsLower),
        ["isupper"] = static (text, _, _) => IsCase(text, Unicode.IsUpper),
        ["istitle"] = static (text, _, _) => Unicode.Runes(text).Any(Unicode.IsCased) && Unicode.Title(text) == text,
        ["center"] = static (text, arguments, budget) => Padded(text, arguments, budget, "center"),
        ["ljust"] = static (text, arguments, budget) => Padded(text, arguments, budget, "ljust"),
        ["rjust"] = static (text, arguments, budget) => Padded(text, arguments, budget, "rjust"),
        ["zfill"] = ZeroFilled,
        ["expandtabs"] = ExpandTabs,
        ["format"] = static (text, arguments, budget) => BraceFormat.Apply(text, arguments, false, budget),
        ["format_map"] = static (text, arguments, budget) => BraceFormat.Apply(text, OfMap(arguments, budget), false, budget),
        ["encode"] = static (text, arguments, budget) => Encoded(text, arguments, budget),
    };

    public static object? Find(object owner, string name, Budget budget)
    {
        if (!All.TryGetValue(name, out var method)) return null;
        if (owner is string text) return new Callable(arguments => Run(method, text, arguments, budget));
        var markup = ((Markup)owner).Text;
        if (name is "format" or "format_map")
        {
            return new Callable(arguments => new Markup(
                BraceFormat.Apply(markup, name == "format" ? arguments : OfMap(arguments, budget), true, budget)));
        }

        return new Callable(arguments => Marked(Run(method, markup, Escaped(name, arguments, budget), budget)));
    }

    static object Run(Method method, string text, Arguments arguments, Budget budget)
    {
        budget.Make(text.Length);
        return method(text, arguments, budget);
    }

    static object Marked(object value) => value switch
    {
        string text => new Markup(text),
        PyList list => new PyList([.. list.Elements.Select(Marked)]),
        PyTuple tuple => new PyTuple([.. tuple.Elements.Select(Marked)]),
        _ => value,
    };

    // Only what comes into the text is escaped, not what is looked for.
    static Arguments Escaped(string name, Arguments arguments, Budget budget) => name switch
    {
        "replace" when arguments.Positional.Count > 1 && PyType.IsText(arguments.Positional[1]) =>
            new([arguments.Positional[0], Part(arguments.Positional[1]), .. arguments.Positional.Skip(2)], arguments.Named),
        "join" when arguments.Positional.Count == 1 => Arguments.Of(new PyList(
            [.. Sequences.ToList(arguments.Positional[0], budget).Select(Part)])),
        _ => arguments,
    };

    static object Part(object value) => PyType.IsText(value) ? Operators.Escaped(value) : value;

    static Arguments OfMap(Arguments arguments, Budget budget)
    {
        if (arguments.Bind("format_map", "mapping")[0] is not PyDict map) throw TemplateException.Type("format_map() needs a mapping");
        budget.Make(map.Count);
        return new([], [.. map.Entries.Where(entry => PyType.IsText(entry.Key))
            .Select(entry => KeyValuePair.Create(PyType.Text(entry.Key)!, entry.Value))]);
    }

    static Method Plain(string name, Func<string, string> map) => (text, arguments, budget) =>
    {
        if (arguments.Positional.Count > 0)
            throw TemplateException.Type($"str.{name}() takes no arguments ({arguments.Positional.Count} given)");
        return budget.Made(map(text));
    };

    static Method Every(string name, Func<Rune, bool> holds) => (text, arguments, _) =>
    {
        arguments.Bind(name);
        return text.Length > 0 && Unicode.Runes(text).All(holds);
    };

    static bool IsCase(string text, Func<Rune, bool> isRight) =>
        Unicode.Runes(text).Any(isRight) && Unicode.Runes(text).All(rune => !Unicode.IsCased(rune) || isRight(rune));

    static string Sole(Arguments arguments, string function, string parameter) =>
        Arguments.Text(arguments.Bind(function, parameter)[0]!, $"{function}()");

    static string? Characters(Arguments arguments, string function)
    {
        var characters = arguments.Bind(function, "chars?")[0];
        return characters is null or None ? null
            : PyType.Text(characters) ?? throw TemplateException.Type($"{function} arg must be None or str");
    }

    /// <summary>Without the characters at its ends; white space where none are named.</summary>
    public static string Strip(string text, string? characters, bool atStart, bool atEnd)
    {
        var (from, to) = (0, text.Length);
        if (characters is null || !Sequences.HasPairs(characters))
        {
            var set = characters is null ? null : System.Buffers.SearchValues.Create(characters);
            while (atStart && from < to && Matches(text[from])) from++;
            while (atEnd && to > from && Matches(text[to - 1])) to--;
            return text[from..to];

            bool Matches(char c) => set is null ? Unicode.IsSpace(c) : set.Contains(c);
        }

        var runes = characters.EnumerateRunes().ToHashSet();
        while (atStart && Rune.DecodeFromUtf16(text.AsSpan(from..to), out var rune, out var used) == 0 && runes.Contains(rune))
            from += used;
        while (atEnd && Rune.DecodeLastFromUtf16(text.AsSpan(from..to), out var rune, out var used) == 0 && runes.Contains(rune))
            to -= used;
        return text[from..to];
    }

    public static string Join(string separator, object parts, Budget budget)
    {
        var elements = Sequences.TryIterate(parts) ?? throw TemplateException.Type("can only join an iterable");
        var (built, index) = (new StringBuilder(), 0);
        foreach (var part in elements)
        {
            var text = PyType.Text(part)
                ?? throw TemplateException.Type($"sequence item {index}: expected str instance, {PyType.Name(part)} found");
            Append(built, index++ == 0 ? "" : separator, text, budget);
        }

        return built.ToString();
    }

    public static void Append(StringBuilder built, string separator, string text, Budget budget)
    {
        budget.CheckLength((long)built.Length + separator.Length + text.Length);
        budget.Step(1 + (separator.Length + text.Length) / 8);
        built.Append(separator).Append(text);
    }

    static string Replace(string text, Arguments arguments, Budget budget)
    {
        if (arguments.Positional.Count < 2)
            throw TemplateException.Type($"replace expected at least 2 arguments, got {arguments.Positional.Count}");
        var bound = arguments.Bind("replace", "old", "new", "count?");
        var (old, with) = (Arguments.Text(bound[0]!, "replace() argument 1"), Arguments.Text(bound[1]!, "replace() argument 2"));
        return Replace(text, old, with, Arguments.Int(bound[2], -1), budget);
    }

    /// <summary>Replaces the first <paramref name="count"/> places, all where it is negative.</summary>
    public static string Replace(string text, string old, string with, int count, Budget budget)
    {
        if (count < 0) count = int.MaxValue;
        budget.Search(text, old);
        var built = new StringBuilder();
        var from = 0;
        for (; count > 0; count--)
        {
            // An empty text is found between all characters.
            var at = old.Length > 0 ? text.IndexOf(old, from, StringComparison.Ordinal)
                : built.Length == 0 ? 0 : from + Width(text, from);
            if (at < 0 || at > text.Length || (old.Length == 0 && built.Length > 0 && from == text.Length)) break;
            Append(built, text[from..at], with, budget);
            from = at + old.Length;
            if (old.Length == 0 && with.Length == 0) return text;
        }

        Append(built, "", text[from..], budget);
        return built.ToString();
    }

    static int Width(string text, int at) => at < text.Length && char.IsSurrogatePair(text, at) ? 2 : 1;

    static bool Affix(string text, Arguments arguments, string function)
    {
        var bound = arguments.Bind(function, "affix", "start?", "end?");
        var within = Within(text, bound[1], bound[2], out _);
        if (within is null) return false;
        if (bound[0] is PyTuple tuple)
        {
            return tuple.Elements.Any(affix => Has(PyType.Text(affix)
                ?? throw TemplateException.Type($"tuple for {function} must only contain str, not {PyType.Name(affix)}")));
        }

        return Has(PyType.Text(bound[0]!) ?? throw TemplateException.Type(
            $"{function} first arg must be str or a tuple of str, not {PyType.Name(bound[0]!)}"));

        bool Has(string affix) => function == "startswith"
            ? within.StartsWith(affix, StringComparison.Ordinal) : within.EndsWith(affix, StringComparison.Ordinal);
    }

    /// <summary>The part between two indices of code points; null where it begins behind the end.</summary>
    static string? Within(string text, object? start, object? end, out int from)
    {
        from = 0;
        if (start is null or None && end is null or None) return text;
        var length = Sequences.Length(text);
        var first = start is null or None ? 0 : Arguments.Int(start, 0);
        var last = end is null or None ? length : Arguments.Int(end, 0);
        from = Math.Max(0, first < 0 ? first + length : first);
        last = Math.Clamp(last < 0 ? last + length : last, 0, length);
        if (from > length) return null;
        return from > last ? "" : text[Sequences.Offset(text, from)..Sequences.Offset(text, last)];
    }

    static BigInteger Place(string text, Arguments arguments, Budget budget, string function, bool isLast)
    {
        var bound = arguments.Bind(function, "sub", "start?", "end?");
        var part = Arguments.Text(bound[0]!, $"{function}()");
        if (Within(text, bound[1], bound[2], out var from) is not { } within) return -1;
        budget.Search(within, part);
        var at = isLast ? within.LastIndexOf(part, StringComparison.Ordinal) : within.IndexOf(part, StringComparison.Ordinal);
        return at < 0 ? -1 : from + Sequences.Length(within[..at]);
    }

    static BigInteger Found(BigInteger place) => place.Sign < 0 ? throw TemplateException.Value("substring not found") : place;

    static object Count(string text, Arguments arguments, Budget budget)
    {
        var bound = arguments.Bind("count", "sub", "start?", "end?");
        var part = Arguments.Text(bound[0]!, "count()");
        if (Within(text, bound[1], bound[2], out _) is not { } within) return BigInteger.Zero;
        if (part.Length == 0) return (BigInteger)(Sequences.Length(within) + 1);
        budget.Search(within, part);
        var count = 0;
        for (var at = within.IndexOf(part, StringComparison.Ordinal); at >= 0; count++)
            at = within.IndexOf(part, at + part.Length, StringComparison.Ordinal);
        return (BigInteger)count;
    }

    static PyTuple Partition(string text, string separator, Budget budget, bool isLast)
    {
        if (separator.Length == 0) throw TemplateException.Value("empty separator");
        budget.Search(text, separator);
        var at = isLast ? text.LastIndexOf(separator, StringComparison.Ordinal) : text.IndexOf(separator, StringComparison.Ordinal);
        if (at < 0) return isLast ? new("", "", text) : new(text, "", "");
        return new(text[..at], separator, text[(at + separator.Length)..]);
    }
}
