using System.Globalization;
using System.Numerics;
using System.Text;
using System.Text.Json;
using Millrace.Inference.Templates.Values;

namespace Millrace.Inference.Templates.Formatting;

/// <summary>How <c>tojson</c> writes.</summary>
sealed record JsonStyle(bool IsAscii, string? Indent, string Comma, string Colon, bool SortsKeys);

/// <summary>Values as JSON, and JSON as values.</summary>
sealed class JsonText
{
    readonly StringBuilder _built = new();
    readonly JsonStyle _style;
    readonly Budget _budget;

    JsonText(JsonStyle style, Budget budget) => (_style, _budget) = (style, budget);

    public static string Write(object value, JsonStyle style, Budget budget)
    {
        var json = new JsonText(style, budget);
        json.Write(value, 0);
        return json._built.ToString();
    }

    void Add(string text)
    {
        _budget.CheckLength((long)_built.Length + text.Length);
        _budget.Step(text.Length / 8);
        _built.Append(text);
    }

    void Write(object value, int depth)
    {
        using var level = Level.Enter();
        _budget.Step();
        switch (value)
        {
            case string or Markup:
                WriteText(PyType.Text(value)!);
                break;
            case PyList list:
                WriteAll('[', list.Elements, element => Write(element, depth + 1), ']', depth);
                break;
            case PyTuple tuple:
                WriteAll('[', tuple.Elements, element => Write(element, depth + 1), ']', depth);
                break;
            case PyDict dict:
                WriteAll('{', Entries(dict), entry => WriteEntry(entry, depth + 1), '}', depth);
                break;
            default:
                Add(Scalar(value)
                    ?? throw TemplateException.Type($"Object of type {PyType.Name(value)} is not JSON serializable"));
                break;
        }
    }

    static string? Scalar(object value) => value switch
    {
        None => "null",
        bool flag => flag ? "true" : "false",
        BigInteger integer => Repr.OfInteger(integer),
        double.NaN => "NaN",
        double.PositiveInfinity => "Infinity",
        double.NegativeInfinity => "-Infinity",
        double number => Repr.OfNumber(number),
        _ => null,
    };

    List<KeyValuePair<object, object>> Entries(PyDict dict)
    {
        var entries = dict.Entries.ToList();
        _budget.Step(entries.Count);
        return _style.SortsKeys ? [.. entries.Order(Comparer<KeyValuePair<object, object>>.Create(
            static (left, right) => Equality.Compare(left.Key, right.Key, "<") ?? 0))] : entries;
    }

    void WriteEntry(KeyValuePair<object, object> entry, int depth)
    {
        WriteText(PyType.Text(entry.Key) ?? Scalar(entry.Key)
            ?? throw TemplateException.Type($"keys must be str, int, float, bool or None, not {PyType.Name(entry.Key)}"));
        Add(_style.Colon);
        Write(entry.Value, depth);
    }

    void WriteAll<T>(char open, IReadOnlyCollection<T> elements, Action<T> write, char close, int depth)
    {
        _built.Append(open);
        var isFirst = true;
        foreach (var element in elements)
        {
            if (!isFirst) Add(_style.Comma);
            isFirst = false;
            StartLine(depth + 1);
            write(element);
        }

        if (!isFirst) StartLine(depth);
        _built.Append(close);
    }

    void StartLine(int depth)
    {
        if (_style.Indent is not { } indent) return;
        _budget.Make((long)indent.Length * depth);
        Add("\n" + string.Concat(Enumerable.Repeat(indent, depth)));
    }

    void WriteText(string text)
    {
        _built.Append('"');
        var from = 0;
        for (var i = 0; i < text.Length; i++)
        {
            var c = text[i];
            if (c is >= ' ' and not ('"' or '\\') && (c < 0x7f || !_style.IsAscii)) continue;
            Add(text[from..i]);
            Add(c switch
            {
                '"' => "\\\"",
                '\\' => "\\\\",
                '\n' => "\\n",
                '\r' => "\\r",
                '\t' => "\\t",
                '\b' => "\\b",
                '\f' => "\\f",
                _ => $"\\u{(int)c:x4}",
            });
            from = i + 1;
        }

        Add(text[from..]);
        _built.Append('"');
    }

    /// <summary>JSON as a template's value: integers of any size stay integers.</summary>
    public static object Read(JsonElement json) => json.ValueKind switch
    {
        JsonValueKind.Null or JsonValueKind.Undefined => None.Value,
        JsonValueKind.True => true,
        JsonValueKind.False => false,
        JsonValueKind.String => json.GetString()!,
        JsonValueKind.Number => ReadNumber(json.GetRawText()),
        JsonValueKind.Array => new PyList([.. json.EnumerateArray().Select(Read)]),
        _ => ReadObject(json),
    };

    static object ReadNumber(string text)
    {
        if (text.AsSpan().IndexOfAny('.', 'e', 'E') >= 0) return double.Parse(text, CultureInfo.InvariantCulture);
        return Numerals.Integer(text, 10) ?? throw TemplateException.Value("a number has too many digits");
    }

    static PyDict ReadObject(JsonElement json)
    {
        var dict = new PyDict();
        foreach (var property in json.EnumerateObject()) dict[property.Name] = Read(property.Value);
        return dict;
    }
}
