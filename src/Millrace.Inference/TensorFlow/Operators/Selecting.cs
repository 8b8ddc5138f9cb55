using System.Collections.Immutable;
using Millrace.Inference.Onnx;
using Millrace.Nn;

namespace Millrace.Inference.TensorFlow.Operators;

/// <summary>Elements by their places, and places of elements.</summary>
static class Selecting
{
    public static readonly Operator[] Rows =
    [
        new("Gather", c => c.E.Gather(c[0], c[1], axis: 0)),
        new("GatherV2", Gather),
        new("GatherNd", c => GatherNd(c.E, c[0], c[1])),
        new("ScatterNd", ScatterNd),
        new("TensorScatterUpdate", c => Scatter(c, "none")),
        new("TensorScatterAdd", c => Scatter(c, "add")),
        new("TensorScatterMax", c => Scatter(c, "max")),
        new("TensorScatterMin", c => Scatter(c, "min")),
        new("UnsortedSegmentSum", c => SegmentSum(c, c.E.Reshape(c.E.Longs(c[2]), c.E.Row(1)))),
        new("SegmentSum", c => SegmentSum(c, c.E.Add(c.E.Slice(c.E.Longs(c[1]), -1, long.MaxValue, axis: 0), c.E.Row(1)))),
        new("MatrixDiag", c => Diagonal(c, c.E.Scalar(0, c[0].Type))),
        new(["MatrixDiagV2", "MatrixDiagV3"], DiagonalV2),
        new("Unique", Unique),
        new("OneHot", OneHot),
        new("Where", Where),
        new("MatrixBandPart", MatrixBandPart),
    ];

    /// <summary>Parts by the numbers in the last axis of the indices.</summary>
    public static Value GatherNd(Emitter e, Value x, Value indices)
    {
        ImmutableArray<long> shape = default;
        if (x.Rank is { } rank && indices.Rank is not null && indices.Size(-1) is >= 0 and var depth && depth <= rank)
            shape = [.. indices.Shape[..^1], .. x.Shape[(int)depth..]];
        return e.Node("GatherND", [x, e.Longs(indices)], x.Type, shape);
    }

    static Value Gather(Call c)
    {
        var (e, x, indices, axis, batch) = (c.E, c[0], c[1], c.Known(2, "its axis")[0], (int)c.Int("batch_dims", 0));
        if (batch == 0) return e.Gather(x, indices, (int)axis);
        var (rank, count) = (c.Rank(0), c.Rank(1));
        if (batch < 0) batch += count;
        var at = c.Axis(0, axis);
        if (at < batch) throw c.Refuse("its axis is one of the batch");
        // The axis goes behind those of the batch, and what came of it back to where it was.
        long[] order = [.. Enumerable.Range(0, batch), at, .. Enumerable.Range(batch, rank - batch).Where(i => i != at)];
        var places = e.Unsqueeze(e.Longs(indices), -1);
        ImmutableArray<long> shape = [.. ShapeNodes.Open(rank + count - batch - 1)];
        var picked = e.Node("GatherND", [e.Transpose(x, order), places], x.Type, shape, new OnnxAttribute("batch_dims", batch));
        var (between, own) = (at - batch, count - batch);
        long[] back =
        [
            .. Enumerable.Range(0, batch), .. Enumerable.Range(batch + own, between), .. Enumerable.Range(batch, own),
            .. Enumerable.Range(batch + own + between, rank - at - 1),
        ];
        return e.Transpose(picked, back);
    }

    static Value ScatterNd(Call c)
    {
        var zeros = c.E.Expand(c.E.Scalar(0, c[1].Type), c[2]);
        return c.E.Node("ScatterND", [zeros, c.E.Longs(c[0]), c[1]], c[1].Type, zeros.Shape, new OnnxAttribute("reduction", "add"));
    }

    static Value Scatter(Call c, string reduction) =>
        c.E.Node("ScatterND", [c[0], c.E.Longs(c[1]), c[2]], c[0].Type, c[0].Shape, new OnnxAttribute("reduction", reduction));

