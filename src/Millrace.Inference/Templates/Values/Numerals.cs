using System.Globalization;
using System.Numerics;

namespace Millrace.Inference.Templates.Values;

/// <summary>Texts that are numbers.</summary>
static class Numerals
{
    /// <summary>An integer literal, without its underscores; null where it is too long.</summary>
    public static BigInteger? Literal(string text)
    {
        if (text.Length > TemplateLimits.DigitsMax) return null;
        return text.Length > 2 && text[0] == '0' && !char.IsAsciiDigit(text[1])
            ? Digits(text[2..], char.ToLowerInvariant(text[1]) switch { 'x' => 16, 'o' => 8, _ => 2 })
            : BigInteger.Parse(text, CultureInfo.InvariantCulture);
    }

    /// <summary><c>int(text, radix)</c>; null where it is none.</summary>
    public static BigInteger? Integer(string text, int radix)
    {
        text = text.Trim();
        var isNegative = text.StartsWith('-');
        if (isNegative || text.StartsWith('+')) text = text[1..];
        var prefix = text is ['0', var letter, _, ..]
            ? char.ToLowerInvariant(letter) switch { 'x' => 16, 'o' => 8, 'b' => 2, _ => 0 } : 0;
        if (prefix != 0 && (radix == prefix || radix == 0)) (text, radix) = (text[2..].TrimStart('_'), prefix);
        if (text.Length is 0 or > TemplateLimits.DigitsMax || !HasGoodLines(text)) return null;
        var value = Digits(text.Replace("_", "", StringComparison.Ordinal), radix == 0 ? 10 : radix);
        return isNegative ? -value : value;
    }

    static bool HasGoodLines(string text) =>
        text[0] != '_' && text[^1] != '_' && !text.Contains("__", StringComparison.Ordinal);

    static BigInteger? Digits(string text, int radix)
    {
        var value = BigInteger.Zero;
        foreach (var c in text)
        {
            var digit = char.IsAsciiLetter(c) ? char.ToLowerInvariant(c) - 'a' + 10 : CharUnicodeInfo.GetDecimalDigitValue(c);
            if (digit < 0 || digit >= radix) return null;
            value = value * radix + digit;
        }

        return value;
    }

    /// <summary><c>float(text)</c>; null where it is none.</summary>
    public static double? Float(string text)
    {
        text = text.Trim();
        if (text.Length == 0 || !HasGoodLines(text)) return null;
        var word = text.TrimStart('+', '-').ToLowerInvariant();
        if (word is "inf" or "infinity") return text[0] == '-' ? double.NegativeInfinity : double.PositiveInfinity;
        if (word == "nan") return double.NaN;
        const NumberStyles Style = NumberStyles.AllowLeadingSign | NumberStyles.AllowDecimalPoint | NumberStyles.AllowExponent;
        return char.IsAsciiLetter(word[0]) ? null
            : double.TryParse(text.Replace("_", "", StringComparison.Ordinal), Style, CultureInfo.InvariantCulture, out var number)
                ? number : null;
    }

    /// <summary>A float's integer part.</summary>
    public static BigInteger Truncate(double number) => double.IsFinite(number) ? new BigInteger(Math.Truncate(number))
        : throw TemplateException.Overflow("cannot convert float infinity or NaN to integer");
}
