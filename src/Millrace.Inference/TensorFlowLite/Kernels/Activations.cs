using Millrace.Inference.TensorFlowLite.Execution;
using Millrace.Inference.TensorFlowLite.Format;

namespace Millrace.Inference.TensorFlowLite.Kernels;

/// <summary>Activations that are operators of their own.</summary>
static class Activations
{
    /// <summary>The logistic function at i/24 in 16 bits: both it and tanh are read from here.</summary>
    static readonly int[] LogisticTable = [.. Enumerable.Range(0, 256).Select(LogisticKnot)];

    public static Kernel Relu(Node node) => Bounded(node, 0, float.PositiveInfinity);

    public static Kernel ReluOne(Node node) => Bounded(node, -1, 1);

    public static Kernel ReluZeroToOne(Node node) => Bounded(node, 0, 1);

    public static Kernel ReluSix(Node node) => Bounded(node, 0, 6);

    public static Kernel Elu(Node node) =>
        node.Type == LiteType.Int8 ? Tables.Real(node, EluOf.Of) : Elementwise.Real<EluOf>(node);

    public static Kernel Gelu(Node node)
    {
        var isApproximate = node.Options.Bool(0);
        Func<float, float> function = isApproximate ? ApproximateGelu.Of : ExactGelu.Of;
        if (node.Type is LiteType.Int8 or LiteType.UInt8) return Tables.Real(node, function);
        return isApproximate ? Elementwise.Real<ApproximateGelu>(node) : Elementwise.Real<ExactGelu>(node);
    }

    public static Kernel Logistic(Node node)
    {
        if (node.Type == LiteType.Int16) return Sixteen(node, isTanh: false);
        if (node.Type == LiteType.Float32) return Elementwise.Real<LogisticOf>(node);
        node.Require(node.QuantizedOutput().Scale == 1f / 256, "the output's scale is not 1/256");
        return Tables.Real(node, LogisticOf.Of);
    }

    public static Kernel Tanh(Node node) => node.Type switch
    {
        LiteType.Float32 => Elementwise.Real<TanhOf>(node),
        LiteType.Int16 => Sixteen(node, isTanh: true),
        _ => Tables.Real(node, MathF.Tanh),
    };

    public static Kernel HardSwish(Node node)
    {
        if (node.Type == LiteType.Float32) return Elementwise.Real<HardSwishOf>(node);
        node.RequireType(node.Input(0), LiteType.Int8, LiteType.UInt8);
        var (x, y) = (node.QuantizedInput(0), node.QuantizedOutput());
        var fine = 1f / 128 * x.Scale;
        var output = Multiplier.Of(fine / y.Scale);
        var gate = Multiplier.Of(fine / (3f / 32768));
        node.Require(output.Shift <= 0, "the output's scale is too small");
        return Tables.Steps(node, step => HardSwishStep(step - x.ZeroPoint, output, gate) + y.ZeroPoint);
    }

    public static Kernel LeakyRelu(Node node)
    {
        var alpha = node.Options.Single(0);
        if (node.Type == LiteType.Float32) return Elementwise.Real(node, new LeakyReluOf(alpha));
        var (x, y) = (node.QuantizedInput(0), node.QuantizedOutput());
        var negative = Multiplier.Of(x.Scale * alpha / y.Scale);
        var positive = Multiplier.Of(x.Scale / y.Scale);
        // A negative slope turns the sign; factors are kept without one.
        var mirrored = alpha < 0 ? Multiplier.Of(x.Scale * -alpha / y.Scale) : default;
        return Tables.Steps(node, step =>
        {
            var value = step - x.ZeroPoint;
            var scaled = value >= 0 ? positive.Apply(value) : alpha < 0 ? mirrored.Apply(-value) : negative.Apply(value);
            return scaled + y.ZeroPoint;
        });
    }

    public static Kernel Prelu(Node node)
    {
        node.RequireSameType(node.Input(0), node.Input(1));
        node.RequireSameType(node.Input(0), node.Output(0));
        if (node.Type == LiteType.Float32) return static call => Stretching.Apply<float, float, PreluOf>(call, default);
        node.RequireType(node.Input(0), LiteType.Int8, LiteType.UInt8);
        var (x, alpha, y) = (node.QuantizedInput(0), node.QuantizedInput(1), node.QuantizedOutput());
        var op = new QuantizedPrelu(
            x.ZeroPoint, alpha.ZeroPoint, y.ZeroPoint, Multiplier.Of(x.Scale / y.Scale), Multiplier.Of(x.Scale * alpha.Scale / y.Scale));
        return node.Type == LiteType.Int8 ? call => Stretching.Apply<sbyte, sbyte, QuantizedPrelu>(call, op)
            : call => Stretching.Apply<byte, byte, QuantizedPrelu>(call, op);
    }

    static Kernel Bounded(Node node, float min, float max)
    {
        var activation = new Activation(min, max);
        if (node.Type == LiteType.Float32) return Elementwise.Real(node, new Clamped(activation));
        var (x, y) = (node.QuantizedInput(0), node.QuantizedOutput());
        var (low, high) = activation.Steps(node.Type, y);
        var scale = Multiplier.Of(x.Scale / y.Scale);
        return Tables.Steps(node, step => Math.Clamp(scale.Apply(step - x.ZeroPoint) + y.ZeroPoint, low, high));
    }

