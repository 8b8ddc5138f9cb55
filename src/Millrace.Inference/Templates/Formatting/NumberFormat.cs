using System.Globalization;
using System.Numerics;
using Millrace.Inference.Templates.Values;

namespace Millrace.Inference.Templates.Formatting;

/// <summary>Digits of numbers in C's conversions. Floats are rounded by their exact value, half to even.</summary>
static class NumberFormat
{
    const int PrecisionMax = 1100;

    /// <summary>An absolute number in conversion e, f or g.</summary>
    public static string Float(double number, char conversion, int precision, bool isAlternate = false)
    {
        if (double.IsNaN(number)) return "nan";
        if (double.IsInfinity(number)) return "inf";
        if (precision > PrecisionMax) throw TemplateException.Limit($"a precision is more than {PrecisionMax}");
        return char.ToLowerInvariant(conversion) switch
        {
            'f' => Fixed(number, precision),
            'e' => Exponential(number, precision),
            _ => General(number, Math.Max(precision, 1), isAlternate),
        };
    }

    /// <summary>An absolute number times ten to a power, rounded from its exact value, half to even.</summary>
    public static BigInteger Scaled(double number, int power)
    {
        var bits = BitConverter.DoubleToInt64Bits(number);
        var exponent = (int)(bits >> 52 & 0x7ff);
        BigInteger mantissa = exponent == 0 ? bits & 0xfffffffffffff : bits & 0xfffffffffffff | 1L << 52;
        exponent = Math.Max(exponent, 1) - 1075;
        var (above, below) = (mantissa, BigInteger.One);
        if (exponent > 0) above <<= exponent;
        else below <<= -exponent;
        if (power > 0) above *= BigInteger.Pow(10, power);
        else below *= BigInteger.Pow(10, -power);
        return Divided(above, below);
    }

    /// <summary>A quotient rounded half to even.</summary>
    public static BigInteger Divided(BigInteger number, BigInteger by)
    {
        var quotient = BigInteger.DivRem(number, by, out var rest);
        var half = (rest * 2).CompareTo(by);
        return half > 0 || (half == 0 && !quotient.IsEven) ? quotient + 1 : quotient;
    }

    static string Fixed(double number, int precision)
    {
        var digits = Scaled(number, precision).ToString(CultureInfo.InvariantCulture).PadLeft(precision + 1, '0');
        return precision == 0 ? digits : $"{digits[..^precision]}.{digits[^precision..]}";
    }

    static string Exponential(double number, int precision)
    {
        var exponent = number == 0 ? 0 : (int)Math.Floor(Math.Log10(number));
        // The logarithm may be one off, and rounding may carry into one digit more.
        var digits = "";
        for (var i = 0; i < 3; i++)
        {
            digits = Scaled(number, precision - exponent).ToString(CultureInfo.InvariantCulture);
            if (number == 0 || digits.Length == precision + 1) break;
            exponent += digits.Length > precision + 1 ? 1 : -1;
        }

        digits = digits.PadLeft(precision + 1, '0');
        var mantissa = precision == 0 ? digits[..1] : $"{digits[0]}.{digits[1..(precision + 1)]}";
        return $"{mantissa}e{(exponent < 0 ? '-' : '+')}{Math.Abs(exponent):00}";
    }

    static string General(double number, int precision, bool keepsZeros)
    {
        var text = Exponential(number, precision - 1);
        var at = text.IndexOf('e', StringComparison.Ordinal);
        var exponent = int.Parse(text[(at + 1)..], CultureInfo.InvariantCulture);
        if (exponent < -4 || exponent >= precision) return Trimmed(text[..at]) + text[at..];
        return Trimmed(Fixed(number, precision - 1 - exponent));

        string Trimmed(string digits) =>
            keepsZeros || !digits.Contains('.', StringComparison.Ordinal) ? digits : digits.TrimEnd('0').TrimEnd('.');
    }

    /// <summary>An absolute integer in conversion b, o, d, x or X.</summary>
    public static string Integer(BigInteger integer, char conversion)
    {
        if (conversion is 'd' or 'i' or 'u' or 'n') return Repr.OfInteger(integer);
        var text = char.ToLowerInvariant(conversion) switch
        {
            'x' => integer.ToString("x", CultureInfo.InvariantCulture),
            'b' => integer.ToString("b", CultureInfo.InvariantCulture),
            _ => Octal(integer),
        };
        text = text.TrimStart('0');
        if (text.Length == 0) text = "0";
        return conversion == 'X' ? text.ToUpperInvariant() : text;
    }

    static string Octal(BigInteger integer)
    {
        var digits = new Stack<char>();
        for (; !integer.IsZero; integer >>= 3) digits.Push((char)('0' + (int)(integer & 7)));
        return string.Concat(digits);
    }

    public static string Grouped(string digits, char separator)
    {
        var whole = digits.IndexOfAny(['.', 'e']) is var at && at < 0 ? digits.Length : at;
        for (var i = whole - 3; i > 0; i -= 3) digits = digits.Insert(i, separator.ToString());
        return digits;
    }
}