    // Rows of no segment go to one too many, which is cut off.
    static Value SegmentSum(Call c, Value count)
    {
        var (e, data, ids) = (c.E, c[0], c.E.Longs(c[1]));
        var (rank, own) = (c.Rank(0), c.Rank(1));
        var types = Types.Wider(c, data.Type, Types.Numbers);
        ids = e.Where(e.Compare("Less", ids, e.Whole([], [0])), count, ids);
        var sizes = e.Sizes([e.Add(count, e.Row(1)), .. Enumerable.Range(own, rank - own).Select(axis => e.SizeOf(data, axis))]);
        var zeros = e.Expand(e.Scalar(0, types), sizes);
        var sums = e.Node("ScatterND", [zeros, e.Unsqueeze(ids, -1), e.Cast(data, types)], types, zeros.Shape,
            new OnnxAttribute("reduction", "add"));
        return e.Cast(e.Slice(sums, e.Row(0), count, [0], [1]), data.Type);
    }

    static Value DiagonalV2(Call c)
    {
        if (c.Known(1, "its diagonal") is not [0] || c.Known(2, "its rows") is not [-1] || c.Known(3, "its columns") is not [-1])
            throw c.Refuse("it is not the main diagonal of a square");
        return Diagonal(c, c[4]);
    }

    static Value Diagonal(Call c, Value around)
    {
        var (e, x) = (c.E, c[0]);
        var places = e.Numbers(e.SizeOf(x, -1));
        var isOn = e.Compare("Equal", e.Unsqueeze(places, 0), e.Unsqueeze(places, 1));
        return e.Where(isOn, e.Unsqueeze(x, -1), around);
    }

    // In the order in which they are met first.
    static Value[] Unique(Call c)
    {
        var (e, type) = (c.E, c.Type("out_idx", TensorType.I32));
        var wide = e.Cast(c[0], Types.Wider(c, c[0].Type, [TensorType.F32, TensorType.F64, TensorType.I64]));
        var names = e.Graph.AddNodes("Unique", [wide.Name], 4, new OnnxAttribute("sorted", 0L));
        return [e.Cast(new Value(names[0], wide.Type, [-1]), c[0].Type), e.Cast(new Value(names[2], TensorType.I64, [-1]), type)];
    }

    // By hand: ONNX's own counts indices below 0 from the end, where TensorFlow has a row of "off".
    static Value OneHot(Call c)
    {
        var (e, indices, axis) = (c.E, c.E.Longs(c[0]), c.Int("axis", -1));
        var classes = e.Numbers(e.Reshape(e.Longs(c[1]), e.Row(1)));
        if (axis >= 0)
        {
            var after = e.Sub(e.RankOf(indices), e.Whole([], [axis]));
            classes = e.Reshape(classes, e.Sizes(e.SizeOf(classes, 0), e.Ones(after)));
        }

        return e.Where(e.Compare("Equal", e.Unsqueeze(indices, axis), classes), c[2], c[3]);
    }

    static Value Where(Call c)
    {
        var x = c[0].Type == TensorType.Bool ? c[0] : c.E.Map("Not", c.E.Compare("Equal", c[0], c.E.Scalar(0, c[0].Type)));
        var bools = x.Type == TensorType.Bool ? x : c.E.Cast(x, TensorType.Bool);
        return c.E.Transpose(c.E.Node("NonZero", [bools], TensorType.I64, [x.Rank ?? -1, -1]), 1, 0);
    }

    // A number below 0 keeps all of its triangle.
    static Value MatrixBandPart(Call c)
    {
        var (e, x) = (c.E, c[0]);
        var (lower, upper) = (e.Longs(c[1]), e.Longs(c[2]));
        var rows = e.Unsqueeze(e.Numbers(e.SizeOf(x, -2)), 1);
        var columns = e.Unsqueeze(e.Numbers(e.SizeOf(x, -1)), 0);
        var zero = e.Whole([], [0]);
        var below = Or(e, e.Compare("Less", lower, zero), e.Map("Not", e.Compare("Greater", e.Sub(rows, columns), lower)));
        var above = Or(e, e.Compare("Less", upper, zero), e.Map("Not", e.Compare("Greater", e.Sub(columns, rows), upper)));
        return e.Where(e.Compare("And", below, above), x, e.Scalar(0, x.Type));
    }

    static Value Or(Emitter e, Value x, Value y) => e.Compare("Or", x, y);
}
