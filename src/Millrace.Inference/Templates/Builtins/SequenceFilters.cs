using System.Numerics;
using Millrace.Inference.Templates.Values;

namespace Millrace.Inference.Templates.Builtins;

/// <summary>Filters over elements. Most are lazy, as the reference's are.</summary>
static class SequenceFilters
{
    public static object First(Evaluator evaluator, object value)
    {
        evaluator.Budget.Step();
        return Sequences.Iterate(value).FirstOrDefault() ?? new Undefined("No first item, sequence was empty.");
    }

    public static object Last(Evaluator evaluator, object value)
    {
        if (value is Generator || Sequences.TryIterate(value) is null)
            throw TemplateException.Type($"{Repr.OfText(PyType.Name(value))} object is not reversible");
        return Sequences.ToList(value, evaluator.Budget).LastOrDefault() ?? new Undefined("No last item, sequence was empty.");
    }

    public static object Reverse(Evaluator evaluator, object value)
    {
        if (PyType.Text(value) is { } text)
        {
            var reversed = (string)Sequences.Slice(text, None.Value, None.Value, BigInteger.MinusOne, evaluator.Budget);
            return Filters.Like(value, reversed);
        }

        if (Sequences.TryIterate(value) is null) throw new TemplateException("FilterArgumentError", "argument must be iterable");
        var elements = Sequences.ToList(value, evaluator.Budget);
        elements.Reverse();
        var type = value switch
        {
            PyList => "list_reverseiterator",
            PyDict => "dict_reversekeyiterator",
            PyRange => "range_iterator",
            PyTuple => "reversed",
            _ => null,
        };
        return type is null ? new PyList(elements) : new Generator(elements, evaluator.Budget, type);
    }

    public static object Pairs(Evaluator evaluator, object value) => value switch
    {
        Undefined => new Generator([], evaluator.Budget),
        PyDict dict => new Generator(new DictView(dict, "items").Elements, evaluator.Budget),
        _ => throw TemplateException.Type("Can only get item pairs from a mapping."),
    };

    public static object Map(Evaluator evaluator, object value, Arguments arguments)
    {
        if (!PyType.Truth(value)) return new Generator([], evaluator.Budget);
        return new Generator(Sequences.Iterate(value).Select(Mapping(evaluator, arguments)), evaluator.Budget);
    }

    static Func<object, object> Mapping(Evaluator evaluator, Arguments arguments)
    {
        if (arguments.Positional.Count == 0 && arguments.Find("attribute") is not null)
        {
            var bound = arguments.Bind("map", "attribute", "default?");
            return Keys.Of(evaluator, bound[0], bound[1]);
        }

        if (arguments.Positional.Count == 0) throw new TemplateException("FilterArgumentError", "map requires a filter argument");
        var name = PyType.Text(arguments.Positional[0]) ?? "";
        if (!Filters.All.TryGetValue(name, out var filter))
            throw new TemplateException("TemplateRuntimeError", $"No filter named {Repr.OfText(name)}.");
        var rest = arguments.Without(1);
        return element => filter(evaluator, element, rest);
    }

    public static object Select(Evaluator evaluator, object value, Arguments arguments, bool wanted, bool byAttribute)
    {
        if (!PyType.Truth(value)) return new Generator([], evaluator.Budget);
        var key = Keys.Of(evaluator, null);
        if (byAttribute)
        {
            if (arguments.Positional.Count == 0)
                throw new TemplateException("FilterArgumentError", "Missing parameter for attribute name");
            key = Keys.Of(evaluator, arguments.Positional[0]);
            arguments = arguments.Without(1);
        }

        var holds = Condition(evaluator, arguments);
        var chosen = Sequences.Iterate(value).Where(element => Pays(evaluator) && holds(key(element)) == wanted);
        return new Generator(chosen, evaluator.Budget);
    }

    static bool Pays(Evaluator evaluator)
    {
        evaluator.Budget.Step();
        return true;
    }

    static Func<object, bool> Condition(Evaluator evaluator, Arguments arguments)
    {
        if (arguments.Positional.Count == 0) return PyType.Truth;
        var name = PyType.Text(arguments.Positional[0]) ?? "";
        if (!Tests.All.TryGetValue(name, out var test))
            throw new TemplateException("TemplateRuntimeError", $"No test named {Repr.OfText(name)}.");
        var rest = arguments.Without(1);
        return element => test(evaluator, element, rest);
    }

    public static object Sum(Evaluator evaluator, object value, Arguments arguments)
    {
        var bound = arguments.Bind("sum", "attribute?", "start?");
        var key = Keys.Of(evaluator, bound[0]);
        var sum = bound[1] ?? BigInteger.Zero;
        if (PyType.IsText(sum)) throw TemplateException.Type("sum() can't sum strings [use ''.join(seq) instead]");
        foreach (var element in Sequences.Iterate(value)) sum = Operators.Apply("+", sum, key(element), evaluator.Budget);
        return sum;
    }

    public static object Batch(Evaluator evaluator, object value, Arguments arguments)
    {
        var bound = arguments.Bind("batch", "linecount", "fill_with?");
        return new Generator(Batches(evaluator, value, Arguments.Int(bound[0], 0), bound[1]), evaluator.Budget);
    }

    static IEnumerable<object> Batches(Evaluator evaluator, object value, int size, object? fill)
    {
        var batch = new List<object>();
        foreach (var element in Sequences.Iterate(value))
        {
            evaluator.Budget.Step();
            if (batch.Count == size)
            {
                yield return new PyList([.. batch]);
                batch = [];
            }

            batch.Add(element);
        }

        if (batch.Count == 0) yield break;
        if (fill is not null and not None && batch.Count < size)
        {
            evaluator.Budget.Make(size);
            batch.AddRange(Enumerable.Repeat(fill, size - batch.Count));
        }

        yield return new PyList(batch);
    }

    public static object Slice(Evaluator evaluator, object value, Arguments arguments)
    {
        var bound = arguments.Bind("slice", "slices", "fill_with?");
        return new Generator(Slices(evaluator, value, Arguments.Int(bound[0], 0), bound[1]), evaluator.Budget);
    }

    static IEnumerable<object> Slices(Evaluator evaluator, object value, int slices, object? fill)
    {
        var elements = Sequences.ToList(value, evaluator.Budget);
        if (slices == 0) throw new TemplateException("ZeroDivisionError", "integer division or modulo by zero");
        var (each, longer) = (elements.Count / slices, elements.Count % slices);
        var from = 0;
        for (var i = 0; i < slices; i++)
        {
            evaluator.Budget.Step();
            var count = each + (i < longer ? 1 : 0);
            var slice = elements.GetRange(from, count);
            from += count;
            if (fill is not null and not None && i >= longer) slice.Add(fill);
            yield return new PyList(slice);
        }
    }
}
