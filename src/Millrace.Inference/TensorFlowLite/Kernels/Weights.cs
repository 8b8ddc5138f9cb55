using Millrace.Inference.TensorFlowLite.Execution;
using Millrace.Inference.TensorFlowLite.Format;

namespace Millrace.Inference.TensorFlowLite.Kernels;

/// <summary>Weights as the kernels read them: arranged once where the model holds them, else at every run.</summary>
sealed class Weights<T>(Node node, int index, Func<LiteTensor, T> arrange) where T : class
{
    readonly T? _constant = node.Input(index).IsConstant ? Arranged(node, new(node.Input(index)), arrange) : null;

    public T Of(Call call) => _constant ?? arrange(call.Input(index));

    // As kernels read them, an element has four bytes at most.
    static T Arranged(Node node, LiteTensor tensor, Func<LiteTensor, T> arrange)
    {
        node.Model.CountCopy(4L * tensor.Count);
        return arrange(tensor);
    }
}

/// <summary>Rows of weights, one for each output channel, turned into columns.</summary>
static class Arrangement
{
    /// <summary>By group: channels of a group see a part of the image's channels only.</summary>
    public static RealPanels[] Reals(LiteTensor weights, int groups)
    {
        var values = weights.Read<float>().ToArray();
        return Groups(weights, groups, (rows, columns, first) =>
            new RealPanels(rows, columns, (row, column) => values[(first + column) * rows + row]));
    }

    /// <summary>Of steps, their zero points taken off.</summary>
    public static PairPanels[] Steps(LiteTensor weights, int groups, int[] zeroPoints)
    {
        var values = Shifted(weights, 0);
        return Groups(weights, groups, (rows, columns, first) => new PairPanels(
            rows, columns, (row, column) =>
                values[(first + column) * rows + row] - zeroPoints[zeroPoints.Length == 1 ? 0 : first + column]));
    }

    /// <summary>8-bit or 16-bit steps with a zero point taken off.</summary>
    public static short[] Shifted(LiteTensor tensor, int zeroPoint)
    {
        var values = new short[tensor.Count];
        Shift(tensor, zeroPoint, values);
        return values;
    }

    public static void Shift(LiteTensor tensor, int zeroPoint, Span<short> into, int start = 0)
    {
        switch (tensor.Type)
        {
            case LiteType.UInt8:
                var bytes = tensor.Read<byte>().Slice(start, into.Length);
                for (var i = 0; i < into.Length; i++) into[i] = (short)(bytes[i] - zeroPoint);
                break;
            case LiteType.Int8:
                var signed = tensor.Read<sbyte>().Slice(start, into.Length);
                for (var i = 0; i < into.Length; i++) into[i] = (short)(signed[i] - zeroPoint);
                break;
            default:
                tensor.Read<short>().Slice(start, into.Length).CopyTo(into);
                break;
        }
    }

    public static int[] ZeroPoints(TensorSpec weights) => weights.Quantization?.ZeroPoints ?? [0];

    /// <summary>Biases of whole numbers, of 32 or 64 bits; empty where there are none.</summary>
    public static ReadOnlySpan<long> Bias(Call call, LiteTensor? bias)
    {
        if (bias is null) return default;
        if (bias.Type == LiteType.Int64) return bias.Read<long>();
        var narrow = bias.Read<int>();
        var wide = call.Scratch<long>(narrow.Length);
        for (var i = 0; i < wide.Length; i++) wide[i] = narrow[i];
        return wide;
    }

    public static ReadOnlySpan<float> RealBias(LiteTensor? bias) => bias is null ? default : bias.Read<float>();

    static T[] Groups<T>(LiteTensor weights, int groups, Func<int, int, int, T> make)
    {
        var columns = weights.Shape[0];
        var rows = Sizes.Product(weights.Shape.AsSpan(1));
        var each = columns / groups;
        if (each * groups != columns) throw new ArgumentException("channels do not fall into equal groups");
        var panels = new T[groups];
        for (var group = 0; group < groups; group++) panels[group] = make(rows, each, group * each);
        return panels;
    }
}

/// <summary>What makes steps of an output of sums over inputs and weights.</summary>
static class Scaling
{
    /// <param name="isReduced">16-bit inputs whose sums have more than 32 bits.</param>
    public static Requantization Of(Node node, Quantization input, Quantization weights, Activation activation, bool isReduced)
    {
        var output = node.QuantizedOutput();
        var (min, max) = activation.Steps(node.Output(0).Type, output);
        var scales = weights.Scales.Select(scale => Multiplier.Of((double)input.Scale * scale / output.Scale)).ToArray();
        if (isReduced) node.Require(scales.All(static scale => scale.Shift < 8), "the output's scale is too small");
        return new Requantization(scales, output.ZeroPoint, min, max, isReduced);
    }

    /// <summary>Checks inputs, weights and biases of a quantized product; refuses what has no kernel.</summary>
    public static void Check(Node node, TensorSpec input, TensorSpec weights, TensorSpec? bias, int weightAxis)
    {
        var quantization = node.Quantized(weights);
        var wanted = input.Type == LiteType.UInt8 ? LiteType.UInt8 : LiteType.Int8;
        if (weights.Type != wanted) throw node.Refuse($"of {input.Type} with weights of {weights.Type}");
        node.RequireType(node.Output(0), input.Type);
        if (quantization.IsPerChannel && quantization.Axis != weightAxis) throw node.Refuse($"with scales along axis {quantization.Axis}");
        if (weights.Type == LiteType.Int8 && quantization.ZeroPoints.Any(static zero => zero != 0))
            throw node.Refuse("with zero points of 8-bit signed weights");
        if (input.Type == LiteType.Int16 && node.Quantized(input).ZeroPoint != 0) throw node.Refuse("of 16 bits with a zero point");
        if (bias is not null) node.RequireType(bias, LiteType.Int32, LiteType.Int64);
    }
}
