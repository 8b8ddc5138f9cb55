using System.Buffers;
using System.Globalization;
using System.Text;

namespace Millrace.Wasm.Text;

/// <summary>String literals (core specification, section 6.3.3): quotes and escapes to bytes.</summary>
static class StringText
{
    static readonly UTF8Encoding Strict = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <summary>Characters of the escape that a backslash begins, or 0 where it is none.</summary>
    public static int EscapeLength(ReadOnlySpan<char> escape)
    {
        if (escape.Length < 2) return 0;
        switch (escape[1])
        {
            case 't' or 'n' or 'r' or '"' or '\'' or '\\':
                return 2;
            case 'u':
                var close = escape.IndexOf('}');
                return close > 3 && escape[2] == '{' && CodePoint(escape[3..close]) >= 0 ? close + 1 : 0;
            default:
                return escape.Length > 2 && char.IsAsciiHexDigit(escape[1]) && char.IsAsciiHexDigit(escape[2]) ? 3 : 0;
        }
    }

    /// <summary>The bytes of a literal that the lexer accepted, quotes included.</summary>
    public static byte[] Decode(ReadOnlySpan<char> quoted)
    {
        var output = new ArrayBufferWriter<byte>(quoted.Length);
        Decode(quoted, output);
        return output.WrittenSpan.ToArray();
    }

    public static void Decode(ReadOnlySpan<char> quoted, IBufferWriter<byte> output)
    {
        var rest = quoted[1..^1];
        while (!rest.IsEmpty)
        {
            var plain = rest.IndexOf('\\');
            if (plain < 0) plain = rest.Length;
            Encoding.UTF8.GetBytes(rest[..plain], output);
            rest = rest[plain..];
            if (rest.IsEmpty) return;
            var length = EscapeLength(rest);
            WriteEscape(rest[..length], output);
            rest = rest[length..];
        }
    }

    /// <summary>Whether the bytes of a literal are UTF-8, as a name must be.</summary>
    public static bool IsUtf8(ReadOnlySpan<char> quoted) =>
        !quoted.Contains('\\') || System.Text.Unicode.Utf8.IsValid(Decode(quoted));

    /// <summary>A literal as a name; <see cref="IsUtf8"/> must hold.</summary>
    public static string DecodeName(ReadOnlySpan<char> quoted) => Strict.GetString(Decode(quoted));

    static void WriteEscape(ReadOnlySpan<char> escape, IBufferWriter<byte> output)
    {
        if (escape[1] == 'u')
        {
            Span<char> utf16 = stackalloc char[2];
            var count = new Rune(CodePoint(escape[3..^1])).EncodeToUtf16(utf16);
            Encoding.UTF8.GetBytes(utf16[..count], output);
            return;
        }

        output.Write(
        [
            escape[1] switch
            {
                't' => (byte)'\t',
                'n' => (byte)'\n',
                'r' => (byte)'\r',
                '"' or '\'' or '\\' => (byte)escape[1],
                _ => byte.Parse(escape[1..], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture),
            },
        ]);
    }

    /// <summary>A Unicode scalar value in hexadecimal digits, or −1.</summary>
    static int CodePoint(ReadOnlySpan<char> digits)
    {
        if (!NumberText.TryNatural(digits, isHex: true, out var value)) return -1;
        return value <= 0x10FFFF && Rune.IsValid((int)value) ? (int)value : -1;
    }
}
