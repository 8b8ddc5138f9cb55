using System.Globalization;
using System.Numerics;
using Millrace.Inference.Templates.Formatting;
using Millrace.Inference.Templates.Values;

namespace Millrace.Inference.Templates.Builtins;

/// <summary>Filters for numbers.</summary>
static class NumberFilters
{
    public static object Absolute(object value, Arguments arguments)
    {
        arguments.Bind("abs");
        if (value is double number) return Math.Abs(number);
        return PyType.Integer(value) is { } integer ? BigInteger.Abs(integer)
            : throw TemplateException.Type($"bad operand type for abs(): {Repr.OfText(PyType.Name(value))}");
    }

    public static object Int(object value, Arguments arguments)
    {
        var bound = arguments.Bind("int", "default?", "base?");
        if (value is Undefined missing) throw missing.Error;
        if (PyType.Integer(value) is { } integer) return integer;
        var number = value as double?;
        if (PyType.Text(value) is { } text)
        {
            var radix = Arguments.Int(bound[1], 10);
            if (radix is not (0 or (>= 2 and <= 36))) throw TemplateException.Value("int() base must be >= 2 and <= 36, or 0");
            if (Numerals.Integer(text, radix) is { } parsed) return parsed;
            number = Numerals.Float(text);
        }

        return number is { } real && double.IsFinite(real) ? Numerals.Truncate(real) : bound[0] ?? BigInteger.Zero;
    }

    public static object Float(object value, Arguments arguments)
    {
        var bound = arguments.Bind("float", "default?");
        if (value is Undefined missing) throw missing.Error;
        return PyType.Number(value) ?? (PyType.Text(value) is { } text ? Numerals.Float(text) : null) ?? bound[0] ?? 0.0;
    }

    public static object Round(object value, Arguments arguments)
    {
        var bound = arguments.Bind("round", "precision?", "method?");
        var precision = Math.Clamp(Arguments.Int(bound[0], 0), -400, 400);
        var method = bound[1] is null ? "common" : PyType.Text(bound[1]!);
        if (method is not ("common" or "ceil" or "floor"))
            throw new TemplateException("FilterArgumentError", "method must be common, ceil or floor");
        if (PyType.Number(value) is not { } number)
            throw TemplateException.Type($"type {PyType.Name(value)} doesn't define __round__ method");
        if (method == "common" && PyType.Integer(value) is { } integer) return RoundInteger(integer, precision);
        if (method == "common") return RoundFloat(number, precision);
        var scale = Math.Pow(10, precision);
        return (method == "ceil" ? Math.Ceiling(number * scale) : Math.Floor(number * scale)) / scale;
    }

    static double RoundFloat(double number, int precision)
    {
        if (!double.IsFinite(number)) return number;
        var digits = NumberFormat.Scaled(Math.Abs(number), precision);
        var text = $"{(double.IsNegative(number) ? "-" : "")}{digits}e{-precision}";
        return double.Parse(text, CultureInfo.InvariantCulture);
    }

    static BigInteger RoundInteger(BigInteger integer, int precision)
    {
        if (precision >= 0) return integer;
        var unit = BigInteger.Pow(10, -precision);
        return NumberFormat.Divided(BigInteger.Abs(integer), unit) * unit * integer.Sign;
    }

    public static object FileSize(object value, Arguments arguments)
    {
        var isBinary = Arguments.Flag(arguments.Bind("filesizeformat", "binary?")[0], false);
        var bytes = (double)Float(value, Arguments.None);
        double unit = isBinary ? 1024 : 1000;
        if (bytes == 1) return "1 Byte";
        if (bytes < unit) return $"{Numerals.Truncate(bytes)} Bytes";
        var prefixes = isBinary ? "KMGTPEZY" : "kMGTPEZY";
        var size = bytes / unit;
        var at = 0;
        for (; size >= unit && at < prefixes.Length - 1; at++) size /= unit;
        return $"{NumberFormat.Float(size, 'f', 1)} {prefixes[at]}{(isBinary ? "iB" : "B")}";
    }
}
