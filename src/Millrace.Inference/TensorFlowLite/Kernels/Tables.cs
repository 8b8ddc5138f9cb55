using Millrace.Inference.TensorFlowLite.Execution;
using Millrace.Inference.TensorFlowLite.Format;

namespace Millrace.Inference.TensorFlowLite.Kernels;

/// <summary>Functions of quantized elements as tables, made when the model is loaded.</summary>
static class Tables
{
    const int Knots = 513;

    /// <summary>A function of reals, rounded to the output's steps.</summary>
    public static Kernel Real(Node node, Func<float, float> function)
    {
        var (x, y) = (node.QuantizedInput(0), node.QuantizedOutput());
        var inverse = 1 / y.Scale;
        return Steps(node, step =>
        {
            var value = function(x.Scale * (step - x.ZeroPoint));
            var rounded = MathF.Round(value * inverse, MidpointRounding.AwayFromZero) + y.ZeroPoint;
            return (int)Math.Clamp((double)rounded, int.MinValue, int.MaxValue);
        });
    }

    /// <summary>A function of steps; its results are cut to the output's range.</summary>
    public static Kernel Steps(Node node, Func<int, int> function)
    {
        node.RequireType(node.Input(0), LiteType.Int8, LiteType.UInt8, LiteType.Int16);
        node.RequireSameType(node.Input(0), node.Output(0));
        var type = node.Type;
        var (min, max) = Activation.Range(type);
        if (type == LiteType.Int16)
        {
            return call =>
            {
                var input = call.Input(0);
                var x = input.Read<short>();
                var y = call.Output(0, input.Shape).Write<short>();
                for (var i = 0; i < y.Length; i++) y[i] = (short)Math.Clamp(function(x[i]), min, max);
            };
        }

        var table = new byte[256];
        for (var i = 0; i < table.Length; i++)
            table[i] = unchecked((byte)Math.Clamp(function(type == LiteType.Int8 ? (sbyte)i : i), min, max));
        return call =>
        {
            var input = call.Input(0);
            var x = input.Read<byte>();
            var y = call.Output(0, input.Shape).Write<byte>();
            for (var i = 0; i < y.Length; i++) y[i] = table[x[i]];
        };
    }

    /// <summary>A function of 16-bit reals by interpolation between knots.</summary>
    public static Kernel Real16(Node node, Func<float, float> function)
    {
        var (x, y) = (node.QuantizedInput(0), node.QuantizedOutput());
        node.Require(y.ZeroPoint == 0, "the 16-bit output has a zero point");
        var table = Table16(function, x.Scale * (short.MinValue - x.ZeroPoint), x.Scale * (short.MaxValue - x.ZeroPoint), 1 / y.Scale);
        return Steps(node, step => Look16(table, step));
    }

    /// <summary>Knots of a function over an interval, each corrected by half the error halfway to the next.</summary>
    public static short[] Table16(Func<float, float> function, float from, float to, float scale)
    {
        const int Last = Knots - 1;
        var step = (to - from) / Last;
        var table = new short[Knots];
        for (var i = 0; i < Last; i++)
        {
            var value = Rounded(function(from + i * step) * scale);
            var halfway = Rounded(function(from + i * step + step / 2) * scale);
            var between = Rounded((function(from + (i + 1) * step) * scale + value) / 2);
            table[i] = (short)Math.Clamp(value - Rounded((between - halfway) / 2), short.MinValue, short.MaxValue);
        }

        table[Last] = (short)Math.Clamp(Rounded(function(to) * scale), short.MinValue, short.MaxValue);
        return table;
    }

    public static short Look16(short[] table, int value)
    {
        var index = 256 + (value >> 7);
        var low = table[index];
        var slope = table[index + 1] - low;
        return (short)(low + ((slope * (value & 0x7F) + 64) >> 7));
    }

    static float Rounded(float value) => MathF.Round(value, MidpointRounding.AwayFromZero);
}