    // Tanh is 2 logistic(2x) - 1, and both read between the table's entries with what is left of the bits.
    static Kernel Sixteen(Node node, bool isTanh)
    {
        var (x, y) = (node.QuantizedInput(0), node.QuantizedOutput());
        node.Require(x.ZeroPoint == 0 && y.ZeroPoint == 0, "16-bit tensors have no zero point");
        node.Require(y.Scale == 1f / 32768, "the output's scale is not 1/32768");
        var (factor, shift) = (3, 0);
        var power = QuantizedArithmetic.Log2(x.Scale) + 12;
        if (power == 0 || (isTanh && power == 1))
        {
            factor <<= power.Value;
        }
        else
        {
            var real = x.Scale * 4096.0 * 3.0;
            while (real <= 32767 / 2.0 && shift <= 30)
            {
                shift++;
                real *= 2;
            }

            factor = (int)real;
        }

        var round = shift > 0 ? 1 << (shift - 1) : 0;
        return Tables.Steps(node, step =>
        {
            var input = (int)(((long)step * factor + round) >> shift);
            return isTanh ? TanhAt(input) : LogisticAt(input);
        });
    }

    // Raised by half of what a straight line to the next knot falls short of halfway.
    static int LogisticKnot(int index)
    {
        static double At(double place) => 65536 / (1 + Math.Exp(-place / 24));
        var shortfall = At(index + 0.5) - (At(index) + At(index + 1)) / 2;
        return index == 255 ? 65535 : (int)Math.Round(At(index) + shortfall / 2);
    }

    static int LogisticAt(int input)
    {
        var magnitude = Math.Abs(input);
        var index = magnitude >> 9;
        var result = index >= 255 ? 0x7FFFL << 10
            : ((long)LogisticTable[index] << 9) + (magnitude & 0x1FF) * (long)(LogisticTable[index + 1] - LogisticTable[index]);
        result = input >= 0 ? result + (1 << 9) : (1L << 25) - result + (1 << 9) - 1;
        return (int)(result >> 10);
    }

    static int TanhAt(int input)
    {
        var magnitude = Math.Abs(input);
        var index = magnitude >> 8;
        var result = index >= 255 ? 0xFFFF << 8
            : (LogisticTable[index] << 8) + (magnitude & 0xFF) * (LogisticTable[index + 1] - LogisticTable[index]);
        result = input >= 0 ? result - (1 << 23) + (1 << 7) : -result + (1 << 23) + (1 << 7) - 1;
        return result >> 8;
    }

    // In 16 bits: x times a gate that runs from 0 at -3 to 1 at 3, each kept as fine as it can be without overflow.
    static int HardSwishStep(int value, Multiplier output, Multiplier gate)
    {
        var fine = (short)(value * 128);
        var scaled = FixedPoint.HighMultiply(fine, Sixteen(output.Value));
        var open = fine;
        if (gate.Shift > 0) open = Saturated((long)open << (gate.Shift - 1));
        open = FixedPoint.HighMultiply(open, Sixteen(gate.Value));
        if (gate.Shift > 0) open = Saturated((long)open << 1);
        if (gate.Shift < 0) open = (short)FixedPoint.DivideByPowerOfTwo(open, -gate.Shift);
        open = (short)((open + (1 << 15)) >> 1);
        var product = (short)(open * scaled / (1 << 15));
        return FixedPoint.DivideByPowerOfTwo(product, -output.Shift);
    }

    static short Saturated(long value) => (short)Math.Clamp(value, short.MinValue, short.MaxValue);

    static short Sixteen(int multiplier) =>
        multiplier >= int.MaxValue - (1 << 15) ? short.MaxValue : (short)((multiplier + (1 << 15)) >> 16);

    readonly struct Clamped(Activation activation) : IUnary<float>
    {
        public float Apply(float x) => activation.Apply(x);
    }

    readonly struct EluOf : IUnary<float>
    {
        public float Apply(float x) => Of(x);
        public static float Of(float x) => x < 0 ? MathF.Exp(x) - 1 : x;
    }

    readonly struct LogisticOf : IUnary<float>
    {
        public float Apply(float x) => Of(x);
        public static float Of(float x) => 1 / (1 + MathF.Exp(-x));
    }

    readonly struct TanhOf : IUnary<float>
    {
        public float Apply(float x) => MathF.Tanh(x);
    }

    readonly struct HardSwishOf : IUnary<float>
    {
        public float Apply(float x) => x * Math.Min(6, Math.Max(0, x + 3)) / 6;
    }

    readonly struct LeakyReluOf(float alpha) : IUnary<float>
    {
        public float Apply(float x) => x > 0 ? x : x * alpha;
    }

    readonly struct ApproximateGelu : IUnary<float>
    {
        const float RootTwoOverPi = 0.7978845608f;

        public float Apply(float x) => Of(x);
        public static float Of(float x) => 0.5f * x * (1 + MathF.Tanh(RootTwoOverPi * (x + 0.044715f * x * x * x)));
    }

    readonly struct ExactGelu : IUnary<float>
    {
        public float Apply(float x) => Of(x);
        public static float Of(float x) => (float)(0.5 * x * ErrorFunction.Complement(-x * 0.70710678118654752440));
    }

    readonly struct PreluOf : IBinary<float, float>
    {
        public float Apply(float x, float alpha) => x >= 0 ? x : x * alpha;
    }

    readonly struct QuantizedPrelu(int zeroX, int zeroAlpha, int zeroY, Multiplier positive, Multiplier negative)
        : IBinary<sbyte, sbyte>, IBinary<byte, byte>
    {
        public sbyte Apply(sbyte x, sbyte alpha) => (sbyte)Math.Clamp(Step(x, alpha), sbyte.MinValue, sbyte.MaxValue);

        public byte Apply(byte x, byte alpha) => (byte)Math.Clamp(Step(x, alpha), byte.MinValue, byte.MaxValue);

        int Step(int x, int alpha)
        {
            var value = x - zeroX;
            return (value >= 0 ? positive.Apply(value) : negative.Apply(value * (alpha - zeroAlpha))) + zeroY;
        }
    }
}
