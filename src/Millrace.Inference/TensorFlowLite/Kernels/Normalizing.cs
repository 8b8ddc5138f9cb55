using Millrace.Inference.TensorFlowLite.Execution;
using Millrace.Inference.TensorFlowLite.Format;

namespace Millrace.Inference.TensorFlowLite.Kernels;

/// <summary>Division by norms, of whole rows or of neighbouring channels.</summary>
static class Normalizing
{
    public static Kernel L2(Node node)
    {
        if (!Activation.Of(node, 0).IsNone) throw node.Refuse("with a fused activation");
        node.RequireSameType(node.Input(0), node.Output(0));
        switch (node.Type)
        {
            case LiteType.Float32:
                return static call => Rows<float>(call, Real);
            case LiteType.Int8:
                var zero = node.QuantizedInput(0).ZeroPoint;
                CheckOutput(node, 0);
                return call => Rows<sbyte>(call, (x, y) => Signed(x, y, zero));
            case LiteType.UInt8:
                var middle = node.QuantizedInput(0).ZeroPoint;
                CheckOutput(node, 128);
                return call => Rows<byte>(call, (x, y) => Unsigned(x, y, middle));
            default:
                throw node.Refuse($"of {node.Type}");
        }
    }

    public static Kernel LocalResponse(Node node)
    {
        node.RequireType(node.Input(0), LiteType.Float32);
        var radius = node.Options.Int(0);
        var (bias, alpha, beta) = (node.Options.Single(1), node.Options.Single(2), node.Options.Single(3));
        node.Require(radius >= 0, "its radius is negative");
        return call => Rows<float>(call, (x, y) =>
        {
            for (var i = 0; i < y.Length; i++)
            {
                var sum = 0f;
                for (var j = Math.Max(0, i - radius); j < Math.Min(x.Length, (long)i + radius + 1); j++) sum += x[j] * x[j];
                y[i] = x[i] * MathF.Pow(bias + alpha * sum, -beta);
            }
        });
    }

    delegate void Row<T>(ReadOnlySpan<T> x, Span<T> y);

    static void Rows<T>(Call call, Row<T> row) where T : unmanaged
    {
        var input = call.Input(0);
        call.Require(input.Rank > 0, "its input is a scalar");
        var x = input.Read<T>();
        var y = call.Output(0, input.Shape).Write<T>();
        var depth = input.Shape[^1];
        for (var at = 0; at < y.Length; at += depth) row(x.Slice(at, depth), y.Slice(at, depth));
    }

    // The output is known to lie between -1 and 1.
    static void CheckOutput(Node node, int zeroPoint)
    {
        var y = node.QuantizedOutput();
        node.Require(y.Scale == 1f / 128 && y.ZeroPoint == zeroPoint, $"the output's quantization is not 1/128 around {zeroPoint}");
    }

    static void Real(ReadOnlySpan<float> x, Span<float> y)
    {
        const float Least = 1e-6f;
        var sum = 0f;
        foreach (var value in x) sum += value * value;
        var norm = Math.Max(MathF.Sqrt(sum), Least);
        for (var i = 0; i < y.Length; i++) y[i] = x[i] / norm;
    }

    static void Signed(ReadOnlySpan<sbyte> x, Span<sbyte> y, int zero)
    {
        var sum = 0;
        foreach (var step in x) sum += (step - zero) * (step - zero);
        var root = FixedPoint.InverseSquareRoot(sum);
        var scale = root with { Shift = root.Shift + 7 };
        for (var i = 0; i < y.Length; i++) y[i] = (sbyte)Math.Clamp(scale.Apply(x[i] - zero), sbyte.MinValue, sbyte.MaxValue);
    }

    static void Unsigned(ReadOnlySpan<byte> x, Span<byte> y, int zero)
    {
        var sum = 0;
        foreach (var step in x) sum += (step - zero) * (step - zero);
        var scale = FixedPoint.InverseSquareRoot(sum);
        for (var i = 0; i < y.Length; i++) y[i] = (byte)Math.Clamp(128 + scale.Apply(128 * (x[i] - zero)), byte.MinValue, byte.MaxValue);
    }
}
