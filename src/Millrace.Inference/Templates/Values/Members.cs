using System.Numerics;
using Millrace.Inference.Templates.Builtins;

namespace Millrace.Inference.Templates.Values;

/// <summary>
/// <c>a.b</c> looks for an attribute first and for a key then, <c>a['b']</c> the other way round. What would change a
/// value, and all names with two underscores, are there but cannot be used.
/// </summary>
static class Members
{
    static readonly HashSet<string> ListMutators =
        ["append", "clear", "extend", "insert", "pop", "remove", "reverse", "sort"];

    static readonly HashSet<string> DictMutators = ["clear", "pop", "popitem", "setdefault", "update"];

    // What is missing has these and no other name of its own.
    static readonly HashSet<string> EveryObjects = ["__class__", "__init__", "__doc__", "__module__", "__dict__", "__hash__", "__eq__"];

    public static object Attribute(object owner, string name, Budget budget) => OwnAttribute(owner, name, budget)
        ?? (owner is Undefined missing ? throw missing.Error : OwnElement(owner, name)) ?? Undefined.Member(owner, name);

    public static object Element(object owner, object key, Budget budget)
    {
        if (owner is Undefined missing) throw missing.Error;
        if (OwnElement(owner, key) is { } element) return element;
        return (PyType.Text(key) is { } name ? OwnAttribute(owner, name, budget) : null) ?? Undefined.Member(owner, key);
    }

    static object? OwnElement(object owner, object key) => owner switch
    {
        PyDict dict => key is PyList or PyDict ? null : dict.Find(key),
        Namespace space => key is string name && OwnField(space, name) is { } field ? field : null,
        _ => PyType.Integer(key) is { } index ? Sequences.At(owner, index) : null,
    };

    static object? OwnField(Namespace space, string name) => space.Fields.Find(name);

    /// <summary>An attribute of a value's type, an unusable one, or null.</summary>
    public static object? OwnAttribute(object owner, string name, Budget budget)
    {
        if (IsInternal(name))
            return owner is Undefined && !EveryObjects.Contains(name) ? null : Undefined.Unsafe(owner, name);
        return owner switch
        {
            string or Markup => StringMethods.Find(owner, name, budget),
            PyDict dict => DictMutators.Contains(name) ? Undefined.Unsafe(owner, name) : DictMethods.Find(dict, name, budget),
            PyList list => ListMutators.Contains(name) ? Undefined.Unsafe(owner, name) : ListMethods.Find(list, name, budget),
            PyTuple tuple => TupleAttribute(tuple, name, budget),
            Namespace space => OwnField(space, name),
            Loop loop => loop.Member(name),
            Macro macro => MacroAttribute(macro, name),
            Blocks blocks => blocks.ByName.GetValueOrDefault(name),
            Cycler cycler => CyclerAttribute(cycler, name),
            PyRange range => RangeAttribute(range, name),
            BigInteger or bool or double => NumberAttribute(owner, name),
            Callable { Type: "type" } => Globals.TypeAttribute(name, budget),
            PyBytes bytes => name == "decode" ? new Callable(_ => System.Text.Encoding.UTF8.GetString(bytes.Bytes)) : null,
            _ => null,
        };
    }

    static bool IsInternal(string name) =>
        name.Length > 4 && name.StartsWith("__", StringComparison.Ordinal) && name.EndsWith("__", StringComparison.Ordinal);

    static object? TupleAttribute(PyTuple tuple, string name, Budget budget) => name switch
    {
        "grouper" when tuple.IsGroup => tuple.Elements[0],
        "list" when tuple.IsGroup => tuple.Elements[1],
        "count" or "index" => ListMethods.Find(new(tuple.Elements), name, budget),
        _ => null,
    };

    static object? MacroAttribute(Macro macro, string name) => name switch
    {
        "name" => macro.Body.Name,
        "arguments" => new PyTuple([.. macro.Body.Parameters.Select(parameter => (object)parameter.Name)]),
        "catch_kwargs" => macro.Body.UsesKwargs,
        "catch_varargs" => macro.Body.UsesVarargs,
        "caller" => macro.Body.UsesCaller,
        _ => null,
    };

    static object? CyclerAttribute(Cycler cycler, string name) => name switch
    {
        "current" => cycler.Current,
        "next" => new Callable(_ => cycler.Next(), "method"),
        "reset" => new Callable(_ => Reset(cycler), "method"),
        _ => null,
    };

    static None Reset(Cycler cycler)
    {
        cycler.Reset();
        return None.Value;
    }

    static object? RangeAttribute(PyRange range, string name) => name switch
    {
        "start" => range.Start,
        "stop" => range.Stop,
        "step" => range.Step,
        _ => null,
    };

    static BigInteger BitLength(BigInteger integer) => (BigInteger)(long)BigInteger.Abs(integer).GetBitLength();

    static object? NumberAttribute(object number, string name) => (number, name) switch
    {
        (double, "real") or (BigInteger, "real") => number,
        (bool, "real" or "numerator") => PyType.Integer(number)!.Value,
        (BigInteger, "numerator") => number,
        (BigInteger or bool, "denominator") => BigInteger.One,
        (BigInteger or bool, "imag") => BigInteger.Zero,
        (double, "imag") => 0.0,
        (BigInteger or bool, "bit_length") => new Callable(_ => BitLength(PyType.Integer(number)!.Value)),
        (double value, "is_integer") => new Callable(_ => double.IsFinite(value) && value == Math.Floor(value)),
        _ => null,
    };
}
