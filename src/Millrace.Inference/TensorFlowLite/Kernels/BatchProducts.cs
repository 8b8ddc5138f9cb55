using Millrace.Inference.TensorFlowLite.Execution;
using Millrace.Inference.TensorFlowLite.Format;

namespace Millrace.Inference.TensorFlowLite.Kernels;

/// <summary>Products of matrices in pairs, the outer axes stretched to each other.</summary>
static class BatchProducts
{
    public static Kernel Of(Node node)
    {
        var (left, right) = (node.Input(0), node.Input(1));
        var (turnsLeft, turnsRight) = (node.Options.Bool(0), node.Options.Bool(1));
        if (left.Type == LiteType.Float32)
        {
            node.RequireType(node.Output(0), LiteType.Float32);
            if (right.Type == LiteType.Int8) return Hybrid(node, turnsLeft, turnsRight);
            node.RequireType(right, LiteType.Float32);
            return call => Each(call, turnsLeft, turnsRight, Real);
        }

        node.RequireType(left, LiteType.Int8, LiteType.Int16);
        node.RequireSameType(left, right);
        node.RequireSameType(left, node.Output(0));
        var (a, b, y) = (node.QuantizedInput(0), node.QuantizedInput(1), node.QuantizedOutput());
        if (b.IsPerChannel) throw node.Refuse("with a scale for each channel");
        var isWide = left.Type == LiteType.Int16;
        var (min, max) = Activation.Range(left.Type);
        var scale = new Requantization([Multiplier.Of((double)a.Scale * b.Scale / y.Scale)], y.ZeroPoint, min, max, isWide);
        return call => Each(call, turnsLeft, turnsRight, product => Quantized(call, product, a.ZeroPoint, b.ZeroPoint, scale));
    }

    delegate void Multiply(Product product);

    /// <summary>One pair: where its matrices begin, and which way round they lie.</summary>
    readonly record struct Product(
        Call Call, int Left, int Right, int Output, int Rows, int Depth, int Columns, bool TurnsLeft, bool TurnsRight)
    {
        public int LeftAt(int row, int k) => TurnsLeft ? k * Rows + row : row * Depth + k;

        public int RightAt(int k, int column) => TurnsRight ? column * Depth + k : k * Columns + column;
    }

    static void Each(Call call, bool turnsLeft, bool turnsRight, Multiply multiply)
    {
        var (a, b) = (call.Input(0), call.Input(1));
        call.Require(a.Rank >= 2 && b.Rank >= 2, "its tensors are no matrices");
        var (rows, depth) = turnsLeft ? (a.Shape[^1], a.Shape[^2]) : (a.Shape[^2], a.Shape[^1]);
        var (inner, columns) = turnsRight ? (b.Shape[^1], b.Shape[^2]) : (b.Shape[^2], b.Shape[^1]);
        call.Require(depth == inner, "its matrices do not fit");
        var outer = Sizes.Broadcast(call, a.Shape[..^2], b.Shape[..^2]);
        call.Output(0, [.. outer, rows, columns]);
        var (stepsA, stepsB) = (Sizes.StretchedStrides(a.Shape[..^2], outer), Sizes.StretchedStrides(b.Shape[..^2], outer));
        var strides = Sizes.Strides(outer);
        for (var i = 0; i < Sizes.Product(outer); i++)
        {
            var (at, from) = (0, 0);
            for (var axis = 0; axis < outer.Length; axis++)
            {
                var index = i / strides[axis] % outer[axis];
                (at, from) = (at + index * stepsA[axis], from + index * stepsB[axis]);
            }

            multiply(new Product(
                call, at * rows * depth, from * depth * columns, i * rows * columns, rows, depth, columns, turnsLeft, turnsRight));
        }
    }

