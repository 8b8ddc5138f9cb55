using System.Globalization;
using System.Numerics;

namespace Millrace.Wasm.Text;

/// <summary>Number literals (core specification, section 6.3.1): their classes, integers and floats.</summary>
static class NumberText
{
    /// <summary>The class of an atom: natural, signed, float, or reserved where it is no number.</summary>
    public static TokenKind Classify(ReadOnlySpan<char> atom)
    {
        var isSigned = atom[0] is '+' or '-';
        var rest = isSigned ? atom[1..] : atom;
        var integer = isSigned ? TokenKind.Signed : TokenKind.Natural;
        if (rest is "inf" or "nan") return TokenKind.Float;
        if (rest.StartsWith("nan:0x"))
            return Digits(rest[6..], isHex: true) == rest.Length - 6 ? TokenKind.Float : TokenKind.Reserved;
        var isHex = rest.StartsWith("0x");
        if (isHex) rest = rest[2..];
        var whole = Digits(rest, isHex);
        if (whole == 0) return TokenKind.Reserved;
        if (whole == rest.Length) return integer;
        return IsFloatTail(rest[whole..], isHex) ? TokenKind.Float : TokenKind.Reserved;
    }

    static bool IsFloatTail(ReadOnlySpan<char> tail, bool isHex)
    {
        if (tail[0] == '.')
        {
            tail = tail[1..];
            tail = tail[Digits(tail, isHex)..];
        }

        if (tail.IsEmpty) return true;
        if (isHex ? tail[0] is not ('p' or 'P') : tail[0] is not ('e' or 'E')) return false;
        tail = tail[1..];
        if (!tail.IsEmpty && tail[0] is '+' or '-') tail = tail[1..];
        return !tail.IsEmpty && Digits(tail, isHex: false) == tail.Length;
    }

    /// <summary>Length of the digits at the front, single underscores between them allowed.</summary>
    static int Digits(ReadOnlySpan<char> text, bool isHex)
    {
        var count = 0;
        while (count < text.Length)
        {
            var c = text[count];
            if (c == '_' && (count == 0 || text[count - 1] == '_')) return 0;
            if (c != '_' && !(isHex ? char.IsAsciiHexDigit(c) : char.IsAsciiDigit(c))) break;
            count++;
        }

        return count > 0 && text[count - 1] == '_' ? 0 : count;
    }

    /// <summary>An unsigned integer without prefix; false where it exceeds 64 bits.</summary>
    public static bool TryNatural(ReadOnlySpan<char> digits, bool isHex, out ulong value)
    {
        value = 0;
        if (digits.IsEmpty || Digits(digits, isHex) != digits.Length) return false;
        var radix = isHex ? 16u : 10u;
        foreach (var c in digits)
        {
            if (c == '_') continue;
            var next = ((UInt128)value * radix) + HexValue(c);
            if (next > ulong.MaxValue) return false;
            value = (ulong)next;
        }

        return true;
    }

    /// <summary>A natural token, prefix included; false where it exceeds 64 bits.</summary>
    public static bool TryNatural(ReadOnlySpan<char> atom, out ulong value) =>
        atom.StartsWith("0x")
            ? TryNatural(atom[2..], isHex: true, out value)
            : TryNatural(atom, isHex: false, out value);

    /// <summary>An integer token as two's complement of a width; false where it is out of range.</summary>
    public static bool TryInteger(ReadOnlySpan<char> atom, int width, out ulong bits)
    {
        bits = 0;
        var sign = atom[0];
        if (!TryNatural(sign is '+' or '-' ? atom[1..] : atom, out var magnitude)) return false;
        var half = 1ul << (width - 1);
        if (sign == '-')
        {
            bits = (0 - magnitude) & (ulong.MaxValue >> (64 - width));
            return magnitude <= half;
        }

        bits = magnitude;
        return sign == '+' ? magnitude < half : magnitude <= ulong.MaxValue >> (64 - width);
    }

    /// <summary>The bits of an <c>f32</c> token; false where it is out of range.</summary>
    public static bool TryFloat32(ReadOnlySpan<char> atom, out uint bits)
    {
        var isRead = TryFloat(atom, precision: 24, bias: 127, out var wide, static text =>
            BitConverter.SingleToUInt32Bits(float.Parse(text, NumberStyles.Float, CultureInfo.InvariantCulture)));
        bits = (uint)wide | (atom[0] == '-' ? 1u << 31 : 0);
        return isRead;
    }

