using System.Collections.Immutable;
using Millrace.Inference.Onnx;
using Millrace.Nn;

namespace Millrace.Inference.OpenVino;

/// <summary>Bags of embeddings: rows of a table, added up bag by bag.</summary>
static class Embeddings
{
    public static readonly ImmutableArray<Operator> Rows =
    [
        new("EmbeddingBagOffsetsSum", 3, Offsets), new("EmbeddingBagOffsets", 15, Offsets),
        new("EmbeddingBagPackedSum", 3, Packed), new("EmbeddingBagPacked", 15, Packed),
        new("EmbeddingSegmentsSum", 3, Segments),
    ];

    static string Packed(Conversion c)
    {
        var rows = c.Op("Gather", [c.In(0), c.Int64(1)]);
        if (c.Has(2)) rows = c.Mul(rows, Spread(c, c.In(2), 2, c.RankOf(0) - 1));
        return c.Op(IsMean(c) ? "ReduceMean" : "ReduceSum", [rows, c.Ints(1)], new OnnxAttribute("keepdims", 0));
    }

    // A bag begins at its offset: an index lies in the last bag that began.
    static string Offsets(Conversion c)
    {
        var (indices, offsets) = (c.Row(1), c.Row(2));
        var places = c.Op("Range", [c.Graph.AddInt(0), c.Squeeze(c.Shape(indices), 0), c.Graph.AddInt(1)]);
        var begun = c.Op("GreaterOrEqual", [c.Unsqueeze(places, 0), c.Unsqueeze(offsets, 1)]);
        var bags =
            c.Sub(c.Op("ReduceSum", [c.Cast(begun, TensorType.I64), c.Ints(0)], new OnnxAttribute("keepdims", 0)), c.Graph.AddInt(1));
        return Bags(c, indices, bags, c.Shape(offsets), defaultInput: 3, weightsInput: 4);
    }

    static string Segments(Conversion c)
    {
        var count = c.Row(3);
        return Bags(c, c.Row(1), c.Row(2), count, defaultInput: 4, weightsInput: 5);
    }

    static string Bags(Conversion c, string indices, string bags, string count, int defaultInput, int weightsInput)
    {
        var type = c.TypeOf(0);
        if (!Conversion.IsFloat(type)) throw c.Layer.Refused($"on {type}");
        var rows = c.Op("Gather", [c.In(0), indices]);
        if (c.Has(weightsInput)) rows = c.Mul(rows, Spread(c, c.In(weightsInput), 1, c.RankOf(0) - 1));
        // A matrix tells which row lies in which bag; its product with the rows is the sums.
        var numbers = c.Op("Range", [c.Graph.AddInt(0), c.Squeeze(count, 0), c.Graph.AddInt(1)]);
        var lies = c.Cast(c.Op("Equal", [c.Unsqueeze(numbers, 1), c.Unsqueeze(bags, 0)]), type);
        var sums = c.Op("MatMul", [lies, c.Reshape(rows, 0, -1)]);
        var sizes = c.Sum(lies, 1);
        if (IsMean(c)) sums = c.Div(sums, c.Op("Max", [sizes, c.Scalar(1, type)]));
        if (c.Has(defaultInput) && c.IntOf(defaultInput) is var index && index >= 0)
        {
            var row = c.Reshape(c.Op("Gather", [c.In(0), c.Ints(index)]), 1, -1);
            sums = c.Where(c.Op("Equal", [sizes, c.Scalar(0, type)]), row, sums);
        }

        return c.Op("Reshape", [sums, c.Concat(0, count, c.Slice(c.Shape(c.In(0)), 0, 1, long.MaxValue))]);
    }

    static bool IsMean(Conversion c) => c.Text("reduction", "sum") switch
    {
        "sum" => false,
        "mean" when c.InputCount < 4 || c.Layer.Type.EndsWith("Packed", StringComparison.Ordinal) => true,
        "mean" => throw c.Layer.Refused("with reduction mean and more than offsets"),
        var reduction => throw c.Layer.Malformed($"reduction is {reduction}"),
    };

    // One weight for a whole row of the table.
    static string Spread(Conversion c, string weights, int from, int axes) =>
        axes == 0 ? weights : c.Unsqueeze(weights, [.. Enumerable.Range(from, axes).Select(axis => (long)axis)]);
}
