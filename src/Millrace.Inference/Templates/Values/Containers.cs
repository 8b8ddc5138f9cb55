using System.Numerics;

namespace Millrace.Inference.Templates.Values;

/// <summary>Methods of dicts that change nothing.</summary>
static class DictMethods
{
    public static object? Find(PyDict dict, string name, Budget budget) => name switch
    {
        "items" or "keys" or "values" => new Callable(arguments =>
        {
            arguments.Bind(name);
            return new DictView(dict, name);
        }),
        "get" => new Callable(arguments => Get(dict, arguments)),
        "copy" => new Callable(_ =>
        {
            budget.Make(dict.Count * 8L);
            return dict.Copy();
        }),
        "fromkeys" => new Callable(arguments => FromKeys(arguments, budget)),
        _ => null,
    };

    static object Get(PyDict dict, Arguments arguments)
    {
        if (arguments.Positional.Count is not (1 or 2) || arguments.Named.Count > 0)
        {
            throw TemplateException.Type(arguments.Positional.Count == 0 ? "get expected at least 1 argument, got 0"
                : $"get expected at most 2 arguments, got {arguments.Positional.Count}");
        }

        return dict.Find(arguments.Positional[0]) ?? (arguments.Positional.Count == 2 ? arguments.Positional[1] : None.Value);
    }

    public static PyDict FromKeys(Arguments arguments, Budget budget)
    {
        var bound = arguments.Bind("fromkeys", "iterable", "value?");
        var dict = new PyDict();
        foreach (var key in Sequences.ToList(bound[0]!, budget)) dict[key] = bound[1] ?? None.Value;
        return dict;
    }

    /// <summary><c>dict(…)</c>: another dict's entries or pairs, then named ones.</summary>
    public static PyDict Make(Arguments arguments, Budget budget)
    {
        var dict = new PyDict();
        if (arguments.Positional.Count > 1)
            throw TemplateException.Type($"dict expected at most 1 argument, got {arguments.Positional.Count}");
        if (arguments.Positional.Count == 1) AddEntries(dict, arguments.Positional[0], budget);
        foreach (var (name, value) in arguments.Named) dict[name] = value;
        return dict;
    }

    static void AddEntries(PyDict dict, object source, Budget budget)
    {
        if (source is PyDict other)
        {
            budget.Make(other.Count * 8L);
            foreach (var (key, value) in other.Entries) dict[key] = value;
            return;
        }

        var index = 0;
        foreach (var pair in Sequences.Iterate(source))
        {
            budget.Step();
            if (Sequences.TryIterate(pair) is not { } parts)
                throw TemplateException.Type($"cannot convert dictionary update sequence element #{index} to a sequence");
            var elements = parts.Take(3).ToArray();
            if (elements.Length != 2)
            {
                throw TemplateException.Value(
                    $"dictionary update sequence element #{index} has length {elements.Length}; 2 is required");
            }

            dict[elements[0]] = elements[1];
            index++;
        }
    }
}

/// <summary>Methods of lists and tuples that change nothing.</summary>
static class ListMethods
{
    public static object? Find(PyList list, string name, Budget budget) => name switch
    {
        "count" => new Callable(arguments =>
        {
            var wanted = arguments.Bind("count", "value")[0]!;
            budget.Step(list.Elements.Count);
            return (BigInteger)list.Elements.Count(element => Equality.Same(element, wanted));
        }),
        "index" => new Callable(arguments => Index(list, arguments, budget)),
        "copy" => new Callable(_ => list),
        _ => null,
    };

    static BigInteger Index(PyList list, Arguments arguments, Budget budget)
    {
        var bound = arguments.Bind("index", "value", "start?", "stop?");
        var (from, to) = (Clamp(Arguments.Int(bound[1], 0)), Clamp(Arguments.Int(bound[2], int.MaxValue)));
        for (var i = from; i < to; i++)
        {
            budget.Step();
            if (Equality.Same(list.Elements[i], bound[0]!)) return (BigInteger)i;
        }

        throw TemplateException.Value($"{Repr.Of(bound[0]!)} is not in list");

        int Clamp(int at) => Math.Clamp(at < 0 ? at + list.Elements.Count : at, 0, list.Elements.Count);
    }
}
