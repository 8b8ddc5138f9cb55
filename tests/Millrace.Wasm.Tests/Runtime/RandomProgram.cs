using System.Globalization;
using System.Text;

namespace Millrace.Wasm.Tests.Runtime;

/// <summary>
/// A random program of blocks, branches, calls, tail calls and exceptions, as text and as something to walk: what the
/// engine computes must be what the walk computes. All it does goes into one number.
/// </summary>
sealed class RandomProgram
{
    const int Functions = 4;
    const int DepthMax = 4;
    const int Budget = 25;

    // The types that labels take; i is i32, e is exnref.
    static readonly string[] LabelTypes = ["", "i", "ii", "e", "ie"];
    static readonly string[] TagTypes = ["", "i", "ii"];

    readonly Random _random;
    readonly List<Node>[] _bodies = new List<Node>[Functions];
    ulong _sum;
    int _left;

    public RandomProgram(int seed)
    {
        _random = new Random(seed);
        for (var i = 0; i < Functions; i++) _bodies[i] = Body(new(i, ["i"]), DepthMax);
    }

    public string Wat
    {
        get
        {
            var text = new StringBuilder($"""
                (module
                  (global $sum (mut i64) (i64.const 1)) (global $left (mut i32) (i32.const {Budget}))
                  (tag $t0) (tag $t1 (param i32)) (tag $t2 (param i32 i32))
                  (func $eat (param i32)
                    (if (i32.eqz (global.get $left)) (then unreachable))
                    (global.set $left (i32.sub (global.get $left) (i32.const 1)))
                    (global.set $sum (i64.add (i64.mul (global.get $sum) (i64.const 6364136223846793005))
                      (i64.extend_i32_u (local.get 0)))))
                  (func $flip (param i32) (result i32)
                    (call $eat (local.get 0))
                    (i32.wrap_i64 (i64.shr_u (global.get $sum) (i64.const 62))))
                  (func (export "sum") (result i64) (global.get $sum))

                """);
            for (var i = 0; i < Functions; i++)
            {
                text.Append(CultureInfo.InvariantCulture, $"(func $f{i} (export \"f{i}\") (result i32) ");
                foreach (var node in _bodies[i]) node.Write(text);
                text.Append("(i32.const 9))\n");
            }
            return text.Append(')').ToString();
        }
    }

    /// <summary>How the walk ends, and the number then.</summary>
    public (string End, ulong Sum) Walk()
    {
        (_sum, _left) = (1, Budget);
        try
        {
            return ($"returned {Call(0)}", _sum);
        }
        catch (Thrown thrown)
        {
            return ($"threw {string.Join(' ', thrown.Values.Select(value => (int)value!))}", _sum);
        }
        catch (TrapException trap)
        {
            return (trap.Message, _sum);
        }
    }

    int Call(int function)
    {
        if (Run(_bodies[function]) is not { } signal) return 9;
        return signal.Callee >= 0 ? Call(signal.Callee) : (int)signal.Values[0]!;
    }

    static Signal? Run(List<Node> nodes)
    {
        foreach (var node in nodes)
            if (node.Run() is { } signal) return signal;
        return null;
    }

    void Eat(int value)
    {
        if (_left-- == 0) throw new TrapException(TrapCode.Unreachable);
        _sum = unchecked(_sum * 6364136223846793005 + (uint)value);
    }

    void EatAll(object?[] values)
    {
        foreach (var value in values.Reverse().OfType<int>()) Eat(value);
    }

    int Flip(int value)
    {
        Eat(value);
        return (int)(_sum >> 62);
    }

    List<Node> Body(Place place, int depth)
    {
        var nodes = new List<Node>();
        for (var i = _random.Next(1, 5); i > 0; i--) nodes.Add(Statement(place, depth));
        return nodes;
    }

