using System.Collections.Immutable;
using Millrace.Inference.Onnx;
using Millrace.Nn;

namespace Millrace.Inference.OpenVino;

/// <summary>Operators that change or tell shapes, and that make tensors.</summary>
static class Shapes
{
    public static readonly ImmutableArray<Operator> Rows =
    [
        new("Reshape", 1, Reshape), new("Squeeze", 1, Squeeze), new("Squeeze", 15, Squeeze), new("Unsqueeze", 1, Unsqueeze),
        new("Transpose", 1, Transpose), new("ShapeOf", 1, ShapeOf), new("ShapeOf", 3, ShapeOf),
        new("Concat", 1, Concat), new("Split", 1, Split), new("VariadicSplit", 1, VariadicSplit),
        new("Broadcast", 1, Broadcast), new("Broadcast", 3, Broadcast), new("Tile", 1, Tile),
        new("Range", 1, Range), new("Range", 4, Range), new("OneHot", 1, OneHot), new("OneHot", 16, OneHot),
        new("Eye", 9, Eye), new("Identity", 16, c => c.Op("Identity", [c.In(0)])),
    ];

    static string Reshape(Conversion c) => c.Op(
        "Reshape", [c.In(0), c.Row(1)], new OnnxAttribute("allowzero", c.Flag("special_zero", false) ? 0 : 1));

    static string Squeeze(Conversion c)
    {
        if (!c.Has(1) || c.TryConstantOf(1) is { Data.IsEmpty: true })
        {
            if (c.SizesOf(0).Contains(-1)) throw c.Layer.Refused("without axes and with open sizes");
            return c.Op("Squeeze", [c.In(0)]);
        }

        if (!c.Flag("allow_axis_skip", false)) return c.Op("Squeeze", [c.In(0), c.Row(1)]);
        var sizes = c.StaticSizes(0);
        long[] axes = [.. c.IntsOf(1).Select(axis => (long)c.Axis(axis, sizes.Length)).Where(axis => sizes[axis] == 1)];
        return axes.Length == 0 ? c.Op("Identity", [c.In(0)]) : c.Squeeze(c.In(0), axes);
    }

    static string Unsqueeze(Conversion c) => c.Op("Unsqueeze", [c.In(0), c.Row(1)]);

    static string Transpose(Conversion c)
    {
        // No order turns all axes around: in ONNX likewise.
        var order = c.IntsOf(1);
        return order.Length == 0
            ? c.Op("Transpose", [c.In(0)]) : c.Transpose(c.In(0), [.. order.Select(axis => (long)c.Axis(axis, c.RankOf(0)))]);
    }

    // Known sizes are a constant, which needs no node: see Conversion.Output.
    static string ShapeOf(Conversion c) =>
        c.Converter.ToldSizes(c.Layer) is not null ? "" : c.As(c.Shape(c.In(0)), TensorType.I64, c.OutputType());

    static string Concat(Conversion c)
    {
        string[] parts = [.. Enumerable.Range(0, c.InputCount).Select(c.In)];
        return c.Concat(c.Int("axis"), parts);
    }

    static string[] Split(Conversion c)
    {
        var (axis, count) = (c.Axis(c.IntOf(1), c.RankOf(0)), c.Int("num_splits"));
        if (count != c.Layer.Outputs.Length) throw c.Layer.Malformed($"num_splits is {count}");
        if (c.SizesOf(0)[axis] is var size && size >= 0 && size % count != 0) throw c.Layer.Malformed($"{size} is no multiple of {count}");
        return c.Graph.AddNodes("Split", [c.In(0)], (int)count, new OnnxAttribute("axis", axis), new OnnxAttribute("num_outputs", count));
    }

    static string[] VariadicSplit(Conversion c)
    {
        var (axis, count) = (c.Axis(c.IntOf(1), c.RankOf(0)), c.Layer.Outputs.Length);
        var lengths = c.TryConstantOf(2) is null ? c.Row(2) : c.Ints(Lengths(c, axis));
        return c.Graph.AddNodes("Split", [c.In(0), lengths], count, new OnnxAttribute("axis", axis));
    }

    // One length may be -1: what remains.
    static long[] Lengths(Conversion c, int axis)
    {
        var lengths = c.IntsOf(2);
        if (lengths.Length != c.Layer.Outputs.Length)
            throw c.Layer.Malformed($"{lengths.Length} lengths for {c.Layer.Outputs.Length} outputs");
        var open = Array.IndexOf(lengths, -1);
        if (open < 0) return lengths;
        var size = c.SizesOf(0)[axis];
        if (size < 0) throw c.Layer.Refused("with a length of -1 and open sizes");
        lengths[open] = size - lengths.Where((_, index) => index != open).Sum();
        return lengths[open] >= 0 ? lengths : throw c.Layer.Malformed($"its lengths are more than {size}");
    }

