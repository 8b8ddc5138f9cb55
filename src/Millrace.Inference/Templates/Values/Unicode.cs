using System.Globalization;
using System.Text;

namespace Millrace.Inference.Templates.Values;

/// <summary>Python's classes of characters and its full case mapping, which may lengthen a text.</summary>
static class Unicode
{
    /// <summary>Unicode's white space and the four separators of ASCII.</summary>
    public static bool IsSpace(char c) => char.IsWhiteSpace(c) || c is >= '\x1c' and <= '\x1f';

    public static bool IsPrintable(UnicodeCategory category) => category is not (UnicodeCategory.Control or UnicodeCategory.Format
        or UnicodeCategory.Surrogate or UnicodeCategory.PrivateUse or UnicodeCategory.OtherNotAssigned
        or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator or UnicodeCategory.SpaceSeparator);

    public static bool IsLetter(Rune rune) => Rune.IsLetter(rune);

    public static bool IsDecimal(Rune rune) => Rune.GetUnicodeCategory(rune) == UnicodeCategory.DecimalDigitNumber;

    public static bool IsDigit(Rune rune) =>
        IsDecimal(rune) || (rune.IsBmp && CharUnicodeInfo.GetDigitValue((char)rune.Value) >= 0);

    public static bool IsNumeric(Rune rune) =>
        IsDigit(rune) || CharUnicodeInfo.GetNumericValue(rune.ToString(), 0) >= 0;

    public static bool IsWord(char c) => char.IsLetterOrDigit(c) || c == '_' || char.IsSurrogate(c)
        || char.GetUnicodeCategory(c) is UnicodeCategory.NonSpacingMark or UnicodeCategory.SpacingCombiningMark
            or UnicodeCategory.LetterNumber or UnicodeCategory.OtherNumber or UnicodeCategory.ConnectorPunctuation;

    static bool IsTitle(Rune rune) => Rune.GetUnicodeCategory(rune) == UnicodeCategory.TitlecaseLetter;

    public static bool IsUpper(Rune rune) => Rune.IsUpper(rune);

    public static bool IsLower(Rune rune) => Rune.IsLower(rune) || rune.Value is 0xaa or 0xba;

    public static bool IsCased(Rune rune) => IsUpper(rune) || IsLower(rune) || IsTitle(rune);

    // Letters whose upper case is longer, as Unicode's SpecialCasing lists them (the common ones of living scripts).
    static readonly Dictionary<int, (string Upper, string Title)> Longer = new()
    {
        [0xdf] = ("SS", "Ss"),
        [0x149] = ("\u02bcN", "\u02bcN"),
        [0x1f0] = ("J\u030c", "J\u030c"),
        [0x390] = ("\u0399\u0308\u0301", "\u0399\u0308\u0301"),
        [0x3b0] = ("\u03a5\u0308\u0301", "\u03a5\u0308\u0301"),
        [0x587] = ("\u0535\u0552", "\u0535\u0582"),
        [0xfb00] = ("FF", "Ff"),
        [0xfb01] = ("FI", "Fi"),
        [0xfb02] = ("FL", "Fl"),
        [0xfb03] = ("FFI", "Ffi"),
        [0xfb04] = ("FFL", "Ffl"),
        [0xfb05] = ("ST", "St"),
        [0xfb06] = ("ST", "St"),
    };

    public static string Upper(string text) => Map(text, static rune =>
        Longer.TryGetValue(rune.Value, out var longer) ? longer.Upper : Rune.ToUpperInvariant(Dotless(rune)).ToString());

    public static string Lower(string text)
    {
        var built = new StringBuilder();
        for (var i = 0; i < text.Length;)
        {
            Rune.DecodeFromUtf16(text.AsSpan(i), out var rune, out var used);
            if (rune.Value == 0x3a3) built.Append(IsFinal(text, i) ? '\u03c2' : '\u03c3');
            else if (rune.Value == 0x130) built.Append("i\u0307");
            else if (used == 1) built.Append(char.ToLowerInvariant(text[i]));
            else built.Append(Rune.ToLowerInvariant(rune));
            i += used;
        }

        return built.ToString();
    }

