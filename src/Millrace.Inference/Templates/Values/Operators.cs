using System.Numerics;

namespace Millrace.Inference.Templates.Values;

/// <summary>Arithmetic, concatenation and membership.</summary>
static class Operators
{
    public static object Apply(string op, object left, object right, Budget budget)
    {
        if (op == "%" && PyType.Text(left) is { } format) return Percent(left, format, right, budget);
        if (left is Undefined missing) throw missing.Error;
        if (right is Undefined absent) throw absent.Error;
        if (op == "+" && Joined(left, right, budget) is { } joined) return joined;
        if (op == "*" && Repeated(left, right, budget) is { } repeated) return repeated;
        if (PyType.Integer(left) is { } a && PyType.Integer(right) is { } b) return OfIntegers(op, a, b);
        if (PyType.Number(left) is { } x && PyType.Number(right) is { } y) return OfFloats(op, x, y);
        var shown = op == "**" ? "** or pow()" : op;
        throw TemplateException.Type(op == "+" && left is string or PyList or PyTuple
            ? $"can only concatenate {PyType.Name(left)} (not \"{PyType.Name(right)}\") to {PyType.Name(left)}"
            : $"unsupported operand type(s) for {shown}: {Repr.OfText(PyType.Name(left))} and {Repr.OfText(PyType.Name(right))}");
    }

    static object Percent(object left, string format, object right, Budget budget)
    {
        var text = Formatting.PercentFormat.Apply(format, right, left is Markup, budget);
        return left is Markup ? new Markup(text) : text;
    }

    static object? Joined(object left, object right, Budget budget)
    {
        switch (left, right)
        {
            case (string a, string b):
                budget.Make((long)a.Length + b.Length);
                return a + b;
            case (Markup or string, Markup or string):
                var (escaped, added) = (Escaped(left), Escaped(right));
                budget.Make((long)escaped.Length + added.Length);
                return new Markup(escaped + added);
            case (PyList a, PyList b):
                budget.Make((long)a.Elements.Count + b.Elements.Count);
                return new PyList([.. a.Elements, .. b.Elements]);
            case (PyTuple a, PyTuple b):
                budget.Make((long)a.Elements.Count + b.Elements.Count);
                return new PyTuple([.. a.Elements, .. b.Elements]);
            default:
                return null;
        }
    }

    public static string Escaped(object value) => value is Markup markup ? markup.Text : Markup.Escape((string)value);

    static object? Repeated(object left, object right, Budget budget)
    {
        if (PyType.Integer(left) is not null && PyType.Integer(right) is null) (left, right) = (right, left);
        if (PyType.Integer(right) is not { } times || left is not (string or Markup or PyList or PyTuple)) return null;
        var count = PyType.Text(left)?.Length ?? Sequences.Count(left)!.Value;
        if (times.Sign < 0 || count == 0) times = 0;
        budget.Make((long)BigInteger.Min(times * count, long.MaxValue / 2));
        var repeats = (int)times;
        return left switch
        {
            string text => string.Concat(Enumerable.Repeat(text, repeats)),
            Markup markup => new Markup(string.Concat(Enumerable.Repeat(markup.Text, repeats))),
            PyTuple tuple => new PyTuple(Elements(tuple.Elements)),
            _ => new PyList(Elements(((PyList)left).Elements)),
        };

        object[] Elements(IReadOnlyList<object> elements) => [.. Enumerable.Repeat(elements, repeats).SelectMany(part => part)];
    }

    static object OfIntegers(string op, BigInteger left, BigInteger right)
    {
        switch (op)
        {
            case "+":
                return Bounded(left + right);
            case "-":
                return Bounded(left - right);
            case "*":
                return Bounded(left * right);
            case "**":
                return Power(left, right);
            case "/":
                return right.IsZero ? throw Zero("division by zero") : (double)left / (double)right;
        }

