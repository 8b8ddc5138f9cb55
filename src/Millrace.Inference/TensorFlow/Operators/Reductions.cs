using System.Collections.Immutable;
using Millrace.Inference.Onnx;
using Millrace.Nn;

namespace Millrace.Inference.TensorFlow.Operators;

/// <summary>Many elements to one.</summary>
static class Reductions
{
    public static readonly Operator[] Rows =
    [
        new("Sum", c => Types.Widened(c, Types.Numbers, x => Reduce(c, "ReduceSum", x[0]))),
        new("Prod", c => Types.Widened(c, Types.Numbers, x => Reduce(c, "ReduceProd", x[0]))),
        new("Max", c => Types.Widened(c, Types.Numbers, x => Reduce(c, "ReduceMax", x[0]))),
        new("Min", c => Types.Widened(c, Types.Numbers, x => Reduce(c, "ReduceMin", x[0]))),
        new("Mean", c => Types.Widened(c, Types.Numbers, x => Mean(c, x[0]))),
        new("EuclideanNorm", c => Types.Widened(c, Types.Fractions,
            x => c.E.Map("Sqrt", Reduce(c, "ReduceSum", c.E.Mul(x[0], x[0]))))),
        new("All", c => c.E.Cast(Reduce(c, "ReduceMin", c.E.Cast(c[0], TensorType.I32)), TensorType.Bool)),
        new("Any", c => c.E.Cast(Reduce(c, "ReduceMax", c.E.Cast(c[0], TensorType.I32)), TensorType.Bool)),
        new("ArgMax", c => Extreme(c, "ArgMax", isLargest: true)),
        new("ArgMin", c => Extreme(c, "ArgMin", isLargest: false)),
        new("Cumsum", Cumsum),
    ];

    static Value Reduce(Call c, string op, Value x)
    {
        var axes = c[1];
        var keeps = c.Bool("keep_dims", c.Bool("keepdims", false));
        // An empty list of axes reduces nothing.
        if (axes.IsKnown && axes.Known.IsEmpty) return x;
        ImmutableArray<long> shape = default;
        if (axes.IsKnown && x.Rank is { } rank)
        {
            var gone = axes.Known.Select(axis => axis < 0 ? axis + rank : axis).ToHashSet();
            if (gone.Any(axis => axis < 0 || axis >= rank)) throw c.Refuse($"an axis is outside its input of rank {rank}");
            shape = [.. x.Shape.Select((size, axis) => gone.Contains(axis) ? keeps ? 1 : -2 : size).Where(size => size != -2)];
            if (x.IsKnown && op == "ReduceProd" && gone.Count == rank)
                return c.E.Whole(shape, [x.Known.Aggregate(1L, (product, size) => product * size)], x.Type);
        }

        var row = axes.Rank == 0 ? c.E.Reshape(axes, c.E.Row(1)) : axes;
        return c.E.Node(op, [x, c.E.Longs(row)], x.Type, shape,
            new OnnxAttribute("keepdims", keeps ? 1L : 0), new OnnxAttribute("noop_with_empty_axes", 1L));
    }

    // Whole numbers are summed and divided, which truncates.
    static Value Mean(Call c, Value x)
    {
        if (!x.Type.IsWhole()) return Reduce(c, "ReduceMean", x);
        var sum = Reduce(c, "ReduceSum", x);
        var ones = c.E.Expand(c.E.Scalar(1, x.Type), c.E.ShapeOf(x));
        return c.E.Div(sum, c.E.Max(Reduce(c, "ReduceSum", ones), c.E.Scalar(1, x.Type)));
    }

    static Value Extreme(Call c, string op, bool isLargest)
    {
        var (e, x, axis) = (c.E, c[0], c.Count > 1 ? c.Known(1, "its axis")[0] : 0);
        ImmutableArray<long> shape = x.Rank is null ? default : x.Shape.RemoveAt(c.Axis(0, axis));
        var type = c.Type("output_type", TensorType.I64);
        var wide = e.Cast(x, Types.Wider(c, x.Type, Types.Numbers));
        if (wide.Type is not (TensorType.I64 or TensorType.F64))
        {
            OnnxAttribute[] attributes = [new("axis", axis), new("keepdims", 0L)];
            return e.Cast(e.Node(op, [wide], TensorType.I64, shape, attributes), type);
        }

        // Of equal ones the first comes first here too.
        var (ranked, open) = (x.Rank is { } rank ? ShapeNodes.Open(rank) : default, new OnnxAttribute("axis", axis));
        var names = e.Graph.AddNodes("TopK", [wide.Name, e.Row(1).Name], 2, open, new OnnxAttribute("largest", isLargest ? 1L : 0));
        return e.Cast(e.Squeeze(new Value(names[1], TensorType.I64, ranked), axis), type);
    }

    static Value Cumsum(Call c) => Types.Widened(c, Types.Numbers, x =>
    {
        var (excludes, reverses) = (c.Bool("exclusive", false), c.Bool("reverse", false));
        return c.E.Node("CumSum", [x[0], c.E.Longs(c[1])], x[0].Type, x[0].Shape,
            new OnnxAttribute("exclusive", excludes ? 1L : 0), new OnnxAttribute("reverse", reverses ? 1L : 0));
    });
}
