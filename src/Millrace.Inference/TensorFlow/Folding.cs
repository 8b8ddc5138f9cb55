using System.Collections.Immutable;

namespace Millrace.Inference.TensorFlow;

/// <summary>
/// Computes on known whole numbers at load: sizes and axes are often written as small computations, and some of ONNX's
/// operators want them as attributes.
/// </summary>
static class Folding
{
    /// <summary>Shape and elements of a result.</summary>
    public sealed record Result(ImmutableArray<long> Shape, long[] Numbers);

    /// <summary>An operator on pairs; null where it is not known or has no result.</summary>
    public static Result? Pairs(string op, Value x, Value y)
    {
        if (!x.IsKnown || !y.IsKnown || Find(op) is not { } compute) return null;
        // A row and a number, or two alike: what computations of sizes have.
        if (x.Known.Length != y.Known.Length && x.Known.Length != 1 && y.Known.Length != 1) return null;
        if (x.Known.Length == y.Known.Length && !x.Shape.SequenceEqual(y.Shape)) return null;
        if (op == "Div" && y.Known.Contains(0)) return null;
        var shape = x.Known.Length == 1 ? Emitter.Broadcast(x.Shape, y.Shape) : Emitter.Broadcast(y.Shape, x.Shape);
        var numbers = new long[x.Known.Length == 1 ? y.Known.Length : x.Known.Length];
        for (var i = 0; i < numbers.Length; i++)
            numbers[i] = compute(x.Known[x.Known.Length == 1 ? 0 : i], y.Known[y.Known.Length == 1 ? 0 : i]);
        return new(shape, numbers);
    }

    static Func<long, long, long>? Find(string op) => op switch
    {
        "Add" => static (x, y) => x + y,
        "Sub" => static (x, y) => x - y,
        "Mul" => static (x, y) => x * y,
        "Div" => static (x, y) => y == -1 ? -x : x / y,
        "Min" => Math.Min,
        "Max" => Math.Max,
        "Equal" => static (x, y) => x == y ? 1 : 0,
        "Less" => static (x, y) => x < y ? 1 : 0,
        "Greater" => static (x, y) => x > y ? 1 : 0,
        _ => null,
    };
}
