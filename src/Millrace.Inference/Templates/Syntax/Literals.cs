using System.Globalization;
using System.Text;

namespace Millrace.Inference.Templates.Syntax;

/// <summary>Finds where a number literal ends.</summary>
static class NumberScanner
{
    /// <summary>The end of the number that begins here; its begin where none does.</summary>
    public static int End(string source, int from, out bool isFloat)
    {
        isFloat = false;
        if (!char.IsAsciiDigit(source[from])) return from;
        if (!(from > 0 && source[from - 1] == '.') && FloatEnd(source, from) is { } end)
        {
            isFloat = true;
            return end;
        }

        if (source[from] == '0' && from + 1 < source.Length)
        {
            Func<char, bool>? isDigit = char.ToLowerInvariant(source[from + 1]) switch
            {
                'x' => char.IsAsciiHexDigit,
                'o' => static c => c is >= '0' and <= '7',
                'b' => static c => c is '0' or '1',
                _ => null,
            };
            if (isDigit is not null && Digits(source, from + 2, isDigit, true) is var last && last > from + 2) return last;
        }

        // A number that begins with zero is zeros alone.
        return Digits(source, from, source[from] == '0' ? static c => c == '0' : char.IsAsciiDigit, false);
    }

    static int? FloatEnd(string source, int from)
    {
        var at = Digits(source, from, char.IsAsciiDigit, false);
        var hasPoint = at + 1 < source.Length && source[at] == '.' && char.IsAsciiDigit(source[at + 1]);
        if (hasPoint) at = Digits(source, at + 1, char.IsAsciiDigit, false);
        if (at < source.Length && source[at] is 'e' or 'E')
        {
            var digits = at + 1 < source.Length && source[at + 1] is '+' or '-' ? at + 2 : at + 1;
            if (digits < source.Length && char.IsAsciiDigit(source[digits])) return Digits(source, digits, char.IsAsciiDigit, false);
        }

        return hasPoint ? at : null;
    }

    static int Digits(string source, int at, Func<char, bool> isDigit, bool mayBeginWithLine)
    {
        while (at < source.Length)
        {
            var isLine = source[at] == '_' && at + 1 < source.Length && isDigit(source[at + 1])
                && (mayBeginWithLine || isDigit(source[at - 1]));
            if (!isLine && !isDigit(source[at])) break;
            at++;
        }

        return at;
    }
}

/// <summary>Escapes of string literals.</summary>
static class StringLiteral
{
    public static string Value(string text, int line)
    {
        if (!text.Contains('\\', StringComparison.Ordinal)) return text;
        var value = new StringBuilder(text.Length);
        for (var i = 0; i < text.Length; i++)
        {
            if (text[i] != '\\' || i + 1 == text.Length)
            {
                value.Append(text[i]);
                continue;
            }

            i = Escape(text, i + 1, value, line);
        }

        return value.ToString();
    }

    /// <summary>Answers the index of the escape's last character.</summary>
    static int Escape(string text, int at, StringBuilder value, int line)
    {
        const string Letters = "abfnrtv\\'\"";
        const string Meanings = "\a\b\f\n\r\t\v\\'\"";
        var c = text[at];
        if (Letters.IndexOf(c, StringComparison.Ordinal) is var found && found >= 0)
        {
            value.Append(Meanings[found]);
        }
        else if (c is >= '0' and <= '7')
        {
            var code = 0;
            var end = at;
            for (; end < text.Length && end < at + 3 && text[end] is >= '0' and <= '7'; end++) code = code * 8 + text[end] - '0';
            value.Append((char)code);
            return end - 1;
        }
        else if (c is 'x' or 'u' or 'U')
        {
            var digits = c switch { 'x' => 2, 'u' => 4, _ => 8 };
            var hex = at + digits < text.Length ? text.AsSpan(at + 1, digits) : default;
            var isHex = int.TryParse(hex, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var code);
            if (!isHex || code is < 0 or > 0x10ffff)
                throw new TemplateException("TemplateSyntaxError", $"a \\{c} escape needs {digits} hex digits of a character", line);
            value.Append(code > 0xffff ? char.ConvertFromUtf32(code) : ((char)code).ToString());
            return at + digits;
        }
        else if (c == 'N')
        {
            throw new TemplateException("TemplateSyntaxError", "escapes by a character's name (\\N{...}) are not supported", line);
        }
        else if (c != '\n')
        {
            value.Append('\\').Append(c);
        }

        return at;
    }
}