    // Sigma ends a word: a letter before it and none behind it.
    static bool IsFinal(string text, int at) =>
        at > 0 && char.IsLetter(text[at - 1]) && !(at + 1 < text.Length && char.IsLetter(text[at + 1]));

    public static string Swap(string text) => Map(text, static rune =>
        IsUpper(rune) ? Lower(rune.ToString()) : IsLower(rune) ? Upper(rune.ToString()) : rune.ToString());

    public static string Fold(string text) =>
        Lower(text.Replace("\u00df", "ss", StringComparison.Ordinal).Replace("\u1e9e", "ss", StringComparison.Ordinal))
            .Replace('\u03c2', '\u03c3');

    public static string Capitalize(string text)
    {
        if (text.Length == 0) return text;
        var first = char.IsSurrogatePair(text, 0) ? 2 : 1;
        return TitleOf(text[..first]) + Lower(text)[Lower(text[..first]).Length..];
    }

    /// <summary>The first letter of each run of letters in title case, the others in lower case.</summary>
    public static string Title(string text)
    {
        var lower = new StringBuilder();
        var isInside = false;
        for (var i = 0; i < text.Length;)
        {
            Rune.DecodeFromUtf16(text.AsSpan(i), out var rune, out var used);
            var piece = text.Substring(i, used);
            if (!IsCased(rune)) lower.Append(piece);
            else if (!isInside) lower.Append(TitleOf(piece));
            else if (rune.Value == 0x3a3) lower.Append(IsFinal(text, i) ? '\u03c2' : '\u03c3');
            else lower.Append(Lower(piece));
            isInside = IsCased(rune);
            i += used;
        }

        return lower.ToString();
    }

    static string TitleOf(string character)
    {
        var value = char.ConvertToUtf32(character.Length == 1 && char.IsSurrogate(character[0]) ? "\ufffd" : character, 0);
        if (Longer.TryGetValue(value, out var longer)) return longer.Title;
        return value switch
        {
            >= 0x1c4 and <= 0x1c6 => "\u01c5",
            >= 0x1c7 and <= 0x1c9 => "\u01c8",
            >= 0x1ca and <= 0x1cc => "\u01cb",
            >= 0x1f1 and <= 0x1f3 => "\u01f2",
            _ => Upper(character),
        };
    }

    static Rune Dotless(Rune rune) => rune.Value == 0x131 ? new('I') : rune;

    static string Map(string text, Func<Rune, string> map)
    {
        var built = new StringBuilder(text.Length);
        for (var i = 0; i < text.Length;)
        {
            // A lone surrogate stays what it is.
            var status = Rune.DecodeFromUtf16(text.AsSpan(i), out var rune, out var used);
            if (status == System.Buffers.OperationStatus.Done) built.Append(map(rune));
            else built.Append(text, i, used);
            i += used;
        }

        return built.ToString();
    }

    public static IEnumerable<Rune> Runes(string text)
    {
        foreach (var rune in text.EnumerateRunes()) yield return rune;
    }

    /// <summary>Lines, each with its end where asked; VT, FF, FS, GS, RS, NEL, LS and PS end lines too.</summary>
    public static List<string> Lines(string text, bool keepEnds)
    {
        var lines = new List<string>();
        var from = 0;
        for (var i = 0; i < text.Length; i++)
        {
            if (text[i] is not ('\n' or '\r' or '\v' or '\f' or '\x1c' or '\x1d' or '\x1e' or '\x85' or '\u2028' or '\u2029')) continue;
            var end = text[i] == '\r' && i + 1 < text.Length && text[i + 1] == '\n' ? i + 2 : i + 1;
            lines.Add(text[from..(keepEnds ? end : i)]);
            from = end;
            i = end - 1;
        }

        if (from < text.Length) lines.Add(text[from..]);
        return lines;
    }
}