    static void Real(Product product)
    {
        var call = product.Call;
        var (rows, depth, columns) = (product.Rows, product.Depth, product.Columns);
        var right = call.Input(1).Read<float>().Slice(product.Right, depth * columns).ToArray();
        var panels = new RealPanels(depth, columns, (k, column) => right[product.RightAt(k, column)]);
        var left = call.Input(0).Read<float>().Slice(product.Left, rows * depth);
        if (product.TurnsLeft)
        {
            var turned = call.Scratch<float>(rows * depth);
            for (var row = 0; row < rows; row++)
            {
                for (var k = 0; k < depth; k++) turned[row * depth + k] = left[product.LeftAt(row, k)];
            }

            left = turned;
        }
        var y = call.Written(0).Write<float>().Slice(product.Output, rows * columns);
        Products.Multiply(
            call, new MatrixRows<float>(left, depth, rows), panels, new RealSums(y, columns, 0, columns, default, Activation.Unbounded));
    }

    static PairPanels StepPanels(Product product, LiteTensor right, int zeroPoint)
    {
        var values = new short[product.Depth * product.Columns];
        Arrangement.Shift(right, zeroPoint, values, product.Right);
        return new PairPanels(product.Depth, product.Columns, (k, column) => values[product.RightAt(k, column)]);
    }

    static void Quantized(Call call, Product product, int zeroLeft, int zeroRight, Requantization scale)
    {
        var (rows, depth, columns) = (product.Rows, product.Depth, product.Columns);
        var values = call.Scratch<short>(rows * depth);
        Arrangement.Shift(call.Input(0), zeroLeft, values, product.Left);
        var left = call.Scratch<short>(rows * depth);
        for (var row = 0; row < rows; row++)
        {
            for (var k = 0; k < depth; k++) left[row * depth + k] = values[product.LeftAt(row, k)];
        }

        if (scale.IsReduced)
        {
            var into = call.Written(0).Write<short>().Slice(product.Output, rows * columns);
            var right = call.Input(1).Read<short>().Slice(product.Right, depth * columns);
            // Both factors have 16 bits: their products are added one by one.
            for (var row = 0; row < rows; row++)
            {
                for (var column = 0; column < columns; column++)
                {
                    long sum = 0;
                    for (var k = 0; k < depth; k++) sum += left[row * depth + k] * (long)right[product.RightAt(k, column)];
                    into[row * columns + column] = (short)scale.Apply(sum, 0);
                }
            }

            return;
        }

        var y = call.Written(0).Write<sbyte>().Slice(product.Output, rows * columns);
        Products.Multiply(
            call, new MatrixRows<short>(left, depth, rows), StepPanels(product, call.Input(1), zeroRight),
            new QuantizedSums<sbyte>(y, columns, 0, columns, default, scale), isWide: false);
    }

    static Kernel Hybrid(Node node, bool turnsLeft, bool turnsRight)
    {
        var quantization = node.QuantizedInput(1);
        if (quantization.IsPerChannel) throw node.Refuse("with a scale for each channel");
        var isAsymmetric = node.Options.Bool(2);
        return call => Each(call, turnsLeft, turnsRight, product =>
        {
            var (rows, depth, columns) = (product.Rows, product.Depth, product.Columns);
            var values = call.Input(0).Read<float>().Slice(product.Left, rows * depth);
            var left = call.Scratch<float>(rows * depth);
            for (var row = 0; row < rows; row++)
            {
                for (var k = 0; k < depth; k++) left[row * depth + k] = values[product.LeftAt(row, k)];
            }

            var steps = call.Scratch<short>(left.Length);
            var scales = call.Scratch<float>(rows);
            RuntimeQuantization.Rows(left, depth, isAsymmetric, steps, scales);
            var y = call.Written(0).Write<float>().Slice(product.Output, rows * columns);
            Products.Multiply(
                call, new MatrixRows<short>(steps, depth, rows), StepPanels(product, call.Input(1), 0),
                new HybridSums(y, columns, 0, columns, default, Activation.Unbounded, scales, 1, quantization.Scales), isWide: false);
        });
    }
}
