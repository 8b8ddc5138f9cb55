using System.Collections.Immutable;
using Millrace.Inference.Onnx;
using Millrace.Nn;

namespace Millrace.Inference.OpenVino;

/// <summary>Operators that pick by indices and that write by indices.</summary>
static class Gathers
{
    public static readonly ImmutableArray<Operator> Rows =
    [
        new("Gather", 1, Gather), new("Gather", 7, Gather), new("Gather", 8, Gather),
        new("GatherElements", 6, c => c.Op("GatherElements", [c.In(0), c.Int64(1)], new OnnxAttribute("axis", c.Int("axis")))),
        new("GatherND", 5, GatherNd5), new("GatherND", 8, GatherNd), Operator.NotConverted("GatherTree", 1),
        new("ScatterUpdate", 3, ScatterUpdate), new("ScatterElementsUpdate", 3, ScatterElements3),
        new("ScatterElementsUpdate", 12, ScatterElements12), new("ScatterNDUpdate", 3, ScatterNd3), new("ScatterNDUpdate", 15, ScatterNd15),
        new("SliceScatter", 15, SliceScatter), new("GridSample", 9, GridSample),
    ];

    static string Gather(Conversion c)
    {
        var rank = c.RankOf(0);
        var axis = c.Axis(c.IntOf(2), rank);
        var batches = c.Axis(c.Int("batch_dims", 0), Math.Max(1, c.RankOf(1) + 1));
        if (batches == 0) return c.Op("Gather", [c.In(0), c.Int64(1)], new OnnxAttribute("axis", axis));
        if (batches > axis) throw c.Layer.Malformed($"batch_dims is {batches}, behind axis {axis}");
        // The axis goes behind the batches, and the indices' own axes go back to where it was.
        var order = Enumerable.Range(0, rank).Where(at => at != axis).Select(at => (long)at).ToList();
        order.Insert(batches, axis);
        var picked = c.Op(
            "GatherND", [c.Transpose(c.In(0), [.. order]), c.Unsqueeze(c.Int64(1), -1)], new OnnxAttribute("batch_dims", batches));
        var (own, between, all) = (c.RankOf(1) - batches, axis - batches, rank - 1 + c.RankOf(1) - batches);
        IEnumerable<int> back =
        [
            .. Enumerable.Range(0, batches), .. Enumerable.Range(batches + own, between), .. Enumerable.Range(batches, own),
            .. Enumerable.Range(batches + own + between, all - batches - own - between),
        ];
        return c.Transpose(picked, [.. back.Select(at => (long)at)]);
    }

    static string GatherNd(Conversion c) =>
        c.Op("GatherND", [c.In(0), c.Int64(1)], new OnnxAttribute("batch_dims", c.Int("batch_dims", 0)));

    // The older one makes all batches one dimension.
    static string GatherNd5(Conversion c)
    {
        var (picked, batches) = (GatherNd(c), (int)c.Int("batch_dims", 0));
        if (batches < 2) return picked;
        var rest = c.Slice(c.Shape(picked), 0, batches, long.MaxValue);
        return c.Op("Reshape", [picked, c.Concat(0, c.Ints(-1), rest)], new OnnxAttribute("allowzero", 0));
    }

    static string ScatterUpdate(Conversion c)
    {
        var (rank, own) = (c.RankOf(0), c.RankOf(1));
        var axis = c.Axis(c.IntOf(3), rank);
        var indices = c.Unsqueeze(c.Int64(1), -1);
        if (axis == 0) return c.Op("ScatterND", [c.In(0), indices, c.In(2)]);
        // The axis goes to the front, and so do the updates' axes that are those of the indices.
        long[] order = [axis, .. Enumerable.Range(0, rank).Where(at => at != axis).Select(at => (long)at)];
        IEnumerable<int> front =
        [
            .. Enumerable.Range(axis, own), .. Enumerable.Range(0, axis), .. Enumerable.Range(axis + own, rank - 1 - axis),
        ];
        var updates = c.Transpose(c.In(2), [.. front.Select(at => (long)at)]);
        var written = c.Op("ScatterND", [c.Transpose(c.In(0), order), indices, updates]);
        return c.Transpose(written, [.. Enumerable.Range(0, rank).Select(at => (long)Array.IndexOf(order, at))]);
    }

    static string ScatterElements3(Conversion c) =>
        c.Op("ScatterElements", [c.In(0), c.Int64(1), c.In(2)], new OnnxAttribute("axis", c.Axis(c.IntOf(3), c.RankOf(0))));

