using System.Numerics;
using System.Text;

namespace Millrace.Inference.Templates.Values;

/// <summary>Going through values, their length, elements and slices. Texts are sequences of code points.</summary>
static class Sequences
{
    public static IEnumerable<object> Iterate(object value) => TryIterate(value)
        ?? throw TemplateException.Type($"{Repr.OfText(PyType.Name(value))} object is not iterable");

    public static IEnumerable<object>? TryIterate(object value) => value switch
    {
        string text => Characters(text),
        Markup markup => Characters(markup.Text),
        PyList list => list.Elements,
        PyTuple tuple => tuple.Elements,
        PyDict dict => dict.Keys,
        DictView view => view.Elements,
        PyRange range => range.Elements,
        Generator generator => generator.Rest(),
        PyBytes bytes => bytes.Bytes.Select(b => (object)new BigInteger(b)),
        Undefined => [],
        _ => null,
    };

    public static List<object> ToList(object value, Budget budget)
    {
        var list = new List<object>();
        foreach (var element in Iterate(value))
        {
            budget.Step();
            list.Add(element);
        }

        return list;
    }

    static IEnumerable<object> Characters(string text)
    {
        for (var i = 0; i < text.Length;)
        {
            var length = char.IsSurrogatePair(text, i) ? 2 : 1;
            yield return text.Substring(i, length);
            i += length;
        }
    }

    /// <summary>Length; null where a value has none.</summary>
    public static int? Count(object value) => value switch
    {
        string text => Length(text),
        Markup markup => Length(markup.Text),
        PyList list => list.Elements.Count,
        PyTuple tuple => tuple.Elements.Count,
        PyDict dict => dict.Count,
        DictView view => view.Dict.Count,
        PyRange range => range.Count,
        PyBytes bytes => bytes.Bytes.Length,
        Undefined => 0,
        _ => null,
    };

    /// <summary>Code points.</summary>
    public static int Length(string text)
    {
        if (!HasPairs(text)) return text.Length;
        var count = 0;
        for (var i = 0; i < text.Length; i += char.IsSurrogatePair(text, i) ? 2 : 1) count++;
        return count;
    }

    public static bool HasPairs(string text) => text.AsSpan().IndexOfAnyInRange('\ud800', '\udbff') >= 0;

    /// <summary>The UTF-16 index of a code point.</summary>
    public static int Offset(string text, int codePoint)
    {
        if (!HasPairs(text)) return Math.Min(codePoint, text.Length);
        var offset = 0;
        for (; codePoint > 0 && offset < text.Length; codePoint--) offset += char.IsSurrogatePair(text, offset) ? 2 : 1;
        return offset;
    }

    /// <summary>The element at an index of Python's (negative ones count from the end); null where there is none.</summary>
    public static object? At(object value, BigInteger index)
    {
        if (value is DictView || Count(value) is not { } count) return null;
        if (index.Sign < 0) index += count;
        if (index.Sign < 0 || index >= count) return null;
        var i = (int)index;
        return value switch
        {
            string text => Character(text, i),
            Markup markup => new Markup(Character(markup.Text, i)),
            PyList list => list.Elements[i],
            PyTuple tuple => tuple.Elements[i],
            PyRange range => range[i],
            PyBytes bytes => new BigInteger(bytes.Bytes[i]),
            _ => null,
        };
    }

    static string Character(string text, int index)
    {
        var offset = Offset(text, index);
        return text.Substring(offset, char.IsSurrogatePair(text, offset) ? 2 : 1);
    }

    public static object Slice(object value, object start, object stop, object step, Budget budget)
    {
        if (value is Undefined missing) throw missing.Error;
        if (value is not (string or Markup or PyList or PyTuple or PyRange))
        {
            throw TemplateException.Type(value is PyDict ? "unhashable type: 'slice'"
                : $"{Repr.OfText(PyType.Name(value))} object is not subscriptable");
        }

        var indices = Indices(Count(value)!.Value, Bound(start), Bound(stop), Bound(step));
        budget.Make(indices.Count);
        return value switch
        {
            string text => SliceText(text, indices),
            Markup markup => new Markup(SliceText(markup.Text, indices)),
            PyTuple tuple => new PyTuple(Pick(tuple.Elements)),
            PyRange range => new PyRange(
                indices.Start * range.Step + range.Start, indices.Stop * range.Step + range.Start, indices.Step * range.Step),
            _ => new PyList(Pick(((PyList)value).Elements)),
        };

        object[] Pick(IReadOnlyList<object> elements) => [.. indices.Elements.Select(i => elements[(int)(BigInteger)i])];

        static BigInteger? Bound(object bound) => bound is None ? null : PyType.Integer(bound)
            ?? throw TemplateException.Type("slice indices must be integers or None or have an __index__ method");
    }

    static PyRange Indices(int count, BigInteger? start, BigInteger? stop, BigInteger? step)
    {
        var by = step ?? 1;
        if (by.IsZero) throw TemplateException.Value("slice step cannot be zero");
        var (low, high) = by.Sign > 0 ? (0, count) : (-1, count - 1);
        return new(Clamp(start ?? (by.Sign > 0 ? 0 : count)), stop is null && by.Sign < 0 ? -1 : Clamp(stop ?? count), by);

        BigInteger Clamp(BigInteger index) => BigInteger.Max(low, BigInteger.Min(high, index.Sign < 0 ? index + count : index));
    }

    static string SliceText(string text, PyRange indices)
    {
        if (indices.Step.IsOne)
        {
            if (indices.Count == 0) return "";
            var from = Offset(text, (int)indices.Start);
            return text[from..Offset(text, (int)indices.Stop)];
        }

        var characters = Characters(text).ToArray();
        var built = new StringBuilder();
        foreach (var i in indices.Elements) built.Append((string)characters[(int)(BigInteger)i]);
        return built.ToString();
    }
}
