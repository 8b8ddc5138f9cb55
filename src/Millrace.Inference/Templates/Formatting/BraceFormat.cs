using System.Numerics;
using System.Text;
using Millrace.Inference.Templates.Values;

namespace Millrace.Inference.Templates.Formatting;

/// <summary><c>text.format(…)</c>: fields by position and name, attributes and keys, conversions and format specifications.</summary>
sealed class BraceFormat(Arguments arguments, bool escapes, Budget budget)
{
    int _next;

    public static string Apply(string format, Arguments arguments, bool escapes, Budget budget) =>
        new BraceFormat(arguments, escapes, budget).Run(format, 2);

    string Run(string format, int depth)
    {
        if (depth == 0) throw TemplateException.Value("Max string recursion exceeded");
        var built = new StringBuilder();
        for (var at = 0; at < format.Length; at++)
        {
            var c = format[at];
            if (c is not ('{' or '}'))
            {
                built.Append(c);
            }
            else if (at + 1 < format.Length && format[at + 1] == c)
            {
                built.Append(c);
                at++;
            }
            else if (c == '}')
            {
                throw TemplateException.Value("Single '}' encountered in format string");
            }
            else
            {
                var end = FieldEnd(format, at);
                StringMethods.Append(built, "", Field(format[(at + 1)..end], depth), budget);
                at = end;
            }
        }

        return built.ToString();
    }

    static int FieldEnd(string format, int from)
    {
        var depth = 0;
        for (var at = from; at < format.Length; at++)
        {
            if (format[at] == '{') depth++;
            if (format[at] == '}' && --depth == 0) return at;
        }

        throw TemplateException.Value("expected '}' before end of string");
    }

    string Field(string field, int depth)
    {
        var colon = field.IndexOf(':', StringComparison.Ordinal);
        var (name, specification) = colon < 0 ? (field, "") : (field[..colon], field[(colon + 1)..]);
        var conversion = name.Length > 1 && name[^2] == '!' ? name[^1] : ' ';
        if (conversion != ' ') name = name[..^2];
        var value = Lookup(name);
        value = conversion switch
        {
            ' ' => value,
            'r' or 'a' => Repr.OfValue(value, budget),
            's' => Repr.Text(value, budget),
            _ => throw TemplateException.Value($"Unknown conversion specifier {conversion}"),
        };
        var text = FormatSpecification.Apply(value, Run(specification, depth - 1 + (specification.Length == 0 ? 1 : 0)), budget);
        return escapes && value is not Markup ? Markup.Escape(text) : text;
    }

    object Lookup(string name)
    {
        var end = name.AsSpan().IndexOfAny('.', '[');
        var first = end < 0 ? name : name[..end];
        var value = First(first);
        for (var at = first.Length; at < name.Length;)
        {
            if (name[at] == '.')
            {
                var stop = name.AsSpan(at + 1).IndexOfAny('.', '[') is var next && next < 0 ? name.Length : at + 1 + next;
                value = Members.Attribute(value, name[(at + 1)..stop], budget);
                at = stop;
                continue;
            }

            var close = name.IndexOf(']', at);
            if (name[at] != '[' || close < 0) throw TemplateException.Value("Missing ']' in format string");
            var key = name[(at + 1)..close];
            value = Members.Element(value, int.TryParse(key, out var index) && index >= 0 ? (BigInteger)index : key, budget);
            at = close + 1;
        }

        return value;
    }

    object First(string name)
    {
        if (name.Length == 0 || name.All(char.IsAsciiDigit))
        {
            var index = name.Length == 0 ? _next++ : int.TryParse(name, out var number) ? number : int.MaxValue;
            return index < arguments.Positional.Count ? arguments.Positional[index]
                : throw new TemplateException("IndexError", "Replacement index out of range for positional args tuple");
        }

        return arguments.Find(name) ?? throw new TemplateException("KeyError", Repr.OfText(name));
    }
}
