using System.Globalization;
using System.Numerics;
using System.Text;

namespace Millrace.Inference.Templates.Values;

/// <summary><c>str()</c> and <c>repr()</c>.</summary>
static class Repr
{
    /// <summary>How a value prints.</summary>
    public static string Text(object value, Budget budget) => value switch
    {
        string text => text,
        Markup markup => markup.Text,
        Undefined => "",
        BigInteger or double or bool or None => Of(value),
        _ => Built(value, budget),
    };

    static string Built(object value, Budget budget)
    {
        var text = new StringBuilder();
        Append(text, value, budget);
        return budget.Made(text.ToString());
    }

    public static string OfValue(object value, Budget budget) => value is string text ? OfText(text) : Built(value, budget);

    /// <summary>A scalar or the name of something else, for messages.</summary>
    public static string Of(object value) => value switch
    {
        None => "None",
        bool flag => flag ? "True" : "False",
        BigInteger integer => OfInteger(integer),
        double number => OfNumber(number),
        string text => OfText(text),
        Markup markup => $"Markup({OfText(markup.Text)})",
        Undefined => "Undefined",
        PyTuple or PyList => Built(value, new(new(100_000, 100_000))),
        _ => $"<{PyType.Name(value)} object>",
    };

    static void Append(StringBuilder text, object value, Budget budget)
    {
        using var level = Level.Enter();
        budget.Step();
        budget.Make(text.Length / 64);
        switch (value)
        {
            case PyList list:
                Join(text, "[", list.Elements, "]", budget);
                break;
            case PyTuple tuple:
                Join(text, "(", tuple.Elements, tuple.Elements.Count == 1 ? ",)" : ")", budget);
                break;
            case PyDict dict:
                AppendDict(text, dict, budget);
                break;
            case DictView view:
                Join(text, $"dict_{view.Part}([", view.Elements, "])", budget);
                break;
            case Namespace fields:
                text.Append("<Namespace ");
                AppendDict(text, fields.Fields, budget);
                text.Append('>');
                break;
            case PyRange range:
                text.Append(CultureInfo.InvariantCulture, $"range({range.Start}, {range.Stop}");
                text.Append(range.Step.IsOne ? ")" : string.Create(CultureInfo.InvariantCulture, $", {range.Step})"));
                break;
            case PyBytes bytes:
                AppendBytes(text, bytes.Bytes);
                break;
            case Loop loop:
                text.Append(CultureInfo.InvariantCulture, $"<LoopContext {loop.Index0 + 1}/{loop.Length}>");
                break;
            default:
                text.Append(Of(value));
                break;
        }
    }

    static void Join(StringBuilder text, string open, IEnumerable<object> elements, string close, Budget budget)
    {
        text.Append(open);
        var isFirst = true;
        foreach (var element in elements)
        {
            if (!isFirst) text.Append(", ");
            isFirst = false;
            Append(text, element, budget);
        }

        text.Append(close);
    }

    static void AppendDict(StringBuilder text, PyDict dict, Budget budget)
    {
        text.Append('{');
        var isFirst = true;
        foreach (var (key, value) in dict.Entries)
        {
            if (!isFirst) text.Append(", ");
            isFirst = false;
            Append(text, key, budget);
            text.Append(": ");
            Append(text, value, budget);
        }

        text.Append('}');
    }

    static void AppendBytes(StringBuilder text, byte[] bytes)
    {
        text.Append("b'");
        foreach (var b in bytes)
        {
            if (b is >= 0x20 and < 0x7f) text.Append(b is (byte)'\'' or (byte)'\\' ? "\\" : "").Append((char)b);
            else text.Append(b switch { 9 => "\\t", 10 => "\\n", 13 => "\\r", _ => $"\\x{b:x2}" });
        }

        text.Append('\'');
    }

    public static string OfInteger(BigInteger integer)
    {
        // As many bits as fit the digits allowed: more would take time that grows with their square.
        if (integer.GetBitLength() > TemplateLimits.DigitsMax * 10 / 3)
            throw TemplateException.Value($"Exceeds the limit ({TemplateLimits.DigitsMax} digits) for integer string conversion");
        return integer.ToString(CultureInfo.InvariantCulture);
    }

    /// <summary>The shortest digits that give the same float, with an exponent below 1e-4 and from 1e16.</summary>
    public static string OfNumber(double number)
    {
        if (double.IsNaN(number)) return "nan";
        if (double.IsInfinity(number)) return number > 0 ? "inf" : "-inf";
        if (number == 0) return double.IsNegative(number) ? "-0.0" : "0.0";
        var (digits, exponent) = Digits(Math.Abs(number));
        var sign = number < 0 ? "-" : "";
        if (exponent is < -4 or >= 16)
        {
            var mantissa = digits.Length == 1 ? digits : $"{digits[0]}.{digits[1..]}";
            return $"{sign}{mantissa}e{(exponent < 0 ? '-' : '+')}{Math.Abs(exponent):00}";
        }

        if (exponent < 0) return $"{sign}0.{new string('0', -exponent - 1)}{digits}";
        digits = digits.PadRight(exponent + 2, '0');
        return $"{sign}{digits[..(exponent + 1)]}.{digits[(exponent + 1)..]}";
    }

    static (string Digits, int Exponent) Digits(double number)
    {
        var text = number.ToString("E16", CultureInfo.InvariantCulture);
        var shortest = number.ToString("R", CultureInfo.InvariantCulture);
        var exponent = int.Parse(text[(text.IndexOf('E', StringComparison.Ordinal) + 1)..], CultureInfo.InvariantCulture);
        var mantissa = shortest.Split('E')[0];
        var digits = mantissa.Replace(".", "", StringComparison.Ordinal).TrimStart('0').TrimEnd('0');
        // 17 digits may round up to the next power of ten where the shortest ones do not, and the other way round.
        if (shortest.Contains('E', StringComparison.Ordinal))
            exponent = int.Parse(shortest[(shortest.IndexOf('E', StringComparison.Ordinal) + 1)..], CultureInfo.InvariantCulture);
        else if (mantissa.StartsWith("0.", StringComparison.Ordinal))
            exponent = -(mantissa[2..].TakeWhile(c => c == '0').Count() + 1);
        else
            exponent = mantissa.Split('.')[0].Length - 1;
        return (digits, exponent);
    }

    public static string OfText(string text)
    {
        var quote = text.Contains('\'', StringComparison.Ordinal) && !text.Contains('"', StringComparison.Ordinal) ? '"' : '\'';
        var built = new StringBuilder().Append(quote);
        for (var i = 0; i < text.Length; i++)
        {
            if (char.IsSurrogatePair(text, i))
            {
                var rune = new Rune(text[i], text[i + 1]);
                i++;
                built.Append(Unicode.IsPrintable(Rune.GetUnicodeCategory(rune)) ? rune.ToString() : $"\\U{rune.Value:x8}");
                continue;
            }

            var c = text[i];
            built.Append(c switch
            {
                '\n' => "\\n",
                '\r' => "\\r",
                '\t' => "\\t",
                '\\' => "\\\\",
                _ when c == quote => "\\" + c,
                ' ' => " ",
                _ when Unicode.IsPrintable(char.GetUnicodeCategory(c)) => c.ToString(),
                _ => c < 0x100 ? $"\\x{(int)c:x2}" : $"\\u{(int)c:x4}",
            });
        }

        return built.Append(quote).ToString();
    }
}