    Node Statement(Place place, int depth)
    {
        var number = _random.Next(100);
        return _random.Next(depth == 0 ? 6 : 12) switch
        {
            0 => Branch(place, number),
            1 => BranchTable(place, number),
            2 => Throw(number),
            3 when place.Function + 1 < Functions => CallNext(place, number),
            4 when place.Function + 1 < Functions && _random.Next(3) == 0 => TailCall(place),
            >= 6 and <= 7 => Block(place, depth, isLoop: _random.Next(3) == 0),
            >= 8 => Try(place, depth),
            _ => new(text => text.Append(CultureInfo.InvariantCulture, $"(call $eat (i32.const {number})) "), () =>
            {
                Eat(number);
                return null;
            }),
        };
    }

    Node Branch(Place place, int number)
    {
        var label = _random.Next(place.Labels.Length);
        var types = place.Labels[^(label + 1)];
        return new(
            text =>
            {
                WriteValues(text, types, number);
                text.Append(CultureInfo.InvariantCulture, $"(br_if {label} (call $flip (i32.const {number}))) ");
                Drop(text, types);
            },
            () =>
            {
                if (Flip(number) != 0) return new(label, Values(types, number));
                EatAll(Values(types, number));
                return null;
            });
    }

    Node BranchTable(Place place, int number)
    {
        var first = _random.Next(place.Labels.Length);
        var types = place.Labels[^(first + 1)];
        var others = Enumerable.Range(0, place.Labels.Length).Where(i => place.Labels[^(i + 1)] == types).ToArray();
        int[] labels = [first, others[_random.Next(others.Length)], others[_random.Next(others.Length)]];
        return new(
            text =>
            {
                text.Append(CultureInfo.InvariantCulture, $"(if (call $flip (i32.const {number})) (then ");
                WriteValues(text, types, number);
                text.Append(CultureInfo.InvariantCulture, $"(br_table {string.Join(' ', labels.Select(i => i + 1))} ");
                text.Append(CultureInfo.InvariantCulture, $"(call $flip (i32.const {number}))))) ");
            },
            () => Flip(number) != 0 ? new(labels[Math.Min(Flip(number), 2)], Values(types, number)) : null);
    }

    Node Throw(int number)
    {
        var tag = _random.Next(TagTypes.Length);
        return new(
            text =>
            {
                text.Append(CultureInfo.InvariantCulture, $"(if (call $flip (i32.const {number})) (then ");
                WriteValues(text, TagTypes[tag], number);
                text.Append(CultureInfo.InvariantCulture, $"(throw $t{tag}))) ");
            },
            () => Flip(number) != 0 ? throw new Thrown(tag, Values(TagTypes[tag], number)) : null);
    }

    Node CallNext(Place place, int number)
    {
        var callee = _random.Next(place.Function + 1, Functions);
        return new(
            text => text.Append(
                CultureInfo.InvariantCulture, $"(call $eat (i32.add (i32.const {number}) (call $f{callee}))) "),
            () =>
            {
                Eat(number + Call(callee));
                return null;
            });
    }

    Node TailCall(Place place)
    {
        var (callee, depth) = (_random.Next(place.Function + 1, Functions), place.Labels.Length - 1);
        return new(
            text => text.Append(
                CultureInfo.InvariantCulture, $"(if (call $flip (i32.const 1)) (then (return_call $f{callee}))) "),
            () => Flip(1) != 0 ? new(depth, [], callee) : null);
    }

    Node Block(Place place, int depth, bool isLoop)
    {
        var types = LabelTypes[_random.Next(LabelTypes.Length)];
        var (body, number) = (Body(place.With(isLoop ? "" : types), depth - 1), _random.Next(100));
        return Taken(types, text =>
        {
            text.Append(isLoop ? "(loop " : "(block ");
            WriteBlock(text, types, body, number);
        }, () => Enter(() => Run(body), types, number, isLoop), _random.Next(2) == 0);
    }

    Node Try(Place place, int depth)
    {
        var types = LabelTypes[_random.Next(LabelTypes.Length)];
        var (body, number) = (Body(place.With(types), depth - 1), _random.Next(100));
        var clauses = new List<Clause>();
        for (var i = _random.Next(1, 4); i > 0; i--)
        {
            var label = _random.Next(place.Labels.Length);
            var wanted = place.Labels[^(label + 1)];
            var (withReference, values) = (wanted.EndsWith('e'), wanted.TrimEnd('e'));
            var tag = values.Length == 0 && _random.Next(2) == 0 ? -1 : values.Length;
            clauses.Add(new(tag, withReference, label));
        }
        return Taken(types, text =>
        {
            text.Append("(try_table ");
            WriteTypes(text, types);
            foreach (var clause in clauses) text.Append(clause);
            WriteEnd(text, types, body, number);
        }, () => Enter(() => RunCatching(body, clauses), types, number, isLoop: false), _random.Next(2) == 0);
    }

