using System.Numerics;
using Millrace.Inference.TensorFlowLite.Execution;
using Millrace.Inference.TensorFlowLite.Format;

namespace Millrace.Inference.TensorFlowLite.Kernels;

/// <summary>Products of all rows of an input with the rows of weights.</summary>
static class FullyConnected
{
    public static Kernel Of(Node node)
    {
        var (input, weights, bias) = (node.Input(0), node.Input(1), node.Optional(2));
        if (node.Options.Byte(1) != 0) throw node.Refuse("with shuffled weights");
        var activation = Activation.Of(node, 0);
        var keepsAxes = node.Options.Bool(2);
        if (input.Type == LiteType.Float32)
        {
            node.RequireType(node.Output(0), LiteType.Float32);
            if (bias is not null) node.RequireType(bias, LiteType.Float32);
            if (weights.Type is LiteType.Int8 or LiteType.UInt8) return Hybrid(node, activation, keepsAxes);
            node.RequireType(weights, LiteType.Float32);
            var reals = new Weights<RealPanels>(node, 1, static filter => Arrangement.Reals(Flat(filter), 1)[0]);
            return call => Real(call, reals.Of(call), activation, keepsAxes);
        }

        node.RequireType(input, LiteType.Int8, LiteType.UInt8, LiteType.Int16);
        Scaling.Check(node, input, weights, bias, weightAxis: 0);
        var isWide = input.Type == LiteType.Int16;
        var x = node.QuantizedInput(0);
        // Biases of 64 bits come with sums of 64 bits, which are scaled otherwise.
        var scale = Scaling.Of(node, x, node.Quantized(weights), activation, isReduced: isWide && bias?.Type == LiteType.Int64);
        var zeros = Arrangement.ZeroPoints(weights);
        var steps = new Weights<PairPanels>(node, 1, filter => Arrangement.Steps(Flat(filter), 1, zeros)[0]);
        return input.Type switch
        {
            LiteType.Int8 => call => Quantized<sbyte>(call, steps.Of(call), x.ZeroPoint, scale, keepsAxes, isWide),
            LiteType.UInt8 => call => Quantized<byte>(call, steps.Of(call), x.ZeroPoint, scale, keepsAxes, isWide),
            _ => call => Quantized<short>(call, steps.Of(call), 0, scale, keepsAxes, isWide),
        };
    }

    static LiteTensor Flat(LiteTensor weights) =>
        weights.Rank == 2 ? weights : throw new ArgumentException("weights that are no matrix");

    static (int Rows, LiteTensor Output) Place(Call call, int depth, int columns, bool keepsAxes)
    {
        var x = call.Input(0);
        call.Require(depth > 0 && x.Count % depth == 0, "its input does not fall into rows of the weights");
        var rows = x.Count / depth;
        call.Require(!keepsAxes || (x.Rank > 0 && x.Shape[^1] == depth), "its input's last size is not that of the weights");
        return (rows, keepsAxes ? call.Output(0, Sizes.With(x.Shape, x.Rank - 1, columns)) : call.Output(0, rows, columns));
    }

    static void Real(Call call, RealPanels weights, Activation activation, bool keepsAxes)
    {
        var (rows, y) = Place(call, weights.Rows, weights.Columns, keepsAxes);
        var columns = weights.Columns;
        Products.Multiply(
            call, new MatrixRows<float>(call.Input(0).Read<float>(), weights.Rows, rows), weights,
            new RealSums(y.Write<float>(), columns, 0, columns, Arrangement.RealBias(call.Optional(2)), activation));
    }

    static void Quantized<T>(Call call, PairPanels weights, int zeroPoint, Requantization scale, bool keepsAxes, bool isWide)
        where T : unmanaged, INumber<T>
    {
        var (rows, y) = Place(call, weights.Rows, weights.Columns, keepsAxes);
        var steps = call.Scratch<short>(call.Input(0).Count);
        Arrangement.Shift(call.Input(0), zeroPoint, steps);
        var columns = weights.Columns;
        Products.Multiply(
            call, new MatrixRows<short>(steps, weights.Rows, rows), weights,
            new QuantizedSums<T>(y.Write<T>(), columns, 0, columns, Arrangement.Bias(call, call.Optional(2)), scale), isWide);
    }

    static Kernel Hybrid(Node node, Activation activation, bool keepsAxes)
    {
        var quantization = node.QuantizedInput(1);
        if (quantization.IsPerChannel && quantization.Axis != 0) throw node.Refuse($"with scales along axis {quantization.Axis}");
        var isAsymmetric = node.Options.Bool(3);
        var zeros = Arrangement.ZeroPoints(node.Input(1));
        var weights = new Weights<PairPanels>(node, 1, filter => Arrangement.Steps(Flat(filter), 1, zeros)[0]);
        return call =>
        {
            var panels = weights.Of(call);
            var (rows, y) = Place(call, panels.Rows, panels.Columns, keepsAxes);
            var steps = call.Scratch<short>(call.Input(0).Count);
            var scales = call.Scratch<float>(rows);
            RuntimeQuantization.Rows(call.Input(0).Read<float>(), panels.Rows, isAsymmetric, steps, scales);
            Products.Multiply(
                call, new MatrixRows<short>(steps, panels.Rows, rows), panels,
                new HybridSums(
                    y.Write<float>(), panels.Columns, 0, panels.Columns, Arrangement.RealBias(call.Optional(2)), activation,
                    scales, 1, quantization.Scales),
                isWide: false);
        };
    }
}
