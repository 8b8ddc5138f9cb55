using System.Collections.Immutable;
using Millrace.Inference.Onnx;
using Millrace.Nn;

namespace Millrace.Inference.TensorFlow.Operators;

/// <summary>The largest, and the boxes that do not overlap. Of equal ones the first comes first.</summary>
static class Sorting
{
    public static readonly Operator[] Rows =
    [
        new("TopKV2", c => Top(c, c.E.Longs(c[1]), c.Type("index_type", TensorType.I32))),
        new("TopK", c => Top(c, c.E.Whole([], [c.Int("k", 1)]), TensorType.I32)),
        new("NonMaxSuppression", c => Boxes(c, c.E.Scalar(c.Float("iou_threshold", 0.5f), TensorType.F32), null)),
        new("NonMaxSuppressionV2", c => Boxes(c, c[3], null)),
        new("NonMaxSuppressionV3", c => Boxes(c, c[3], c[4])),
        new("NonMaxSuppressionV4", Padded),
    ];

    static Value[] Top(Call c, Value count, TensorType indexType)
    {
        var e = c.E;
        var wide = e.Cast(c[0], Types.Wider(c, c[0].Type, Types.Numbers));
        ImmutableArray<long> shape = wide.Rank is null ? default
            : wide.Shape.SetItem(wide.Shape.Length - 1, count.IsKnown ? count.Known[0] : -1);
        var sorted = c.Bool("sorted", true);
        var names = e.Graph.AddNodes("TopK", [wide.Name, e.Reshape(count, e.Row(1)).Name], 2, new OnnxAttribute("sorted", sorted ? 1L : 0));
        return [e.Cast(new Value(names[0], wide.Type, shape), c[0].Type), e.Cast(new Value(names[1], TensorType.I64, shape), indexType)];
    }

    // ONNX has batches and classes; here there is one of each.
    static Value Boxes(Call c, Value overlap, Value? score)
    {
        var e = c.E;
        var boxes = e.Unsqueeze(e.Cast(c[0], TensorType.F32), 0);
        var scores = e.Unsqueeze(e.Cast(c[1], TensorType.F32), 0, 1);
        var count = e.Reshape(e.Longs(c[2]), e.Row(1));
        var overlaps = e.Reshape(e.Cast(overlap, TensorType.F32), e.Row(1));
        Value?[] inputs = score is null
            ? [boxes, scores, count, overlaps]
            : [boxes, scores, count, overlaps, e.Reshape(e.Cast(score, TensorType.F32), e.Row(1))];
        var picked = e.Node("NonMaxSuppression", inputs, TensorType.I64, [-1, 3]);
        return e.Cast(e.Gather(picked, e.Whole([], [2]), axis: 1), TensorType.I32);
    }

    static Value[] Padded(Call c)
    {
        var (e, picked) = (c.E, Boxes(c, c[3], c[4]));
        var count = e.SizeOf(picked, 0);
        var valid = e.Cast(e.Squeeze(count, 0), TensorType.I32);
        if (!c.Bool("pad_to_max_output_size", false)) return [picked, valid];
        var missing = e.Sub(e.Reshape(e.Longs(c[2]), e.Row(1)), count);
        return [e.Node("Pad", [picked, e.Sizes(e.Row(0), missing), e.Scalar(0, TensorType.I32)], TensorType.I32, [-1]), valid];
    }
}
