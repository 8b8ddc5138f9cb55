using System.Numerics;
using System.Text;
using Millrace.Inference.Templates.Values;

namespace Millrace.Inference.Templates.Formatting;

/// <summary><c>format % values</c>.</summary>
sealed class PercentFormat
{
    readonly string _format;
    readonly object _values;
    readonly bool _escapes;
    readonly Budget _budget;
    readonly IReadOnlyList<object>? _tuple;
    readonly StringBuilder _built = new();
    int _at;
    int _used;

    PercentFormat(string format, object values, bool escapes, Budget budget)
    {
        (_format, _values, _escapes, _budget) = (format, values, escapes, budget);
        _tuple = (values as PyTuple)?.Elements;
    }

    public static string Apply(string format, object values, bool escapes, Budget budget)
    {
        var run = new PercentFormat(format, values, escapes, budget);
        run.Run();
        return run._built.ToString();
    }

    readonly record struct Directive(string Flags, int Width, int? Precision, char Conversion)
    {
        public bool Has(char flag) => Flags.Contains(flag, StringComparison.Ordinal);
    }

    void Run()
    {
        for (; _at < _format.Length; _at++)
        {
            if (_format[_at] != '%') _built.Append(_format[_at]);
            else Convert();
        }

        var isComplete = _tuple is not null ? _used >= _tuple.Count
            : _used > 0 || _values is PyDict or PyList or Namespace;
        if (!isComplete) throw TemplateException.Type("not all arguments converted during string formatting");
    }

    void Convert()
    {
        _at++;
        object? keyed = Peek() == '(' ? Keyed() : null;
        var from = _at;
        while (Peek() is '-' or '+' or ' ' or '#' or '0') _at++;
        var flags = _format[from.._at];
        var width = Number() ?? 0;
        if (width < 0) (width, flags) = (-width, flags + "-");
        int? precision = null;
        if (Peek() == '.')
        {
            _at++;
            precision = Math.Max(0, Number() ?? 0);
        }

        while (Peek() is 'h' or 'l' or 'L') _at++;
        if (_at >= _format.Length) throw TemplateException.Value("incomplete format");
        var directive = new Directive(flags, width, precision, _format[_at]);
        var text = directive.Conversion == '%' ? "%" : Converted(directive, keyed ?? NextValue());
        _budget.CheckLength((long)_built.Length + text.Length);
        _budget.Step(1 + text.Length / 8);
        _built.Append(text);
    }

    char Peek() => _at < _format.Length ? _format[_at] : '\0';

    object Keyed()
    {
        var end = _format.IndexOf(')', _at);
        if (end < 0) throw TemplateException.Value("incomplete format key");
        var key = _format[(_at + 1)..end];
        _at = end + 1;
        if (_values is not PyDict dict) throw TemplateException.Type("format requires a mapping");
        _used++;
        return dict.Find(key) ?? throw new TemplateException("KeyError", Repr.OfText(key));
    }

    int? Number()
    {
        if (Peek() == '*')
        {
            _at++;
            return Arguments.Int(NextValue(), 0);
        }

        var from = _at;
        long number = 0;
        for (; char.IsAsciiDigit(Peek()); _at++) number = Math.Min(int.MaxValue, number * 10 + (Peek() - '0'));
        return _at == from ? null : (int)number;
    }

    object NextValue()
    {
        if (_tuple is null ? _used > 0 : _used >= _tuple.Count) throw TemplateException.Type("not enough arguments for format string");
        return _tuple is null ? Only() : _tuple[_used++];

        object Only()
        {
            _used++;
            return _values;
        }
    }

    string Converted(Directive directive, object value)
    {
        switch (directive.Conversion)
        {
            case 's':
            case 'r':
            case 'a':
                var text = directive.Conversion == 's' ? Repr.Text(value, _budget) : Repr.OfValue(value, _budget);
                if (_escapes && value is not Markup) text = Markup.Escape(text);
                if (directive.Precision is { } most) text = text[..Sequences.Offset(text, most)];
                return Padded(text, directive);
            case 'c':
                return Padded(Character(value), directive);
            case 'd' or 'i' or 'u' or 'x' or 'X' or 'o':
                return WithSign(directive, IntegerOf(directive, value));
            case 'e' or 'E' or 'f' or 'F' or 'g' or 'G':
                return WithSign(directive, FloatOf(directive, value));
            default:
                var letter = directive.Conversion;
                throw TemplateException.Value($"unsupported format character '{letter}' (0x{(int)letter:x}) at index {_at}");
        }
    }

    static string Character(object value) => PyType.Text(value) is { } text && Sequences.Length(text) == 1 ? text
        : PyType.Integer(value) is { } code && code >= 0 && code <= 0x10ffff
            ? code > 0xffff ? char.ConvertFromUtf32((int)code) : ((char)(int)code).ToString()
            : throw TemplateException.Type("%c requires int or char");

    static (bool, string) IntegerOf(Directive directive, object value)
    {
        var takesFloat = directive.Conversion is 'd' or 'i' or 'u';
        var integer = PyType.Integer(value) ?? (takesFloat && value is double number ? Numerals.Truncate(number) : null);
        if (integer is not { } whole)
        {
            var wanted = takesFloat ? "a real number" : "an integer";
            throw TemplateException.Type($"%{directive.Conversion} format: {wanted} is required, not {PyType.Name(value)}");
        }

        var digits = NumberFormat.Integer(BigInteger.Abs(whole), directive.Conversion);
        if (directive.Precision is { } least and <= 10_000) digits = digits.PadLeft(least, '0');
        if (directive.Has('#') && !takesFloat) digits = $"0{directive.Conversion}{digits}";
        return (whole.Sign < 0, digits);
    }

    static (bool, string) FloatOf(Directive directive, object value)
    {
        if (PyType.Number(value) is not { } number) throw TemplateException.Type($"must be real number, not {PyType.Name(value)}");
        var text = NumberFormat.Float(Math.Abs(number), directive.Conversion, directive.Precision ?? 6, directive.Has('#'));
        return (double.IsNegative(number) && !double.IsNaN(number),
            char.IsUpper(directive.Conversion) ? text.ToUpperInvariant() : text);
    }

    string WithSign(Directive directive, (bool IsNegative, string Digits) number)
    {
        var sign = number.IsNegative ? "-" : directive.Has('+') ? "+" : directive.Has(' ') ? " " : "";
        if (!directive.Has('0') || directive.Has('-')) return Padded(sign + number.Digits, directive);
        return sign + StringMethods.Pad(number.Digits, directive.Width - sign.Length, "0", "rjust", _budget);
    }

    string Padded(string text, Directive directive) =>
        StringMethods.Pad(text, directive.Width, " ", directive.Has('-') ? "ljust" : "rjust", _budget);
}
