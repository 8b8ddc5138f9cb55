using System.Runtime.Intrinsics;
using Millrace.Inference.TensorFlowLite.Execution;
using Millrace.Inference.TensorFlowLite.Format;

namespace Millrace.Inference.TensorFlowLite.Kernels;

/// <summary>What an operator does to its results in passing: bounds, as reals and in the steps of a quantized output.</summary>
readonly record struct Activation(float Min, float Max)
{
    const int None = 0;
    const int Relu = 1;
    const int ReluOne = 2;
    const int ReluSix = 3;

    public static readonly Activation Unbounded = new(float.NegativeInfinity, float.PositiveInfinity);

    public bool IsNone => Min == float.NegativeInfinity && Max == float.PositiveInfinity;

    public static Activation Of(Node node, int field) => node.Options.Byte(field) switch
    {
        None => Unbounded,
        Relu => new Activation(0, float.PositiveInfinity),
        ReluOne => new Activation(-1, 1),
        ReluSix => new Activation(0, 6),
        var other => throw node.Refuse($"with the fused activation {other}"),
    };

    public float Apply(float x) => Math.Min(Math.Max(x, Min), Max);

    public Vector256<float> Apply(Vector256<float> x) => Vector256.Min(Vector256.Max(x, Vector256.Create(Min)), Vector256.Create(Max));

    /// <summary>The bounds in steps of an output.</summary>
    public (int Min, int Max) Steps(LiteType type, Quantization output)
    {
        var (low, high) = Range(type);
        var min = float.IsInfinity(Min) ? low : Math.Max(low, Step(Min, output));
        var max = float.IsInfinity(Max) ? high : Math.Min(high, Step(Max, output));
        return (min, Math.Max(min, max));
    }

    public static (int Min, int Max) Range(LiteType type) => type switch
    {
        LiteType.Int8 => (sbyte.MinValue, sbyte.MaxValue),
        LiteType.UInt8 => (byte.MinValue, byte.MaxValue),
        LiteType.Int16 => (short.MinValue, short.MaxValue),
        _ => (int.MinValue, int.MaxValue),
    };

    static int Step(float value, Quantization output) =>
        (int)Math.Clamp(
            output.ZeroPoint + (double)MathF.Round(value / output.Scale, MidpointRounding.AwayFromZero), int.MinValue, int.MaxValue);
}
