using Millrace.Inference.Onnx;

namespace Millrace.Inference.TensorFlow.Operators;

/// <summary>Normalisation over a batch, as trained, and over neighbouring channels.</summary>
static class Normalizing
{
    public static readonly Operator[] Rows =
    [
        new(["FusedBatchNorm", "FusedBatchNormV2", "FusedBatchNormV3"], Batch),
        new("LRN", c => Types.Widened(c, Types.Singles, x => Local(c, x[0]))),
    ];

    static Value[] Batch(Call c)
    {
        if (c.Bool("is_training", true)) throw c.Refuse("it is set to train (is_training): freeze the graph for inference");
        var (e, x) = (c.E, c[0]);
        Types.Wider(c, x.Type, Types.Fractions);
        var first = c.Text("data_format", "NHWC") is "NCHW" or "NCDHW";
        var rank = c.Text("data_format", "NHWC").Length;
        var input = e.Cast(first ? x : e.Transpose(x, [0, rank - 1, .. Enumerable.Range(1, rank - 2)]), c[1].Type);
        var normal = e.Node("BatchNormalization", [input, c[1], c[2], c[3], c[4]], input.Type, input.Shape,
            new OnnxAttribute("epsilon", c.Float("epsilon", 1e-4f)));
        var back = e.Cast(first ? normal : e.Transpose(normal, [0, .. Enumerable.Range(2, rank - 2), 1]), x.Type);
        return [back, c[3], c[4], c[3], c[4], c[4]];
    }

    // ONNX divides alpha by the size of the window.
    static Value Local(Call c, Value x)
    {
        var (e, size) = (c.E, 2 * c.Int("depth_radius", 5) + 1);
        var input = e.Transpose(x, 0, 3, 1, 2);
        var normal = e.Node("LRN", [input], x.Type, input.Shape, new OnnxAttribute("size", size),
            new OnnxAttribute("alpha", c.Float("alpha", 1) * size), new OnnxAttribute("beta", c.Float("beta", 0.5f)),
            new OnnxAttribute("bias", c.Float("bias", 1)));
        return e.Transpose(normal, 0, 2, 3, 1);
    }
}