    // Clauses' labels count from outside: as seen from within, one more.
    static Signal? RunCatching(List<Node> body, List<Clause> clauses)
    {
        try
        {
            return Run(body);
        }
        catch (Thrown thrown) when (clauses.Find(clause => clause.Tag < 0 || clause.Tag == thrown.Tag) is { } clause)
        {
            object?[] values = clause.Tag < 0 ? [] : thrown.Values;
            return new(clause.Label + 1, clause.WithReference ? [.. values, thrown] : values);
        }
    }

    // What becomes of the block: its values, or a signal for those around it.
    static (object?[]? Values, Signal? Signal) Enter(Func<Signal?> run, string types, int number, bool isLoop)
    {
        while (true)
        {
            if (run() is not { } signal) return (Values(types, number), null);
            if (signal.Label > 0) return (null, signal with { Label = signal.Label - 1 });
            if (!isLoop) return (signal.Values, null);
        }
    }

    // A block, and what is done with its values: eaten, and a reference dropped or thrown.
    Node Taken(string types, Action<StringBuilder> write, Func<(object?[]?, Signal?)> enter, bool throws)
    {
        var rethrows = throws && types.EndsWith('e');
        return new(
            text =>
            {
                write(text);
                if (!rethrows)
                {
                    Drop(text, types);
                    return;
                }
                text.Append("(throw_ref) ");
            },
            () =>
            {
                var (values, signal) = enter();
                if (signal is not null) return signal;
                if (rethrows) throw values![^1] as Exception ?? new TrapException(TrapCode.NullReference);
                EatAll(values!);
                return null;
            });
    }

    static void WriteBlock(StringBuilder text, string types, List<Node> body, int number)
    {
        WriteTypes(text, types);
        WriteEnd(text, types, body, number);
    }

    static void WriteEnd(StringBuilder text, string types, List<Node> body, int number)
    {
        foreach (var node in body) node.Write(text);
        WriteValues(text, types, number);
        text.Append(") ");
    }

    static void WriteTypes(StringBuilder text, string types)
    {
        if (types.Length == 0) return;
        text.Append("(result").AppendJoin("", types.Select(type => type == 'i' ? " i32" : " exnref")).Append(") ");
    }

    static void WriteValues(StringBuilder text, string types, int number)
    {
        for (var i = 0; i < types.Length; i++)
        {
            if (types[i] == 'e') text.Append("(ref.null exn) ");
            else text.Append(CultureInfo.InvariantCulture, $"(i32.const {number + i}) ");
        }
    }

    static void Drop(StringBuilder text, string types)
    {
        foreach (var type in types.Reverse()) text.Append(type == 'i' ? "(call $eat) " : "(drop) ");
    }

    static object?[] Values(string types, int number) =>
        [.. types.Select((type, i) => type == 'i' ? (object?)(number + i) : null)];

    sealed class Thrown(int tag, object?[] values) : Exception
    {
        public int Tag { get; } = tag;

        public object?[] Values { get; } = values;
    }

    sealed record Node(Action<StringBuilder> Write, Func<Signal?> Run);

    /// <summary>A branch on its way out, or a tail call.</summary>
    sealed record Signal(int Label, object?[] Values, int Callee = -1);

    sealed record Clause(int Tag, bool WithReference, int Label)
    {
        public override string ToString() => string.Create(
            CultureInfo.InvariantCulture,
            $"(catch{(Tag < 0 ? "_all" : "")}{(WithReference ? "_ref" : "")}{(Tag < 0 ? "" : $" $t{Tag}")} {Label}) ");
    }

    sealed record Place(int Function, string[] Labels)
    {
        public Place With(string types) => this with { Labels = [.. Labels, types] };
    }
}