    static string Broadcast(Conversion c)
    {
        var mode = c.Text("mode", "numpy");
        if (mode is "numpy" or "bidirectional") return c.Op("Expand", [c.In(0), c.Row(1)]);
        if (mode is not ("explicit" or "none")) throw c.Layer.Refused($"with mode {mode}");
        // The mapping tells which axis of the output each one of the input is; the others are new.
        var (mapping, rank) = (c.IntsOf(2), (int)c.SizesOf(1).Aggregate(1L, (product, size) => product * size));
        if (mapping.Length != c.RankOf(0) || rank < mapping.Length) throw c.Layer.Malformed("its axes_mapping does not fit");
        if (!mapping.SequenceEqual(mapping.Order())) throw c.Layer.Refused("with axes that change their order");
        long[] added = [.. Enumerable.Range(0, rank).Select(axis => (long)axis).Except(mapping)];
        var value = added.Length == 0 ? c.In(0) : c.Unsqueeze(c.In(0), added);
        return c.Op("Expand", [value, c.Row(1)]);
    }

    static string Tile(Conversion c)
    {
        // The shorter of both is filled with ones in front.
        var (value, repeats) = (c.In(0), c.Row(1));
        var missing = c.RankOf(0) - (c.RankOf(1) == 0 ? 1 : c.SizesOf(1)[0]);
        if (c.RankOf(1) == 1 && c.SizesOf(1)[0] < 0) throw c.Layer.Refused("with an open number of repeats");
        c.Bounded(Math.Abs(missing));
        if (missing > 0) repeats = c.Concat(0, c.Ints([.. Enumerable.Repeat(1L, (int)missing)]), repeats);
        if (missing < 0) value = c.Unsqueeze(value, [.. Enumerable.Range(0, (int)-missing).Select(axis => (long)axis)]);
        return c.Op("Tile", [value, repeats]);
    }

    static string Range(Conversion c)
    {
        // Steps are counted in the numbers that come in, not in what is made of them.
        var inputs = Enumerable.Range(0, 3).Select(c.TypeOf).ToList();
        var type = inputs.Append(c.OutputType()).Any(Conversion.IsFloat) ? TensorType.F64 : TensorType.I64;
        if (type == TensorType.F64 && inputs.All(input => input is TensorType.F32 or TensorType.F16)) type = TensorType.F32;
        string[] numbers = [.. Enumerable.Range(0, 3).Select(index => Scalar(c, index, type))];
        return c.As(c.Op("Range", numbers), type, c.OutputType());
    }

    static string Scalar(Conversion c, int index, TensorType type)
    {
        var value = c.As(c.In(index), c.TypeOf(index), type);
        return c.RankOf(index) == 0 ? value : c.Reshape(value);
    }

    // ONNX's own counts negative indices from the end.
    static string OneHot(Conversion c)
    {
        var (rank, depth) = (c.RankOf(0), c.RankOf(1) == 0 ? c.Int64(1) : c.Reshape(c.Int64(1)));
        var axis = c.Axis(c.Int("axis"), rank + 1);
        var places = c.Op("Range", [c.Graph.AddInt(0), depth, c.Graph.AddInt(1)]);
        var indices = c.Int64(0);
        if (c.Text("negative_indices_mode", "ignore_negative") == "normalize")
            indices = c.Where(c.Op("Less", [indices, c.Graph.AddInt(0)]), c.Add(indices, depth), indices);
        var column = c.Reshape(places, [.. Enumerable.Range(0, rank + 1).Select(at => at == axis ? -1L : 1)]);
        var isHot = c.Op("Equal", [c.Unsqueeze(indices, axis), column]);
        var wide = c.OutputType() is TensorType.F16 or TensorType.F32 or TensorType.F64 ? c.OutputType() : TensorType.I64;
        return c.As(c.Where(isHot, Value(c, 2, wide), Value(c, 3, wide)), wide, c.OutputType());
    }

    static string Value(Conversion c, int index, TensorType wide) => c.Reshape(c.As(c.In(index), c.TypeOf(index), wide));

    static string Eye(Conversion c)
    {
        var (rows, columns) = (c.Row(0), c.Row(1));
        var sizes = c.Has(3) ? c.Concat(0, c.Row(3), rows, columns) : c.Concat(0, rows, columns);
        var plane = c.Op("Expand", [c.Scalar(0, TensorType.F32), c.Concat(0, rows, columns)]);
        var eye = c.Op("EyeLike", [plane], new OnnxAttribute("k", c.IntOf(2)));
        return c.As(c.Op("Expand", [eye, sizes]), TensorType.F32, c.OutputType());
    }
}
