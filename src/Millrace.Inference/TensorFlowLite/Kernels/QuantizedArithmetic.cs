using System.Numerics;
using Millrace.Inference.TensorFlowLite.Execution;
using Millrace.Inference.TensorFlowLite.Format;

namespace Millrace.Inference.TensorFlowLite.Kernels;

/// <summary>Sums, products and their like of quantized tensors, in whole numbers throughout.</summary>
static class QuantizedArithmetic
{
    public static Kernel Sum(Node node, int sign)
    {
        var (a, b, y) = Check(node);
        var (min, max) = Activation.Of(node, 0).Steps(node.Type, y);
        if (node.Type == LiteType.Int16 && node.Options.Bool(1, absent: true) && PowersOfTwo(a, b, y) is var (shiftA, shiftB))
        {
            node.Require(shiftA <= 0 && shiftB <= 0, "an input's scale is greater than the output's");
            return Run(node.Type, new ShiftedSum(-shiftA, -shiftB, sign, min, max));
        }

        // Room for the rounding: the inputs are moved left before they are brought to a common scale.
        var left = node.Type == LiteType.Int16 ? 15 : 20;
        var twice = 2.0 * Math.Max(a.Scale, b.Scale);
        return Run(node.Type, new ScaledSum(
            new Term(a.ZeroPoint, left, Multiplier.Of(a.Scale / twice)), new Term(b.ZeroPoint, left, Multiplier.Of(b.Scale / twice)),
            Multiplier.Of(twice / ((1 << left) * (double)y.Scale)), sign, y.ZeroPoint, min, max));
    }

    public static Kernel Product(Node node)
    {
        var (a, b, y) = Check(node);
        var (min, max) = Activation.Of(node, 0).Steps(node.Type, y);
        return Run(node.Type, new ScaledProduct(
            a.ZeroPoint, b.ZeroPoint, Multiplier.Of((double)a.Scale * b.Scale / y.Scale), y.ZeroPoint, min, max));
    }

    public static Kernel Quotient(Node node)
    {
        node.RequireType(node.Input(0), LiteType.UInt8, LiteType.Int8);
        var (a, b, y) = Check(node);
        var (min, max) = Activation.Of(node, 0).Steps(node.Type, y);
        return Run(node.Type, new ScaledQuotient(
            a.ZeroPoint, b.ZeroPoint, Multiplier.Of(a.Scale / ((double)b.Scale * y.Scale)), y.ZeroPoint, min, max));
    }

    public static Kernel SquaredDifference(Node node)
    {
        node.RequireType(node.Input(0), LiteType.Int8);
        var (a, b, y) = Check(node);
        var (min, max) = Activation.Range(node.Type);
        const int Left = 7;
        var twice = 2.0 * Math.Max(a.Scale, b.Scale);
        return Run(node.Type, new SquaredDifferenceOf(
            new Term(a.ZeroPoint, Left, Multiplier.Of(a.Scale / twice)), new Term(b.ZeroPoint, Left, Multiplier.Of(b.Scale / twice)),
            Multiplier.Of(twice * twice / ((1 << (Left * 2)) * (double)y.Scale)), y.ZeroPoint, min, max));
    }

    static (Quantization A, Quantization B, Quantization Y) Check(Node node)
    {
        node.RequireType(node.Input(0), LiteType.Int8, LiteType.UInt8, LiteType.Int16);
        node.RequireSameType(node.Input(0), node.Input(1));
        node.RequireSameType(node.Input(0), node.Output(0));
        var (a, b, y) = (node.QuantizedInput(0), node.QuantizedInput(1), node.QuantizedOutput());
        if (node.Type == LiteType.Int16 && (a.ZeroPoint != 0 || b.ZeroPoint != 0 || y.ZeroPoint != 0))
            throw node.Refuse("of Int16 with zero points");
        return (a, b, y);
    }