        if (right.IsZero) throw Zero(op == "%" ? "integer modulo by zero" : "integer division or modulo by zero");
        var quotient = BigInteger.DivRem(left, right, out var rest);
        var isBelow = !rest.IsZero && rest.Sign != right.Sign;
        return op == "%" ? isBelow ? rest + right : rest : isBelow ? quotient - 1 : quotient;
    }

    static BigInteger Bounded(BigInteger value) => value.GetBitLength() <= TemplateLimits.IntegerBitsMax ? value
        : throw TemplateException.Limit($"an integer has more than {TemplateLimits.IntegerBitsMax} bits");

    static object Power(BigInteger left, BigInteger right)
    {
        if (right.Sign < 0)
            return left.IsZero ? throw Zero("0.0 cannot be raised to a negative power") : Math.Pow((double)left, (double)right);
        var isSmall = BigInteger.Abs(left) <= 1;
        var isHuge = right > TemplateLimits.IntegerBitsMax || left.GetBitLength() * (long)right > 2 * TemplateLimits.IntegerBitsMax;
        if (isHuge && !isSmall) throw TemplateException.Limit($"an integer has more than {TemplateLimits.IntegerBitsMax} bits");
        return isSmall ? BigInteger.Pow(left, right.IsZero ? 0 : right.IsEven ? 2 : 1) : Bounded(BigInteger.Pow(left, (int)right));
    }

    static double OfFloats(string op, double left, double right) => op switch
    {
        "+" => left + right,
        "-" => left - right,
        "*" => left * right,
        "/" => right == 0 ? throw Zero("float division by zero") : left / right,
        "//" => right == 0 ? throw Zero("float floor division by zero") : Math.Floor((left - Modulo(left, right)) / right),
        "%" => right == 0 ? throw Zero("float modulo") : Modulo(left, right),
        _ => left == 0 && right < 0 ? throw Zero("0.0 cannot be raised to a negative power") : Math.Pow(left, right),
    };

    static double Modulo(double left, double right)
    {
        var rest = left % right;
        return rest != 0 && rest < 0 != right < 0 ? rest + right : rest;
    }

    static TemplateException Zero(string text) => new("ZeroDivisionError", text);

    public static object Negate(string op, object value) => value switch
    {
        Undefined missing => throw missing.Error,
        double number => op == "-" ? -number : number,
        _ when PyType.Integer(value) is { } integer => op == "-" ? -integer : integer,
        _ => throw TemplateException.Type($"bad operand type for unary {op}: {Repr.OfText(PyType.Name(value))}"),
    };

    public static bool Holds(string op, object left, object right, Budget budget)
    {
        budget.Step();
        return op switch
        {
            "==" => Equality.Same(left, right),
            "!=" => !Equality.Same(left, right),
            "in" => Contains(right, left, budget),
            "not in" => !Contains(right, left, budget),
            "<" => Equality.Compare(left, right, op) < 0,
            "<=" => Equality.Compare(left, right, op) <= 0,
            ">" => Equality.Compare(left, right, op) > 0,
            _ => Equality.Compare(left, right, op) >= 0,
        };
    }

    public static bool Contains(object container, object value, Budget budget)
    {
        if (PyType.Text(container) is { } text)
        {
            var part = PyType.Text(value)
                ?? throw TemplateException.Type($"'in <string>' requires string as left operand, not {PyType.Name(value)}");
            budget.Search(text, part);
            return text.Contains(part, StringComparison.Ordinal);
        }

        if (container is PyDict dict) return dict.Find(value) is not null;
        if (container is DictView { Part: "keys" } view) return view.Dict.Find(value) is not null;
        var elements = Sequences.TryIterate(container)
            ?? throw TemplateException.Type($"argument of type {Repr.OfText(PyType.Name(container))} is not iterable");
        foreach (var element in elements)
        {
            budget.Step();
            if (Equality.Same(element, value)) return true;
        }

        return false;
    }
}
