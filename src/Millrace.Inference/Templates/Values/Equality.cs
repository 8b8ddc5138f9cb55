using System.Numerics;

namespace Millrace.Inference.Templates.Values;

/// <summary><c>==</c>, hashing and order.</summary>
static class Equality
{
    public static readonly IEqualityComparer<object> Keys = new KeyComparer();

    public static bool Same(object left, object right)
    {
        using var level = Level.Enter();
        if (PyType.Text(left) is { } text) return PyType.Text(right) is { } other && text == other;
        if (PyType.Number(left) is not null) return PyType.Number(right) is not null && CompareNumbers(left, right) == 0;
        return (left, right) switch
        {
            (PyList a, PyList b) => SameElements(a.Elements, b.Elements),
            (PyTuple a, PyTuple b) => SameElements(a.Elements, b.Elements),
            (PyDict a, PyDict b) => SameEntries(a, b),
            (PyRange a, PyRange b) => SameElements([.. a.Elements], [.. b.Elements]),
            (PyBytes a, PyBytes b) => a.Bytes.AsSpan().SequenceEqual(b.Bytes),
            (Undefined, Undefined) => true,
            _ => ReferenceEquals(left, right),
        };
    }

    static bool SameElements(IReadOnlyList<object> left, IReadOnlyList<object> right)
    {
        if (left.Count != right.Count) return false;
        for (var i = 0; i < left.Count; i++)
        {
            if (!Same(left[i], right[i])) return false;
        }

        return true;
    }

    static bool SameEntries(PyDict left, PyDict right) =>
        left.Count == right.Count && left.Entries.All(entry => right.Find(entry.Key) is { } value && Same(entry.Value, value));

    /// <summary>Null where one is no number (NaN).</summary>
    static int? CompareNumbers(object left, object right)
    {
        if (PyType.Integer(left) is { } a && PyType.Integer(right) is { } b) return a.CompareTo(b);
        var (x, y) = (PyType.Number(left)!.Value, PyType.Number(right)!.Value);
        if (double.IsNaN(x) || double.IsNaN(y)) return null;
        if (!double.IsFinite(x) || !double.IsFinite(y)) return x.CompareTo(y);
        // An integer is compared with the float's exact value: a double of it may be rounded.
        if (PyType.Integer(left) is { } whole)
        {
            var order = whole.CompareTo(new BigInteger(Math.Floor(y)));
            return order == 0 ? x.CompareTo(y) : order;
        }

        return PyType.Integer(right) is null ? x.CompareTo(y) : -CompareNumbers(right, left);
    }

    /// <summary>Negative, zero or positive; null where nothing holds (NaN).</summary>
    /// <exception cref="TemplateException">The two have no order.</exception>
    public static int? Compare(object left, object right, string sign)
    {
        using var level = Level.Enter();
        if (left is Undefined missing) throw missing.Error;
        if (right is Undefined absent) throw absent.Error;
        if (PyType.Number(left) is not null && PyType.Number(right) is not null) return CompareNumbers(left, right);
        if (PyType.Text(left) is { } a && PyType.Text(right) is { } b) return CompareTexts(a, b);
        return (left, right) switch
        {
            (PyList x, PyList y) => CompareElements(x.Elements, y.Elements, sign),
            (PyTuple x, PyTuple y) => CompareElements(x.Elements, y.Elements, sign),
            _ => throw TemplateException.Type(
                $"'{sign}' not supported between instances of {Repr.OfText(PyType.Name(left))} and {Repr.OfText(PyType.Name(right))}"),
        };
    }

    static int? CompareElements(IReadOnlyList<object> left, IReadOnlyList<object> right, string sign)
    {
        for (var i = 0; i < Math.Min(left.Count, right.Count); i++)
        {
            if (!Same(left[i], right[i])) return Compare(left[i], right[i], sign);
        }

        return left.Count.CompareTo(right.Count);
    }

    /// <summary>By code points: a surrogate stands for one above all other UTF-16 units.</summary>
    static int CompareTexts(string left, string right)
    {
        var at = left.AsSpan().CommonPrefixLength(right);
        if (at == left.Length || at == right.Length) return left.Length.CompareTo(right.Length);
        return Rank(left[at]).CompareTo(Rank(right[at]));

        static int Rank(char c) => char.IsSurrogate(c) ? c + 0x10000 : c;
    }

    sealed class KeyComparer : IEqualityComparer<object>
    {
        bool IEqualityComparer<object>.Equals(object? left, object? right) => Same(left!, right!);

        public int GetHashCode(object value)
        {
            using var level = Level.Enter();
            if (PyType.Text(value) is { } text) return text.GetHashCode(StringComparison.Ordinal);
            if (PyType.Number(value) is { } number) return HashNumber(PyType.Integer(value), number);
            return value switch
            {
                PyTuple tuple => tuple.Elements.Aggregate(17, (hash, element) => HashCode.Combine(hash, GetHashCode(element))),
                PyList or PyDict => throw TemplateException.Type($"unhashable type: {Repr.OfText(PyType.Name(value))}"),
                Undefined => 1,
                PyRange range => range.Count,
                PyBytes bytes => bytes.Bytes.Length,
                _ => value.GetHashCode(),
            };
        }

        // Equal numbers hash alike whatever their type, and many unequal ones cannot be made to.
        static int HashNumber(BigInteger? integer, double number)
        {
            if (integer is { } whole && (!double.IsFinite(number) || new BigInteger(number) != whole)) return whole.GetHashCode();
            var bits = BitConverter.DoubleToInt64Bits(number + 0.0);
            return HashCode.Combine((int)bits, (int)(bits >> 32));
        }
    }
}
