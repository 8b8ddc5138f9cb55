using System.Collections.Immutable;
using Millrace.Inference.Onnx;
using Millrace.Nn;

namespace Millrace.Inference.OpenVino;

/// <summary>Reading sequences of classes out of scores.</summary>
static class Decoding
{
    public static readonly ImmutableArray<Operator> Rows =
    [
        new("CTCGreedyDecoder", 1, Greedy), new("CTCGreedyDecoderSeqLen", 6, GreedyWithLengths),
    ];

    static string Greedy(Conversion c)
    {
        var scores = c.Transpose(c.As(c.In(0), c.TypeOf(0), TensorType.F32), 1, 0, 2);
        var mask = c.Transpose(c.In(1), 1, 0);
        // A sequence ends where its mask is zero for the first time.
        var isOn = c.Cast(c.Op("Equal", [mask, c.Scalar(0, c.TypeOf(1))]), TensorType.I64);
        var counts = c.Op("CumSum", [isOn, c.Graph.AddInt(1)]);
        var isInside = c.Op("Equal", [counts, c.Graph.AddInt(0)]);
        var blank = c.Sub(c.Op("Gather", [c.Shape(scores), c.Graph.AddInt(2)]), c.Graph.AddInt(1));
        var (classes, _) = Read(c, scores, isInside, blank, c.Flag("ctc_merge_repeated", true));
        return c.Cast(c.Unsqueeze(classes, 2, 3), c.OutputType());
    }

    static string[] GreedyWithLengths(Conversion c)
    {
        var scores = c.As(c.In(0), c.TypeOf(0), TensorType.F32);
        var shape = c.Shape(scores);
        var steps = c.Op("Range", [c.Graph.AddInt(0), c.Op("Gather", [shape, c.Graph.AddInt(1)]), c.Graph.AddInt(1)]);
        var isInside = c.Op("Less", [c.Unsqueeze(steps, 0), c.Unsqueeze(c.Row(1), 1)]);
        var blank = c.Has(2) ? c.Reshape(c.Int64(2)) : c.Sub(c.Op("Gather", [shape, c.Graph.AddInt(2)]), c.Graph.AddInt(1));
        var (classes, lengths) = Read(c, scores, isInside, blank, c.Flag("merge_repeated", true));
        return [c.As(classes, TensorType.I64, c.OutputType()), c.As(lengths, TensorType.I64, c.OutputType(1))];
    }

    // Classes of [batch, time], without blanks and repeats moved to the front, -1 behind.
    static (string Classes, string Lengths) Read(Conversion c, string scores, string isInside, string blank, bool isMerged)
    {
        var best = c.Op("ArgMax", [scores], new OnnxAttribute("axis", 2), new OnnxAttribute("keepdims", 0));
        var isKept = c.Op("And", [isInside, c.Op("Not", [c.Op("Equal", [best, blank])])]);
        if (isMerged)
        {
            var before = c.Op("Pad", [c.Slice(best, 1, 0, -1), c.Ints(0, 1, 0, 0), c.Graph.AddInt(-1)]);
            isKept = c.Op("And", [isKept, c.Op("Not", [c.Op("Equal", [best, before])])]);
        }

        var kept = c.Cast(isKept, TensorType.I64);
        var places = c.Sub(c.Op("CumSum", [kept, c.Graph.AddInt(1)]), c.Graph.AddInt(1));
        var steps = c.Op("Gather", [c.Shape(best), c.Graph.AddInt(1)]);
        // What is dropped goes to one place too many, which is cut off.
        places = c.Where(isKept, places, steps);
        var empty = c.Op("Expand", [c.Graph.AddInt(-1), c.Add(c.Shape(best), c.Ints(0, 1))]);
        var classes = c.Op("ScatterElements", [empty, places, best], new OnnxAttribute("axis", 1));
        var lengths = c.Op("ReduceSum", [kept, c.Ints(1)], new OnnxAttribute("keepdims", 0));
        return (c.Slice(classes, 1, 0, -1), lengths);
    }
}