    static Kernel Run<TOp>(LiteType type, TOp op) where TOp : struct, IBinary<int, int> => type switch
    {
        LiteType.Int8 => call => Stretching.Apply<sbyte, sbyte, Narrow<sbyte, TOp>>(call, new Narrow<sbyte, TOp>(op)),
        LiteType.UInt8 => call => Stretching.Apply<byte, byte, Narrow<byte, TOp>>(call, new Narrow<byte, TOp>(op)),
        _ => call => Stretching.Apply<short, short, Narrow<short, TOp>>(call, new Narrow<short, TOp>(op)),
    };

    static (int A, int B)? PowersOfTwo(Quantization a, Quantization b, Quantization y) =>
        Log2(a.Scale) is { } left && Log2(b.Scale) is { } right && Log2(y.Scale) is { } result ? (left - result, right - result) : null;

    /// <summary>The exponent of a scale that is a power of two, as nearly as scales are stored.</summary>
    public static int? Log2(float scale)
    {
        var exact = Math.Log2(scale);
        var rounded = Math.Round(exact);
        return Math.Abs(exact - rounded) < 1e-3 ? (int)rounded : null;
    }

    readonly struct Narrow<T, TOp>(TOp op) : IBinary<T, T> where T : unmanaged, INumber<T> where TOp : struct, IBinary<int, int>
    {
        public T Apply(T a, T b) => T.CreateTruncating(op.Apply(int.CreateTruncating(a), int.CreateTruncating(b)));
    }

    readonly record struct Term(int ZeroPoint, int Left, Multiplier Multiplier)
    {
        public int Scaled(int x) => Multiplier.Apply((x - ZeroPoint) << Left);
    }

    readonly struct ScaledSum(Term a, Term b, Multiplier output, int sign, int zeroPoint, int min, int max) : IBinary<int, int>
    {
        public int Apply(int left, int right) => Math.Clamp(output.Apply(a.Scaled(left) + sign * b.Scaled(right)) + zeroPoint, min, max);
    }

    readonly struct ShiftedSum(int shiftA, int shiftB, int sign, int min, int max) : IBinary<int, int>
    {
        public int Apply(int left, int right)
        {
            var sum = FixedPoint.DivideByPowerOfTwo(left, shiftA) + sign * FixedPoint.DivideByPowerOfTwo(right, shiftB);
            return Math.Clamp(Math.Clamp(sum, short.MinValue, short.MaxValue), min, max);
        }
    }

    readonly struct ScaledProduct(int zeroA, int zeroB, Multiplier output, int zeroPoint, int min, int max) : IBinary<int, int>
    {
        public int Apply(int left, int right) => Math.Clamp(output.Apply((left - zeroA) * (right - zeroB)) + zeroPoint, min, max);
    }

    readonly struct SquaredDifferenceOf(Term a, Term b, Multiplier output, int zeroPoint, int min, int max) : IBinary<int, int>
    {
        public int Apply(int left, int right)
        {
            var difference = a.Scaled(left) - b.Scaled(right);
            return Math.Clamp(output.Apply(difference * difference) + zeroPoint, min, max);
        }
    }

    readonly struct ScaledQuotient(int zeroA, int zeroB, Multiplier output, int zeroPoint, int min, int max) : IBinary<int, int>
    {
        public int Apply(int left, int right)
        {
            var (a, b) = (left - zeroA, right - zeroB);
            if (b == 0) throw new DivideByZeroException();
            if (b < 0) (a, b) = (-a, -b);
            var inverse = FixedPoint.Reciprocal(b, 31, out var bits);
            // As many bits to the left as the sign leaves free.
            var headroom = a == 0 ? 31 : BitOperations.LeadingZeroCount((uint)(a < 0 ? ~a : a)) - 1;
            var quotient = FixedPoint.HighMultiply(a << headroom, inverse);
            var shift = output.Shift - bits - headroom;
            var scaled = shift > 0 ? FixedPoint.ShiftLeft(FixedPoint.HighMultiply(quotient, output.Value), shift)
                : FixedPoint.DivideByPowerOfTwo(FixedPoint.HighMultiply(quotient, output.Value), Math.Min(31, -shift));
            return Math.Clamp(scaled + zeroPoint, min, max);
        }
    }
}
