using System.Numerics;
using Millrace.Inference.TensorFlowLite.Execution;
using Millrace.Inference.TensorFlowLite.Format;

namespace Millrace.Inference.TensorFlowLite.Kernels;

/// <summary>A function of one element.</summary>
interface IUnary<T>
{
    T Apply(T x);
}

/// <summary>Functions of one tensor, element by element.</summary>
static class Elementwise
{
    public static Kernel Abs(Node node) => node.Type switch
    {
        LiteType.Int8 or LiteType.Int16 when node.Input(0).Quantization is not null => QuantizedAbs(node),
        LiteType.Int32 => Map<int, AbsOf<int>>(node),
        _ => Real<AbsOf<float>>(node),
    };

    public static Kernel Neg(Node node) => node.Type switch
    {
        LiteType.Int8 when node.Input(0).Quantization is not null => QuantizedNeg(node),
        LiteType.Int32 => Map<int, NegOf<int>>(node),
        LiteType.Int64 => Map<long, NegOf<long>>(node),
        _ => Real<NegOf<float>>(node),
    };

    public static Kernel Sign(Node node) => node.Type switch
    {
        LiteType.Float64 => Map<double, SignOf<double>>(node),
        LiteType.Int32 => Map<int, SignOf<int>>(node),
        _ => Real<SignOf<float>>(node),
    };

    public static Kernel Sin(Node node) => Real<SinOf>(node);

    public static Kernel Cos(Node node) => Real<CosOf>(node);

    public static Kernel Sqrt(Node node) => Real<SqrtOf>(node);

    public static Kernel Square(Node node) => Real<SquareOf>(node);

    public static Kernel Floor(Node node) => Real<FloorOf>(node);

    public static Kernel Ceil(Node node) => Real<CeilOf>(node);

    public static Kernel Round(Node node) => Real<RoundOf>(node);

    public static Kernel Log(Node node) =>
        node.Type == LiteType.Int8 ? Tables.Real(node, MathF.Log) : Real<LogOf>(node);

    public static Kernel Exp(Node node) => node.Type switch
    {
        LiteType.Int8 => Tables.Real(node, MathF.Exp),
        LiteType.Int16 => Tables.Real16(node, MathF.Exp),
        _ => Real<ExpOf>(node),
    };

    public static Kernel Rsqrt(Node node) => node.Type == LiteType.Int8 ? QuantizedRsqrt(node) : Real<RsqrtOf>(node);

    public static Kernel Real<TOp>(Node node) where TOp : struct, IUnary<float>
    {
        node.RequireType(node.Input(0), LiteType.Float32);
        return Map<float, TOp>(node);
    }

    public static Kernel Real<TOp>(Node node, TOp op) where TOp : struct, IUnary<float>
    {
        node.RequireType(node.Input(0), LiteType.Float32);
        node.RequireSameType(node.Input(0), node.Output(0));
        return call => Map<float, TOp>(call, op);
    }

    static Kernel Map<T, TOp>(Node node) where T : unmanaged where TOp : struct, IUnary<T>
    {
        node.RequireSameType(node.Input(0), node.Output(0));
        return static call => Map<T, TOp>(call, default);
    }

    static void Map<T, TOp>(Call call, TOp op) where T : unmanaged where TOp : struct, IUnary<T>
    {
        var input = call.Input(0);
        var x = input.Read<T>();
        var y = call.Output(0, input.Shape).Write<T>();
        for (var i = 0; i < y.Length; i++) y[i] = op.Apply(x[i]);
    }

    static Kernel QuantizedAbs(Node node)
    {
        var (x, y) = (node.QuantizedInput(0), node.QuantizedOutput());
        var scale = Multiplier.Of((double)x.Scale / y.Scale);
        var isSame = x.Scale == y.Scale;
        return Tables.Steps(
            node, step => (isSame ? Math.Abs(step - x.ZeroPoint) : scale.Apply(Math.Abs(step - x.ZeroPoint))) + y.ZeroPoint);
    }

    static Kernel QuantizedNeg(Node node)
    {
        var (x, y) = (node.QuantizedInput(0), node.QuantizedOutput());
        node.Require(x.Scale == y.Scale, "the scales of input and output differ");
        return Tables.Steps(node, step => x.ZeroPoint + y.ZeroPoint - step);
    }

    static Kernel QuantizedRsqrt(Node node)
    {
        const int Shift = 20;
        var (x, y) = (node.QuantizedInput(0), node.QuantizedOutput());
        var scale = Multiplier.Of(1.0 / (Math.Sqrt(x.Scale) * y.Scale));
        return Tables.Steps(node, step =>
        {
            var value = step - x.ZeroPoint;
            // The table is made for all steps; below zero there is no root, and the reference gives the greatest value at it.
            if (value <= 0) return int.MaxValue;
            var root = FixedPoint.InverseSquareRoot(value);
            var inverse = (root with { Shift = root.Shift + Shift }).Apply(1);
            return (scale with { Shift = scale.Shift - Shift }).Apply(inverse) + y.ZeroPoint;
        });
    }

    readonly struct AbsOf<T> : IUnary<T> where T : INumber<T>
    {
        public T Apply(T x) => x < T.Zero ? -x : x;
    }

    readonly struct NegOf<T> : IUnary<T> where T : INumber<T>
    {
        public T Apply(T x) => -x;
    }

    readonly struct SignOf<T> : IUnary<T> where T : INumber<T>
    {
        public T Apply(T x) => x > T.Zero ? T.One : x < T.Zero ? -T.One : x;
    }

    readonly struct SinOf : IUnary<float>
    {
        public float Apply(float x) => MathF.Sin(x);
    }

    readonly struct CosOf : IUnary<float>
    {
        public float Apply(float x) => MathF.Cos(x);
    }

    readonly struct SqrtOf : IUnary<float>
    {
        public float Apply(float x) => MathF.Sqrt(x);
    }

    readonly struct RsqrtOf : IUnary<float>
    {
        public float Apply(float x) => 1 / MathF.Sqrt(x);
    }

    readonly struct SquareOf : IUnary<float>
    {
        public float Apply(float x) => x * x;
    }

    readonly struct FloorOf : IUnary<float>
    {
        public float Apply(float x) => MathF.Floor(x);
    }

    readonly struct CeilOf : IUnary<float>
    {
        public float Apply(float x) => MathF.Ceiling(x);
    }

    readonly struct RoundOf : IUnary<float>
    {
        public float Apply(float x) => MathF.Round(x, MidpointRounding.ToEven);
    }

    readonly struct LogOf : IUnary<float>
    {
        public float Apply(float x) => MathF.Log(x);
    }

    readonly struct ExpOf : IUnary<float>
    {
        public float Apply(float x) => MathF.Exp(x);
    }
}
