using System.Numerics;
using Millrace.Inference.TensorFlowLite.Execution;
using Millrace.Inference.TensorFlowLite.Format;

namespace Millrace.Inference.TensorFlowLite.Kernels;

/// <summary>Softmax and its logarithm along the last axis.</summary>
static class Softmaxes
{
    // Differences to the greatest are kept with 5 bits before the point: e^-16 is nothing to a sum of ones.
    const int DifferenceBits = 5;
    const int SumBits = 12;

    public static Kernel Softmax(Node node)
    {
        var beta = node.Options.Single(0);
        if (node.Type == LiteType.Float32)
        {
            node.RequireType(node.Output(0), LiteType.Float32);
            return call => Rows<float, float>(call, (x, y) => Real(x, y, beta));
        }

        var x = node.QuantizedInput(0);
        if (node.Type == LiteType.Int16) return Sixteen(node, x, beta);
        node.Require(x.Scale > 0 && beta > 0, "its scale or beta is not positive");
        var differences = Differences.Of(beta, x.Scale);
        return (node.Type, node.Output(0).Type) switch
        {
            (LiteType.Int8, LiteType.Int8) => call => Rows<sbyte, sbyte>(call, (x, y) => Quantized(x, y, differences)),
            (LiteType.Int8, LiteType.Int16) => call => Rows<sbyte, short>(call, (x, y) => Quantized(x, y, differences)),
            (LiteType.UInt8, LiteType.UInt8) => call => Rows<byte, byte>(call, (x, y) => Quantized(x, y, differences)),
            (LiteType.UInt8, LiteType.Int16) => call => Rows<byte, short>(call, (x, y) => Quantized(x, y, differences)),
            var (from, to) => throw node.Refuse($"from {from} to {to}"),
        };
    }

    public static Kernel LogSoftmax(Node node)
    {
        node.RequireSameType(node.Input(0), node.Output(0));
        if (node.Type == LiteType.Float32) return static call => Rows<float, float>(call, RealLog);
        var (x, y) = (node.QuantizedInput(0), node.QuantizedOutput());
        node.Require(y.Scale == 16f / 256, "the output's scale is not 1/16");
        node.Require(x.Scale > 0, "its scale is not positive");
        if (node.Type == LiteType.UInt8)
        {
            node.Require(y.ZeroPoint == 255, "the output's zero point is not 255");
            return call => Rows<byte, byte>(call, (row, into) => TableLog(row, into, x.Scale, y));
        }

        node.RequireType(node.Input(0), LiteType.Int8);
        node.Require(y.ZeroPoint == 127, "the output's zero point is not 127");
        var differences = Differences.Of(1, x.Scale);
        return call => Rows<sbyte, sbyte>(call, (row, into) => QuantizedLog(row, into, differences));
    }

    delegate void Row<TIn, TOut>(ReadOnlySpan<TIn> x, Span<TOut> y);

    static void Rows<TIn, TOut>(Call call, Row<TIn, TOut> row) where TIn : unmanaged where TOut : unmanaged
    {
        var input = call.Input(0);
        call.Require(input.Rank > 0, "its input is a scalar");
        var x = input.Read<TIn>();
        var y = call.Output(0, input.Shape).Write<TOut>();
        var depth = input.Shape[^1];
        for (var at = 0; at < y.Length; at += depth) row(x.Slice(at, depth), y.Slice(at, depth));
    }

    static void Real(ReadOnlySpan<float> x, Span<float> y, float beta)
    {
        var max = float.MinValue;
        foreach (var value in x) max = Math.Max(max, value);
        var sum = 0f;
        for (var i = 0; i < y.Length; i++)
        {
            y[i] = MathF.Exp((x[i] - max) * beta);
            sum += y[i];
        }

        for (var i = 0; i < y.Length; i++) y[i] /= sum;
    }

    static void RealLog(ReadOnlySpan<float> x, Span<float> y)
    {
        var max = float.MinValue;
        foreach (var value in x) max = Math.Max(max, value);
        var sum = 0f;
        foreach (var value in x) sum += MathF.Exp(value - max);
        var log = MathF.Log(sum);
        for (var i = 0; i < y.Length; i++) y[i] = x[i] - max - log;
    }

    static void Quantized<TIn, TOut>(ReadOnlySpan<TIn> x, Span<TOut> y, Differences differences)
        where TIn : unmanaged, INumber<TIn> where TOut : unmanaged, INumber<TOut>, IMinMaxValue<TOut>
    {
        var max = Max(x);
        var sum = 0;
        foreach (var value in x)
        {
            var difference = int.CreateTruncating(value) - max;
            if (difference >= differences.Min) sum += FixedPoint.DivideByPowerOfTwo(differences.Exp(difference), SumBits);
        }

        var (low, high) = (int.CreateTruncating(TOut.MinValue), int.CreateTruncating(TOut.MaxValue));
        var inverse = FixedPoint.Reciprocal(sum, SumBits, out var bits);
        var exponent = bits + 31 - (high == short.MaxValue ? 16 : 8);
        for (var i = 0; i < y.Length; i++)
        {
            var difference = int.CreateTruncating(x[i]) - max;
            var share = difference < differences.Min ? 0
                : FixedPoint.DivideByPowerOfTwo(FixedPoint.HighMultiply(inverse, differences.Exp(difference)), exponent);
            y[i] = TOut.CreateTruncating(Math.Clamp(share + low, low, high));
        }
    }

