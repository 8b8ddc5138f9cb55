using System.Numerics;
using Millrace.Inference.TensorFlowLite.Execution;
using Millrace.Inference.TensorFlowLite.Format;

namespace Millrace.Inference.TensorFlowLite.Kernels;

/// <summary>Between reals and steps, between types.</summary>
static class Quantizing
{
    public static Kernel Quantize(Node node)
    {
        var (input, output) = (node.Input(0), node.Output(0));
        node.RequireType(output, LiteType.Int8, LiteType.UInt8, LiteType.Int16, LiteType.Int32);
        var y = node.QuantizedOutput();
        var (min, max) = Activation.Range(output.Type);
        if (input.Type == LiteType.Float32)
        {
            return output.Type switch
            {
                LiteType.Int8 => call => FromReal<sbyte>(call, y, min, max),
                LiteType.UInt8 => call => FromReal<byte>(call, y, min, max),
                LiteType.Int16 => call => FromReal<short>(call, y, min, max),
                _ => throw node.Refuse("from Float32 to Int32"),
            };
        }

        var x = node.QuantizedInput(0);
        if (x.IsPerChannel || y.IsPerChannel) throw node.Refuse("between quantizations with a scale for each channel");
        var scale = new Rescaling(x.ZeroPoint, Multiplier.Of((double)x.Scale / y.Scale), y.ZeroPoint, min, max);
        return input.Type switch
        {
            LiteType.Int8 => Rescale<sbyte>(output.Type, scale),
            LiteType.UInt8 => Rescale<byte>(output.Type, scale),
            LiteType.Int16 => Rescale<short>(output.Type, scale),
            LiteType.Int32 => Rescale<int>(output.Type, scale),
            _ => throw node.Refuse($"of {input.Type}"),
        };
    }

    public static Kernel Dequantize(Node node)
    {
        node.RequireType(node.Output(0), LiteType.Float32);
        return node.Type switch
        {
            LiteType.Float16 => static call => Halves(call),
            LiteType.Int8 => ToReal<sbyte>(node.QuantizedInput(0)),
            LiteType.UInt8 => ToReal<byte>(node.QuantizedInput(0)),
            LiteType.Int16 => ToReal<short>(node.QuantizedInput(0)),
            _ => throw node.Refuse($"of {node.Type}"),
        };
    }

    public static Kernel FakeQuant(Node node)
    {
        node.RequireType(node.Input(0), LiteType.Float32);
        var (min, max, bits) = (node.Options.Single(0), node.Options.Single(1), node.Options.Int(2));
        node.Require(min <= 0 && max >= 0 && bits is >= 2 and <= 16, "its range or its bits are wrong");
        // The range is moved so that zero is a step.
        float low = node.Options.Bool(3) ? 1 : 0, high = (1 << bits) - 1;
        var scale = (max - min) / (high - low);
        var zero = MathF.Round(Math.Clamp(low - min / scale, low, high), MidpointRounding.AwayFromZero);
        var op = new Faked((low - zero) * scale, (high - zero) * scale, scale);
        return Elementwise.Real(node, op);
    }

    public static Kernel Cast(Node node) => node.Type switch
    {
        LiteType.Float32 => CastFrom<float>(node),
        LiteType.Float64 => CastFrom<double>(node),
        LiteType.Float16 => CastFrom<Half>(node),
        LiteType.Int8 => CastFrom<sbyte>(node),
        LiteType.UInt8 => CastFrom<byte>(node),
        LiteType.Int16 => CastFrom<short>(node),
        LiteType.UInt16 => CastFrom<ushort>(node),
        LiteType.Int32 => CastFrom<int>(node),
        LiteType.UInt32 => CastFrom<uint>(node),
        LiteType.Int64 => CastFrom<long>(node),
        LiteType.Bool => CastFrom<byte>(node),
        _ => throw node.Refuse($"of {node.Type}"),
    };

    public static Kernel Bitcast(Node node)
    {
        var (from, to) = (ElementTypes.Bytes(node.Type), ElementTypes.Bytes(node.Output(0).Type));
        return call =>
        {
            var input = call.Input(0);
            int[] shape = from == to ? input.Shape
                : from > to ? [.. input.Shape, from / to]
                : input.Rank > 0 && input.Shape[^1] == to / from
                    ? input.Shape[..^1] : throw call.Wrong("the last size does not make up one element");
            input.Bytes.CopyTo(call.Output(0, shape).Bytes);
        };
    }

