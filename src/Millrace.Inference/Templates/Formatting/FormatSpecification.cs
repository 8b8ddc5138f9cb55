using System.Numerics;
using Millrace.Inference.Templates.Values;

namespace Millrace.Inference.Templates.Formatting;

/// <summary><c>[[fill]align][sign][#][0][width][,_][.precision][type]</c></summary>
sealed record FormatSpecification(
    string Fill, char Align, char Sign, bool IsAlternate, int Width, char Grouping, int? Precision, char Type)
{
    public static string Apply(object value, string text, Budget budget)
    {
        if (text.Length == 0) return Repr.Text(value, budget);
        var specification = Parse(text);
        return value switch
        {
            string or Markup => specification.OfText(PyType.Text(value)!, budget),
            double number => specification.OfFloat(number, budget),
            BigInteger or bool => specification.OfInteger(PyType.Integer(value)!.Value, budget),
            _ => throw TemplateException.Type($"unsupported format string passed to {PyType.Name(value)}.__format__"),
        };
    }

    static FormatSpecification Parse(string text)
    {
        var at = 0;
        var (fill, align) = (" ", ' ');
        var width1 = char.IsSurrogatePair(text, 0) ? 2 : 1;
        if (text.Length > width1 && text[width1] is '<' or '>' or '^' or '=')
            (fill, align, at) = (text[..width1], text[width1], width1 + 1);
        else if (text[0] is '<' or '>' or '^' or '=') (align, at) = (text[0], 1);
        var sign = Take("+- ");
        var isAlternate = Take("#") != ' ';
        if (Take("0") != ' ' && align == ' ') (fill, align) = ("0", '=');
        var width = Number() ?? 0;
        var grouping = Take(",_");
        int? precision = null;
        if (Take(".") != ' ') precision = Number() ?? throw TemplateException.Value("Format specifier missing precision");
        var type = Take("bcdeEfFgGnosxX%");
        if (at < text.Length) throw TemplateException.Value("Invalid format specifier");
        return new(fill, align, sign, isAlternate, width, grouping, precision, type);

        char Take(string any) => at < text.Length && any.Contains(text[at], StringComparison.Ordinal) ? text[at++] : ' ';

        int? Number()
        {
            var from = at;
            long number = 0;
            for (; at < text.Length && char.IsAsciiDigit(text[at]); at++) number = Math.Min(int.MaxValue, number * 10 + text[at] - '0');
            return at == from ? null : (int)number;
        }
    }

    TemplateException Unknown(string type) => TemplateException.Value($"Unknown format code '{Type}' for object of type '{type}'");

    string OfText(string text, Budget budget)
    {
        if (Type is not (' ' or 's')) throw Unknown("str");
        if (Align == '=' && Fill != "0") throw TemplateException.Value("'=' alignment not allowed in string format specifier");
        if (Precision is { } most) text = text[..Sequences.Offset(text, most)];
        return Padded("", text, Align is ' ' or '=' ? '<' : Align, budget);
    }

    string OfInteger(BigInteger integer, Budget budget)
    {
        if (Type is 'e' or 'E' or 'f' or 'F' or 'g' or 'G' or '%') return OfFloat((double)integer, budget);
        if (Type == 's') throw Unknown("int");
        if (Type == 'c') return Padded("", char.ConvertFromUtf32((int)integer), Align == ' ' ? '<' : Align, budget);
        if (Precision is not null) throw TemplateException.Value("Precision not allowed in integer format specifier");
        var digits = NumberFormat.Integer(BigInteger.Abs(integer), Type == ' ' ? 'd' : Type);
        if (Grouping != ' ') digits = NumberFormat.Grouped(digits, Grouping);
        var prefix = IsAlternate && Type is 'x' or 'X' or 'o' or 'b' ? $"0{Type}" : "";
        return Padded(SignOf(integer.Sign < 0) + prefix, digits, Align == ' ' ? '>' : Align, budget);
    }

    string OfFloat(double number, Budget budget)
    {
        if (Type is not (' ' or 'e' or 'E' or 'f' or 'F' or 'g' or 'G' or 'n' or '%')) throw Unknown("float");
        var size = Math.Abs(number);
        var text = Type switch
        {
            '%' => NumberFormat.Float(size * 100, 'f', Precision ?? 6) + "%",
            ' ' when Precision is null => Repr.OfNumber(size),
            ' ' => Short(size),
            _ => NumberFormat.Float(size, Type, Precision ?? 6, IsAlternate),
        };
        if (char.IsUpper(Type)) text = text.ToUpperInvariant();
        if (Grouping != ' ') text = NumberFormat.Grouped(text, Grouping);
        return Padded(SignOf(double.IsNegative(number) && !double.IsNaN(number)), text, Align == ' ' ? '>' : Align, budget);
    }

    // Without a type it is `g` with at least one digit behind the point.
    string Short(double size)
    {
        var text = NumberFormat.Float(size, 'g', Precision!.Value);
        return text.AsSpan().IndexOfAny('.', 'e', 'n') < 0 ? text + ".0" : text;
    }

    string SignOf(bool isNegative) => isNegative ? "-" : Sign == '+' ? "+" : "";

    string Padded(string sign, string text, char align, Budget budget)
    {
        if (align == '=') return sign + StringMethods.Pad(text, Width - sign.Length, Fill, "rjust", budget);
        if (align != '^') return StringMethods.Pad(sign + text, Width, Fill, align == '<' ? "ljust" : "rjust", budget);
        // The odd blank goes to the right here.
        var missing = Math.Max(0, Width - Sequences.Length(sign + text));
        var left = StringMethods.Pad(sign + text, Width - missing + missing / 2, Fill, "rjust", budget);
        return StringMethods.Pad(left, Width, Fill, "ljust", budget);
    }
}