    static string ScatterElements12(Conversion c)
    {
        var (reduction, keepsInitial) = (c.Text("reduction", "none"), c.Flag("use_init_val", true));
        if (reduction == "none") return ScatterElements3(c);
        var (type, axis) = (Conversion.Wide(c.TypeOf(0)), c.Axis(c.IntOf(3), c.RankOf(0)));
        var (x, indices, updates) = (c.WideIn(0), c.Int64(1), c.As(c.In(2), c.TypeOf(2), type));
        var op = reduction switch
        {
            "sum" or "mean" => "add",
            "prod" => "mul",
            "min" or "max" => reduction,
            _ => throw c.Layer.Malformed($"reduction is {reduction}"),
        };
        var begin = keepsInitial
            ? x : Scatter(c, x, indices, c.Op("Expand", [c.Scalar(Neutral(op), type), c.Shape(updates)]), axis, "none");
        var result = Scatter(c, begin, indices, updates, axis, op);
        if (reduction == "mean") result = Mean(c, result, x, indices, updates, type, axis, keepsInitial);
        return c.As(result, type, c.OutputType());
    }

    static string Mean(
        Conversion c, string sums, string x, string indices, string updates, TensorType type, int axis, bool keepsInitial)
    {
        var counts = c.Op("Expand", [c.Scalar(keepsInitial ? 1 : 0, type), c.Shape(x)]);
        counts = Scatter(c, counts, indices, c.Op("Expand", [c.Scalar(1, type), c.Shape(updates)]), axis, "add");
        counts = c.Op("Max", [counts, c.Scalar(1, type)]);
        var quotient = c.Div(sums, counts);
        if (Conversion.IsFloat(type)) return quotient;
        // Whole numbers are rounded down.
        var isOver = c.Op("Greater", [c.Mul(quotient, counts), sums]);
        return c.Sub(quotient, c.Cast(isOver, type));
    }

    static double Neutral(string op) => op switch
    {
        "mul" => 1,
        "min" => double.PositiveInfinity,
        "max" => double.NegativeInfinity,
        _ => 0,
    };

    static string Scatter(Conversion c, string x, string indices, string updates, int axis, string reduction) => c.Op(
        "ScatterElements", [x, indices, updates], new OnnxAttribute("axis", axis), new OnnxAttribute("reduction", reduction));

    static string ScatterNd3(Conversion c) => c.Op("ScatterND", [c.In(0), c.Int64(1), c.In(2)]);

    static string ScatterNd15(Conversion c)
    {
        var reduction = c.Text("reduction", "none");
        if (reduction == "none") return ScatterNd3(c);
        var type = Conversion.Wide(c.TypeOf(0));
        var updates = c.As(c.In(2), c.TypeOf(2), type);
        var op = reduction switch
        {
            "sum" or "sub" => "add",
            "prod" => "mul",
            "min" or "max" => reduction,
            _ => throw c.Layer.Malformed($"reduction is {reduction}"),
        };
        if (reduction == "sub") updates = c.Op("Neg", [updates]);
        return c.As(c.Op("ScatterND", [c.WideIn(0), c.Int64(1), updates], new OnnxAttribute("reduction", op)), type, c.OutputType());
    }

    // The numbers of the elements are cut as the elements are to be: they tell where the updates go.
    static string SliceScatter(Conversion c)
    {
        var sizes = c.StaticSizes(0);
        var count = c.Bounded(sizes.Aggregate(1L, (product, size) => product * c.Bounded(size)));
        var numbers = c.Op("Range", [c.Graph.AddInt(0), c.Graph.AddInt(count), c.Graph.AddInt(1)]);
        var cut = c.Op("Slice", [c.Reshape(numbers, sizes), c.Row(2), c.Row(3), c.Has(5) ? c.Row(5) : "", c.Row(4)]);
        string Flat(string value) => c.Reshape(value, -1);
        var written = c.Op("ScatterElements", [Flat(c.In(0)), Flat(cut), Flat(c.In(1))]);
        return c.Reshape(written, sizes);
    }

    static string GridSample(Conversion c)
    {
        var mode = c.Text("mode", "bilinear") switch
        {
            "bilinear" => "linear",
            "bicubic" => "cubic",
            "nearest" => "nearest",
            var other => throw c.Layer.Malformed($"mode is {other}"),
        };
        var x = c.As(c.In(0), c.TypeOf(0), TensorType.F32);
        var sampled = c.Op(
            "GridSample", [x, c.As(c.In(1), c.TypeOf(1), TensorType.F32)],
            new OnnxAttribute("mode", mode), new OnnxAttribute("padding_mode", c.Text("padding_mode", "zeros")),
            new OnnxAttribute("align_corners", c.Flag("align_corners", false) ? 1 : 0));
        return c.As(sampled, TensorType.F32, c.OutputType());
    }
}
