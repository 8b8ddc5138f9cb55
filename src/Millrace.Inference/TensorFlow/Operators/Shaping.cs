using System.Collections.Immutable;
using Millrace.Inference.Onnx;
using Millrace.Nn;

namespace Millrace.Inference.TensorFlow.Operators;

/// <summary>Sizes and the order of axes.</summary>
static class Shaping
{
    public static readonly Operator[] Rows =
    [
        new("Shape", c => c.E.Cast(c.E.ShapeOf(c[0]), c.Type("out_type", TensorType.I32))),
        new("ShapeN", c => [.. c.Inputs.ToArray().Select(x => c.E.Cast(c.E.ShapeOf(x), c.Type("out_type", TensorType.I32)))]),
        new("Rank", c => c.E.Cast(c.E.RankOf(c[0]), TensorType.I32)),
        new("Size", Size),
        new("Reshape", c => c.E.Reshape(c[0], c[1])),
        new("Transpose", Transpose),
        new("Squeeze", c => c.E.Squeeze(c[0], (c.Ints("squeeze_dims") is { IsEmpty: false } axes ? axes : c.Ints("axis")).AsSpan())),
        new("ExpandDims", ExpandDims),
        new("BroadcastTo", c => c.E.Expand(c[0], c[1])),
        new("Tile", Tile),
        new("Pack", Pack),
        new("Unpack", Unpack),
        new("ConcatV2", c => Concat(c, c.Inputs[..^1], c.Count - 1)),
        new("Concat", c => Concat(c, c.Inputs[1..], 0)),
        new("Split", c => Split(c, x: 1, axis: 0, null, c.Parts("num_split", 1))),
        new("SplitV", c => Split(c, x: 0, axis: 2, c[1], c.Parts("num_split", 1))),
        new("InvertPermutation", c => c.E.Whole(c[0].Shape, [.. Inverse(c)], c[0].Type)),
    ];

    static Value Size(Call c)
    {
        var (e, type) = (c.E, c.Type("out_type", TensorType.I32));
        var sizes = e.ShapeOf(c[0]);
        return sizes.IsKnown
            ? e.Whole([], [sizes.Known.Aggregate(1L, (a, b) => a * b)], type)
            : e.Cast(e.Node("Size", [c[0]], TensorType.I64, []), type);
    }

    static Value Transpose(Call c)
    {
        var given = c.Known(1, "the order of its axes");
        long[] order = [.. given.Select(axis => axis < 0 ? axis + given.Length : axis)];
        if (!order.Order().SequenceEqual(Enumerable.Range(0, order.Length).Select(i => (long)i)))
            throw c.Refuse($"[{string.Join(", ", given)}] is no order of axes");
        if (c[0].Rank is { } rank && rank != order.Length)
            throw c.Refuse($"its input has rank {rank}, its order of axes {order.Length}");
        return c.E.Transpose(c[0], order);
    }

    static IEnumerable<long> Inverse(Call c)
    {
        var order = c.Known(0, "its input");
        return Enumerable.Range(0, order.Length).Select(i => (long)order.IndexOf(i));
    }

    static Value ExpandDims(Call c)
    {
        if (c[1].IsKnown) return c.E.Unsqueeze(c[0], c[1].Known.AsSpan());
        return c.E.Node("Unsqueeze", [c[0], c.E.Longs(c.E.Reshape(c[1], c.E.Row(1)))], c[0].Type,
            c[0].Rank is { } rank ? ShapeNodes.Open(rank + 1) : default);
    }

    static Value Tile(Call c)
    {
        var times = c.E.Longs(c[1]);
        ImmutableArray<long> shape = c[0].Rank is not { } rank ? default
            : times.IsKnown && times.Known.Length == rank ? [.. c[0].Shape.Zip(times.Known, (size, count) => size < 0 ? -1 : size * count)]
            : ShapeNodes.Open(rank);
        return c.E.Node("Tile", [c[0], times], c[0].Type, shape);
    }

    static Value Pack(Call c)
    {
        var axis = c.Int("axis", 0);
        return c.E.Concat([.. c.Inputs.ToArray().Select(x => c.E.Unsqueeze(x, axis))], (int)axis);
    }

    static Value[] Unpack(Call c)
    {
        var axis = c.Int("axis", 0);
        var count = c.Parts("num", c[0].Size((int)axis));
        var ones = c.E.Row([.. Enumerable.Repeat(1L, count)]);
        return [.. Parts(c, c[0], axis, ones, count).Select(part => c.E.Squeeze(part, axis))];
    }

    static Value Concat(Call c, ReadOnlySpan<Value> parts, int axisIndex) =>
        c.E.Concat(parts, (int)c.Known(axisIndex, "its axis")[0]);

    static Value[] Split(Call c, int x, int axis, Value? sizes, int count)
    {
        var (e, at) = (c.E, c.Known(axis, "its axis")[0]);
        if (count == 1) return [c[x]];
        if (sizes is null)
        {
            if (c[x].Size((int)at) is not (>= 0 and var whole)) return Equal(c, c[x], at, count);
            // ONNX would make the last part smaller where TensorFlow has an error.
            if (whole % count != 0) throw c.Refuse($"it cannot split {whole} into {count} equal parts");
            sizes = e.Row([.. Enumerable.Repeat(whole / count, count)]);
        }

        if (!sizes.IsKnown) throw c.Refuse("the sizes of its parts must be constants");
        var open = sizes.Known.IndexOf(-1);
        if (open < 0) return Parts(c, c[x], at, e.Longs(sizes), count);
        var rest = e.Sub(e.SizeOf(c[x], (int)at), e.Row(sizes.Known.Sum() + 1));
        return Parts(c, c[x], at,
            e.Sizes(e.Row(sizes.Known.AsSpan()[..open]), rest, e.Row(sizes.Known.AsSpan()[(open + 1)..])), count);
    }

    static Value[] Parts(Call c, Value x, long axis, Value sizes, int count)
    {
        var shapes = Enumerable.Range(0, count).Select(i => x.Rank is null ? default
            : x.Shape.SetItem((int)(axis < 0 ? axis + x.Shape.Length : axis), sizes.IsKnown ? sizes.Known[i] : -1));
        return c.E.Nodes("Split", [x, sizes], x.Type, [.. shapes], new OnnxAttribute("axis", axis));
    }

    static Value[] Equal(Call c, Value x, long axis, int count)
    {
        ImmutableArray<long> shape = x.Rank is { } rank ? x.Shape.SetItem((int)(axis < 0 ? axis + rank : axis), -1) : default;
        return c.E.Nodes("Split", [x], x.Type, [.. Enumerable.Repeat(shape, count)],
            new OnnxAttribute("axis", axis), new OnnxAttribute("num_outputs", count));
    }
}
