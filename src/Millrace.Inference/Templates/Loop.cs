using Millrace.Inference.Templates.Values;

namespace Millrace.Inference.Templates;

/// <summary>
/// The <c>loop</c> of a body. Reads its source lazily and looks ahead only when asked: a condition of the loop may
/// depend on what the body did.
/// </summary>
sealed class Loop(object source, IEnumerable<object> passes, int depth0, Func<object, int, string>? recurse)
{
    readonly IEnumerator<object> _passes = passes.GetEnumerator();
    readonly Queue<object> _ahead = new();
    object[]? _changed;
    int? _length;

    public int Index0 { get; private set; } = -1;

    object? Previous { get; set; }

    object? Current { get; set; }

    public bool Next(out object current)
    {
        current = None.Value;
        if (Peek() is null) return false;
        current = _ahead.Dequeue();
        Index0++;
        (Previous, Current) = (Current, current);
        return true;
    }

    object? Peek()
    {
        if (_ahead.Count == 0 && _passes.MoveNext()) _ahead.Enqueue(_passes.Current);
        return _ahead.Count > 0 ? _ahead.Peek() : null;
    }

    public int Length => _length ??= (source is Generator ? null : Sequences.Count(source)) ?? CountRest();

    int CountRest()
    {
        while (_passes.MoveNext()) _ahead.Enqueue(_passes.Current);
        return _ahead.Count + Index0 + 1;
    }

    public object? Member(string name) => name switch
    {
        "index" => (System.Numerics.BigInteger)(Index0 + 1),
        "index0" => (System.Numerics.BigInteger)Index0,
        "revindex" => (System.Numerics.BigInteger)(Length - Index0),
        "revindex0" => (System.Numerics.BigInteger)(Length - Index0 - 1),
        "first" => Index0 == 0,
        "last" => Peek() is null,
        "length" => (System.Numerics.BigInteger)Length,
        "depth" => (System.Numerics.BigInteger)(depth0 + 1),
        "depth0" => (System.Numerics.BigInteger)depth0,
        "previtem" => Previous ?? new Undefined("there is no previous item"),
        "nextitem" => Peek() ?? new Undefined("there is no next item"),
        "cycle" => new Callable(Cycle, "method"),
        "changed" => new Callable(arguments => Changed(arguments), "method"),
        _ => null,
    };

    object Cycle(Arguments arguments) => arguments.Positional.Count == 0
        ? throw TemplateException.Type("no items for cycling given")
        : arguments.Positional[Index0 % arguments.Positional.Count];

    bool Changed(Arguments arguments)
    {
        object[] values = [.. arguments.Positional];
        if (_changed is { } last && Equality.Same(new PyTuple(last), new PyTuple(values))) return false;
        _changed = values;
        return true;
    }

    public object Call(Arguments arguments)
    {
        if (recurse is null)
            throw TemplateException.Type("The loop must have the 'recursive' marker to be called recursively.");
        return recurse(arguments.Bind("loop", "iterable")[0]!, depth0 + 1);
    }
}