    static void QuantizedLog(ReadOnlySpan<sbyte> x, Span<sbyte> y, Differences differences)
    {
        const int OutputBits = 4;
        var max = Max(x);
        var sum = 0;
        foreach (var value in x)
        {
            if (value - max >= differences.Min) sum += FixedPoint.DivideByPowerOfTwo(differences.Exp(value - max), SumBits);
        }

        var log = FixedPoint.Log(sum);
        // What is further below than this falls out of the range of differences once the logarithm is taken off.
        var least = Math.Max(differences.Min - 1, differences.Reverse.Apply(unchecked(log + int.MinValue)));
        for (var i = 0; i < y.Length; i++)
        {
            var difference = x[i] - max;
            if (difference <= least)
            {
                y[i] = sbyte.MinValue;
                continue;
            }

            var value = FixedPoint.DivideByPowerOfTwo(differences.Scaled(difference) - log, 31 - DifferenceBits - OutputBits)
                + sbyte.MaxValue;
            y[i] = (sbyte)Math.Clamp(value, sbyte.MinValue, sbyte.MaxValue);
        }
    }

    static void TableLog(ReadOnlySpan<byte> x, Span<byte> y, float scale, Quantization output)
    {
        var max = Max(x);
        var sum = 0f;
        foreach (var value in x) sum += MathF.Exp(scale * (value - max));
        var top = (scale * max + MathF.Log(sum)) / output.Scale;
        for (var i = 0; i < y.Length; i++)
        {
            var value = MathF.Round(scale / output.Scale * x[i] - top, MidpointRounding.ToEven) + output.ZeroPoint;
            y[i] = (byte)Math.Clamp(value, byte.MinValue, byte.MaxValue);
        }
    }

    static Kernel Sixteen(Node node, Quantization x, float beta)
    {
        node.RequireType(node.Output(0), LiteType.Int16);
        node.Require(node.QuantizedOutput().ZeroPoint == 0, "the 16-bit output has a zero point");
        var exp = Tables.Table16(MathF.Exp, -10, 0, 32768);
        var inverse = Tables.Table16(static value => 1 / (1 + value), 0, 1, 32768);
        var scale = Multiplier.Of(x.Scale * beta / (10.0 / 65535.0));
        return call => Rows<short, short>(call, (row, into) => Sixteen(row, into, scale, exp, inverse));
    }

    static void Sixteen(ReadOnlySpan<short> x, Span<short> y, Multiplier scale, short[] exp, short[] inverse)
    {
        var max = Max(x);
        var sum = 0;
        for (var i = 0; i < y.Length; i++)
        {
            var difference = scale.Apply(x[i] - max) + short.MaxValue;
            y[i] = Tables.Look16(exp, Math.Clamp(difference, short.MinValue, short.MaxValue));
            sum += y[i];
        }

        var headroom = BitOperations.LeadingZeroCount((uint)sum);
        var shifted = (int)((((long)sum << (headroom - 1)) + (1 << 13)) >> 14) - ((1 << 15) + (1 << 16));
        long factor = Tables.Look16(inverse, Math.Clamp(shifted, short.MinValue, short.MaxValue));
        var shift = 31 - headroom;
        for (var i = 0; i < y.Length; i++)
            y[i] = (short)Math.Clamp((y[i] * factor + (1L << (shift - 1))) >> shift, 0, short.MaxValue);
    }

    static int Max<T>(ReadOnlySpan<T> x) where T : unmanaged, INumber<T>
    {
        var max = int.MinValue;
        foreach (var value in x) max = Math.Max(max, int.CreateTruncating(value));
        return max;
    }

    /// <summary>How differences of steps become fixed-point exponents.</summary>
    readonly record struct Differences(Multiplier Scale, int Min, Multiplier Reverse)
    {
        public static Differences Of(float beta, float scale)
        {
            var real = Math.Min(beta * (double)scale * (1 << (31 - DifferenceBits)), int.MaxValue);
            var multiplier = Multiplier.Of(real);
            var left = Math.Max(multiplier.Shift, 0);
            var radius = Math.Floor((double)((1 << DifferenceBits) - 1) * (1 << (31 - DifferenceBits)) / (1L << left));
            var reverse = Multiplier.Of(Math.ScaleB(1, 31 - left) / multiplier.Value);
            return new Differences(multiplier, -(int)radius, reverse);
        }

        public int Scaled(int difference) => Scale.Apply(difference);

        public int Exp(int difference) => FixedPoint.Exp(Scaled(difference), DifferenceBits);
    }
}
