using System.Numerics;

namespace Millrace.Inference.Templates.Values;

// A template's values: bool, BigInteger, double, string (code points of UTF-16), and the classes below. C#'s null is none of them.

/// <summary><c>None</c>.</summary>
sealed class None
{
    public static readonly None Value = new();
}

/// <summary>A text that counts as escaped: what is added to it is HTML-escaped.</summary>
sealed record Markup(string Text)
{
    public static string Escape(string text) => text
        .Replace("&", "&amp;", StringComparison.Ordinal).Replace("<", "&lt;", StringComparison.Ordinal)
        .Replace(">", "&gt;", StringComparison.Ordinal).Replace("'", "&#39;", StringComparison.Ordinal)
        .Replace("\"", "&#34;", StringComparison.Ordinal);
}

/// <summary>A list; nothing in a template may change one.</summary>
sealed class PyList(IReadOnlyList<object> elements)
{
    public IReadOnlyList<object> Elements { get; } = elements;
}

/// <summary>A tuple. Groups of <c>groupby</c> have names for their two elements.</summary>
sealed class PyTuple(params IReadOnlyList<object> elements)
{
    public IReadOnlyList<object> Elements { get; } = elements;

    public bool IsGroup { get; init; }
}

/// <summary>A dict: keeps the order of insertion; 1, 1.0 and True are one key.</summary>
sealed class PyDict
{
    readonly OrderedDictionary<object, object> _entries = new(Equality.Keys);

    public int Count => _entries.Count;

    public IEnumerable<object> Keys => _entries.Keys;

    public IEnumerable<object> Values => _entries.Values;

    public IEnumerable<KeyValuePair<object, object>> Entries => _entries;

    public object this[object key]
    {
        set => _entries[key] = value;
    }

    public object? Find(object key) => _entries.GetValueOrDefault(key);

    public PyDict Copy()
    {
        var copy = new PyDict();
        foreach (var (key, value) in _entries) copy[key] = value;
        return copy;
    }
}

/// <summary>What a dict's <c>keys()</c>, <c>values()</c> and <c>items()</c> give.</summary>
sealed record DictView(PyDict Dict, string Part)
{
    public IEnumerable<object> Elements => Part switch
    {
        "keys" => Dict.Keys,
        "values" => Dict.Values,
        _ => Dict.Entries.Select(entry => new PyTuple(entry.Key, entry.Value)),
    };
}

/// <summary><c>range</c>, with few enough elements to count in an int.</summary>
sealed record PyRange(BigInteger Start, BigInteger Stop, BigInteger Step)
{
    public int Count
    {
        get
        {
            var span = Step.Sign > 0 ? Stop - Start : Start - Stop;
            return span.Sign <= 0 ? 0 : (int)((span - 1) / BigInteger.Abs(Step) + 1);
        }
    }

    public object this[int index] => Start + Step * index;

    public IEnumerable<object> Elements => Enumerable.Range(0, Count).Select(i => this[i]);
}

/// <summary>A lazy sequence: can be gone through once, and has neither length nor index.</summary>
sealed class Generator(IEnumerable<object> source, Budget budget, string type = "generator")
{
    readonly IEnumerator<object> _source = source.GetEnumerator();

    public string Type { get; } = type;

    public IEnumerable<object> Rest()
    {
        while (Next()) yield return _source.Current;
    }

    bool Next()
    {
        // Generators over generators are as deep as a loop made them.
        using var level = Level.Enter();
        budget.Step();
        return _source.MoveNext();
    }
}

/// <summary>A name, key or element that is not there. Most uses of it are an error with its text.</summary>
sealed class Undefined(string text, string kind = "UndefinedError")
{
    public TemplateException Error => new(kind, text);

    public static Undefined Name(string name) => new($"{Repr.OfText(name)} is undefined");

    public static Undefined Member(object owner, object name) => new(
        name is string text ? $"{Repr.OfText(PyType.Described(owner))} has no attribute {Repr.OfText(text)}"
        : $"{PyType.Described(owner)} has no element {Repr.Of(name)}");

    public static Undefined Unsafe(object owner, string name) => new(
        $"access to attribute {Repr.OfText(name)} of {Repr.OfText(PyType.Name(owner))} object is unsafe.", "SecurityError");
}

/// <summary><c>namespace(…)</c>: the one thing that a template may change.</summary>
sealed class Namespace
{
    public PyDict Fields { get; } = new();

    public void Set(object name, object value)
    {
        if (name is string text && text.StartsWith('_'))
        {
            throw new TemplateException(
                "SecurityError",
                $"Chat templates cannot store underscore-prefixed attributes on a namespace, but got {Repr.OfText(text)}."
                + " Please rename the attribute.");
        }

        Fields[name] = value;
    }
}

/// <summary>A function or a bound method. <paramref name="Type"/> is the name of its type in messages.</summary>
sealed record Callable(Func<Arguments, object> Call, string Type = "builtin_function_or_method");

/// <summary>Bytes, as <c>encode</c> gives them.</summary>
sealed record PyBytes(byte[] Bytes);

/// <summary><c>cycler</c>: goes round its values.</summary>
sealed class Cycler(IReadOnlyList<object> values)
{
    int _at;

    public object Current => values[_at];

    public object Next()
    {
        var current = Current;
        _at = (_at + 1) % values.Count;
        return current;
    }

    public void Reset() => _at = 0;
}