    static void FromReal<T>(Call call, Quantization to, int min, int max) where T : unmanaged, INumber<T>
    {
        var input = call.Input(0);
        var x = input.Read<float>();
        var y = call.Output(0, input.Shape).Write<T>();
        var inner = to.IsPerChannel ? Sizes.Product(input.Shape.AsSpan(to.Axis + 1)) : Math.Max(1, y.Length);
        for (int at = 0, channel = 0; at < y.Length; at += inner, channel = (channel + 1) % to.Scales.Length)
        {
            var (scale, zero) = (to.Scales[channel], to.ZeroPoints[channel]);
            var from = x.Slice(at, inner);
            var into = y.Slice(at, inner);
            for (var i = 0; i < into.Length; i++)
            {
                var step = MathF.Round(from[i] / scale, MidpointRounding.AwayFromZero) + (double)zero;
                into[i] = T.CreateTruncating((int)Math.Clamp(step, min, max));
            }
        }
    }

    static Kernel ToReal<T>(Quantization from) where T : unmanaged, INumber<T> => call =>
    {
        var input = call.Input(0);
        var x = input.Read<T>();
        var y = call.Output(0, input.Shape).Write<float>();
        var inner = from.IsPerChannel ? Sizes.Product(input.Shape.AsSpan(from.Axis + 1)) : Math.Max(1, y.Length);
        for (int at = 0, channel = 0; at < y.Length; at += inner, channel = (channel + 1) % from.Scales.Length)
        {
            var (scale, zero) = ((double)from.Scales[channel], from.ZeroPoints[channel]);
            for (var i = at; i < at + inner; i++) y[i] = (float)(scale * (int.CreateTruncating(x[i]) - zero));
        }
    };

    static void Halves(Call call)
    {
        var input = call.Input(0);
        var x = input.Read<Half>();
        var y = call.Output(0, input.Shape).Write<float>();
        for (var i = 0; i < y.Length; i++) y[i] = (float)x[i];
    }

    static Kernel Rescale<TIn>(LiteType to, Rescaling scale) where TIn : unmanaged, INumber<TIn> => to switch
    {
        LiteType.Int8 => call => Rescale<TIn, sbyte>(call, scale),
        LiteType.UInt8 => call => Rescale<TIn, byte>(call, scale),
        LiteType.Int16 => call => Rescale<TIn, short>(call, scale),
        _ => call => Rescale<TIn, int>(call, scale),
    };

    static void Rescale<TIn, TOut>(Call call, Rescaling scale) where TIn : unmanaged, INumber<TIn> where TOut : unmanaged, INumber<TOut>
    {
        var input = call.Input(0);
        var x = input.Read<TIn>();
        var y = call.Output(0, input.Shape).Write<TOut>();
        for (var i = 0; i < y.Length; i++) y[i] = TOut.CreateTruncating(scale.Apply(int.CreateTruncating(x[i])));
    }

    static Kernel CastFrom<TIn>(Node node) where TIn : unmanaged, INumber<TIn> => node.Output(0).Type switch
    {
        LiteType.Float32 => Cast<TIn, float>,
        LiteType.Float64 => Cast<TIn, double>,
        LiteType.Float16 => Cast<TIn, Half>,
        LiteType.Int8 => Cast<TIn, sbyte>,
        LiteType.UInt8 => Cast<TIn, byte>,
        LiteType.Int16 => Cast<TIn, short>,
        LiteType.UInt16 => Cast<TIn, ushort>,
        LiteType.Int32 => Cast<TIn, int>,
        LiteType.UInt32 => Cast<TIn, uint>,
        LiteType.Int64 => Cast<TIn, long>,
        LiteType.Bool => ToBool<TIn>,
        var to => throw node.Refuse($"to {to}"),
    };

    static void Cast<TIn, TOut>(Call call) where TIn : unmanaged, INumber<TIn> where TOut : unmanaged, INumber<TOut>
    {
        var input = call.Input(0);
        var x = input.Read<TIn>();
        var y = call.Output(0, input.Shape).Write<TOut>();
        for (var i = 0; i < y.Length; i++) y[i] = TOut.CreateTruncating(x[i]);
    }

    static void ToBool<TIn>(Call call) where TIn : unmanaged, INumber<TIn>
    {
        var input = call.Input(0);
        var x = input.Read<TIn>();
        var y = call.Output(0, input.Shape).Write<byte>();
        for (var i = 0; i < y.Length; i++) y[i] = (byte)(x[i] == TIn.Zero ? 0 : 1);
    }

    readonly record struct Rescaling(int From, Multiplier Scale, int To, int Min, int Max)
    {
        public int Apply(int x) => (int)Math.Clamp((long)Scale.Apply(x - From) + To, Min, Max);
    }

    readonly struct Faked(float low, float high, float scale) : IUnary<float>
    {
        public float Apply(float x) => MathF.Round((Math.Clamp(x, low, high) - low) / scale, MidpointRounding.AwayFromZero) * scale + low;
    }
}