    /// <summary>The bits of an <c>f64</c> token; false where it is out of range.</summary>
    public static bool TryFloat64(ReadOnlySpan<char> atom, out ulong bits)
    {
        var isRead = TryFloat(atom, precision: 53, bias: 1023, out bits, static text =>
            BitConverter.DoubleToUInt64Bits(double.Parse(text, NumberStyles.Float, CultureInfo.InvariantCulture)));
        bits |= atom[0] == '-' ? 1ul << 63 : 0;
        return isRead;
    }

    /// <summary>Magnitude of a float; the sign is the caller's.</summary>
    static bool TryFloat(ReadOnlySpan<char> atom, int precision, int bias, out ulong bits, Func<string, ulong> parse)
    {
        var text = atom[0] is '+' or '-' ? atom[1..] : atom;
        var infinity = (ulong)((2 * bias) + 1) << (precision - 1);
        bits = infinity;
        if (text is "inf") return true;
        if (text is "nan")
        {
            bits |= 1ul << (precision - 2);
            return true;
        }

        if (text.StartsWith("nan:0x"))
        {
            var isRead = TryNatural(text[6..], isHex: true, out var payload);
            bits |= payload;
            return isRead && payload > 0 && payload < 1ul << (precision - 1);
        }

        bits = text.StartsWith("0x")
            ? HexFloat(text[2..], precision, bias)
            : parse(text.ToString().Replace("_", "", StringComparison.Ordinal));
        return bits < infinity;
    }

    /// <summary>Rounds hexadecimal digits to nearest, ties to even; infinity where they are too large.</summary>
    static ulong HexFloat(ReadOnlySpan<char> text, int precision, int bias)
    {
        ulong mantissa = 0;
        long exponent = 0;
        var isSticky = false;
        var isFraction = false;
        var at = 0;
        for (; at < text.Length && text[at] is not ('p' or 'P'); at++)
        {
            if (text[at] == '_') continue;
            if (text[at] == '.')
            {
                isFraction = true;
                continue;
            }

            var digit = HexValue(text[at]);
            var fits = mantissa < 1ul << 60;
            if (fits) mantissa = (mantissa << 4) | digit;
            else isSticky |= digit != 0;
            exponent += (fits ? 0 : 4) - (isFraction ? 4 : 0);
        }

        if (mantissa == 0) return 0;
        exponent += at < text.Length ? Exponent(text[(at + 1)..]) : 0;
        return Round(mantissa, exponent, isSticky, precision, bias);
    }

    static ulong Round(ulong mantissa, long exponent, bool isSticky, int precision, int bias)
    {
        var leading = Math.Max(exponent + BitOperations.Log2(mantissa), 1 - bias);
        if (leading > bias) return (ulong)((2 * bias) + 1) << (precision - 1);
        var dropped = leading - (precision - 1) - exponent;
        if (dropped > 64) return 0;
        var wide = (UInt128)mantissa;
        if (dropped <= 0)
        {
            wide <<= (int)-dropped;
        }
        else
        {
            var rest = wide & ((UInt128.One << (int)dropped) - 1);
            var half = UInt128.One << (int)(dropped - 1);
            wide >>= (int)dropped;
            if (rest > half || (rest == half && (isSticky || UInt128.IsOddInteger(wide)))) wide++;
        }

        // A mantissa that grew by a bit carries into the exponent field, up to infinity, just as IEEE 754 wants.
        var kept = (ulong)wide;
        var hidden = 1ul << (precision - 1);
        return kept < hidden ? kept : ((ulong)(leading + bias) << (precision - 1)) + (kept - hidden);
    }

    /// <summary>A decimal exponent, held within what can matter.</summary>
    static long Exponent(ReadOnlySpan<char> text)
    {
        var isNegative = text[0] == '-';
        long value = 0;
        foreach (var c in text)
        {
            if (char.IsAsciiDigit(c)) value = Math.Min((value * 10) + (c - '0'), 1L << 40);
        }

        return isNegative ? -value : value;
    }

    static uint HexValue(char c) => c <= '9' ? (uint)(c - '0') : (uint)((c | 0x20) - 'a' + 10);
}
