using System.Numerics;
using Millrace.Inference.TensorFlowLite.Execution;
using Millrace.Inference.TensorFlowLite.Format;

namespace Millrace.Inference.TensorFlowLite.Kernels;

/// <summary>Sums, products and their like of two tensors of reals or whole numbers; the quantized ones are elsewhere.</summary>
static class Arithmetic
{
    public static Kernel Add(Node node) => IsQuantized(node) ? QuantizedArithmetic.Sum(node, 1)
        : Plain(node, Activation.Of(node, 0), Vectored<AddOf<float>, AddOf<int>, AddOf<long>>(node));

    public static Kernel Sub(Node node) => IsQuantized(node) ? QuantizedArithmetic.Sum(node, -1)
        : Plain(node, Activation.Of(node, 0), Vectored<SubOf<float>, SubOf<int>, SubOf<long>>(node));

    public static Kernel Mul(Node node) => IsQuantized(node) ? QuantizedArithmetic.Product(node)
        : Plain(node, Activation.Of(node, 0), Vectored<MulOf<float>, MulOf<int>, MulOf<long>>(node));

    public static Kernel Div(Node node)
    {
        if (IsQuantized(node)) return QuantizedArithmetic.Quotient(node);
        Check(node, LiteType.Float32, LiteType.Int32);
        return Plain(node, Activation.Of(node, 0), node.Type == LiteType.Float32
            ? static call => Stretching.ApplyVector<float, DivOf>(call, default)
            : static call => Stretching.Apply<int, int, IntDivOf>(call, default));
    }

    public static Kernel Maximum(Node node) =>
        Ordered<GreaterOf<float>, GreaterOf<int>, GreaterOf<long>, GreaterOf<short>, GreaterOf<sbyte>, GreaterOf<byte>>(node);

    public static Kernel Minimum(Node node) =>
        Ordered<LesserOf<float>, LesserOf<int>, LesserOf<long>, LesserOf<short>, LesserOf<sbyte>, LesserOf<byte>>(node);

    public static Kernel SquaredDifference(Node node) => IsQuantized(node) ? QuantizedArithmetic.SquaredDifference(node)
        : Plain(node, Activation.Unbounded, Vectored<SquareOfDifference<float>, SquareOfDifference<int>, SquareOfDifference<long>>(node));

    public static Kernel FloorDiv(Node node) => Three<FloorDivReal, FloorDivWhole<int>, FloorDivWhole<short>, FloorDivWhole<sbyte>>(node);

    public static Kernel FloorMod(Node node) =>
        node.Type == LiteType.Int64 ? Checked(node, static call => Stretching.Apply<long, long, FloorModWhole<long>>(call, default))
        : Three<FloorModReal, FloorModWhole<int>, FloorModWhole<short>, FloorModWhole<sbyte>>(node);

    public static Kernel Pow(Node node)
    {
        Check(node, LiteType.Float32, LiteType.Int32);
        return node.Type == LiteType.Float32 ? static call => Stretching.Apply<float, float, PowReal>(call, default)
            : static call => Stretching.Apply<int, int, PowWhole>(call, default);
    }

    public static Kernel Atan2(Node node)
    {
        Check(node, LiteType.Float32, LiteType.Float64);
        return node.Type == LiteType.Float32 ? static call => Stretching.Apply<float, float, AtanOf<float>>(call, default)
            : static call => Stretching.Apply<double, double, AtanOf<double>>(call, default);
    }

    public static Kernel BitwiseXor(Node node)
    {
        Check(node, LiteType.Int8, LiteType.UInt8, LiteType.Int16, LiteType.UInt16, LiteType.Int32, LiteType.UInt32);
        return ElementTypes.Bytes(node.Type) switch
        {
            1 => static call => Stretching.Apply<byte, byte, XorOf<byte>>(call, default),
            2 => static call => Stretching.Apply<ushort, ushort, XorOf<ushort>>(call, default),
            _ => static call => Stretching.Apply<uint, uint, XorOf<uint>>(call, default),
        };
    }

    public static Kernel RightShift(Node node)
    {
        Check(node, LiteType.Int8, LiteType.UInt8, LiteType.Int16, LiteType.UInt16, LiteType.Int32, LiteType.UInt32);
        return node.Type switch
        {
            LiteType.Int8 => static call => Stretching.Apply<sbyte, sbyte, ShiftOf<sbyte>>(call, default),
            LiteType.UInt8 => static call => Stretching.Apply<byte, byte, ShiftOf<byte>>(call, default),
            LiteType.Int16 => static call => Stretching.Apply<short, short, ShiftOf<short>>(call, default),
            LiteType.UInt16 => static call => Stretching.Apply<ushort, ushort, ShiftOf<ushort>>(call, default),
            LiteType.Int32 => static call => Stretching.Apply<int, int, ShiftOf<int>>(call, default),
            _ => static call => Stretching.Apply<uint, uint, ShiftOf<uint>>(call, default),
        };
    }

    public static Kernel AddN(Node node)
    {
        node.RequireType(node.Input(0), LiteType.Float32, LiteType.Int32);
        for (var i = 1; i < node.InputCount; i++) node.RequireSameType(node.Input(i), node.Output(0));
        return node.Type == LiteType.Float32 ? AddAll<float> : AddAll<int>;
    }

    public static bool IsQuantized(Node node) =>
        node.Type is LiteType.Int8 or LiteType.UInt8 or LiteType.Int16 && node.Input(0).Quantization is not null;

    static void AddAll<T>(Call call) where T : unmanaged, INumber<T>
    {
        var output = call.Output(0, call.Input(0).Shape);
        var sums = output.Write<T>();
        sums.Clear();
        for (var i = 0; i < call.InputCount; i++)
        {
            var terms = call.Input(i).Read<T>();
            for (var j = 0; j < sums.Length; j++) sums[j] += terms[j];
        }
    }

    static Func<Call, LiteTensor> Vectored<TReal, TInt, TLong>(Node node)
        where TReal : struct, IVectorBinary<float> where TInt : struct, IVectorBinary<int> where TLong : struct, IVectorBinary<long>
    {
        Check(node, LiteType.Float32, LiteType.Int32, LiteType.Int64);
        return node.Type switch
        {
            LiteType.Float32 => static call => Stretching.ApplyVector<float, TReal>(call, default),
            LiteType.Int32 => static call => Stretching.ApplyVector<int, TInt>(call, default),
            _ => static call => Stretching.ApplyVector<long, TLong>(call, default),
        };
    }

    static Kernel Plain(Node node, Activation activation, Func<Call, LiteTensor> apply)
    {
        if (activation.IsNone) return call => apply(call);
        node.RequireType(node.Output(0), LiteType.Float32, LiteType.Int32, LiteType.Int64);
        return node.Type switch
        {
            LiteType.Float32 => call => Clamp<float>(apply(call), activation.Min, activation.Max),
            LiteType.Int32 => call => Clamp(apply(call), Whole(activation.Min), Whole(activation.Max)),
            // Without a bound, int's own would cut a long one.
            _ => call => Clamp(apply(call), Whole(activation.Min, long.MinValue), Whole(activation.Max, long.MaxValue)),
        };
    }

    static long Whole(float bound, long open) => float.IsInfinity(bound) ? open : (long)bound;

    static int Whole(float bound) =>
        float.IsNegativeInfinity(bound) ? int.MinValue : float.IsPositiveInfinity(bound) ? int.MaxValue : (int)bound;

    static void Clamp<T>(LiteTensor tensor, T min, T max) where T : unmanaged, INumber<T>
    {
        foreach (ref var value in tensor.Write<T>()) value = value < min ? min : value > max ? max : value;
    }

    static Kernel Ordered<TReal, TInt, TLong, TShort, TSigned, TByte>(Node node)
        where TReal : struct, IVectorBinary<float> where TInt : struct, IVectorBinary<int> where TLong : struct, IVectorBinary<long>
        where TShort : struct, IVectorBinary<short> where TSigned : struct, IVectorBinary<sbyte> where TByte : struct, IVectorBinary<byte>
    {
        Check(node, LiteType.Float32, LiteType.Int32, LiteType.Int64, LiteType.Int16, LiteType.Int8, LiteType.UInt8);
        if (IsQuantized(node))
        {
            // The stored steps are compared, which is right only where a step means the same on all sides.
            var (a, b, y) = (node.QuantizedInput(0), node.QuantizedInput(1), node.QuantizedOutput());
            if ((a.Scale, a.ZeroPoint) != (b.Scale, b.ZeroPoint) || (a.Scale, a.ZeroPoint) != (y.Scale, y.ZeroPoint))
                throw node.Refuse("on unequal quantizations");
        }

        return node.Type switch
        {
            LiteType.Float32 => static call => Stretching.ApplyVector<float, TReal>(call, default),
            LiteType.Int32 => static call => Stretching.ApplyVector<int, TInt>(call, default),
            LiteType.Int64 => static call => Stretching.ApplyVector<long, TLong>(call, default),
            LiteType.Int16 => static call => Stretching.ApplyVector<short, TShort>(call, default),
            LiteType.Int8 => static call => Stretching.ApplyVector<sbyte, TSigned>(call, default),
            _ => static call => Stretching.ApplyVector<byte, TByte>(call, default),
        };
    }

    static Kernel Three<TReal, TInt, TShort, TSigned>(Node node)
        where TReal : struct, IBinary<float, float> where TInt : struct, IBinary<int, int>
        where TShort : struct, IBinary<short, short> where TSigned : struct, IBinary<sbyte, sbyte>
    {
        Check(node, LiteType.Float32, LiteType.Int32, LiteType.Int16, LiteType.Int8);
        if (IsQuantized(node)) throw node.Refuse("on quantized tensors");
        return node.Type switch
        {
            LiteType.Float32 => static call => Stretching.Apply<float, float, TReal>(call, default),
            LiteType.Int32 => static call => Stretching.Apply<int, int, TInt>(call, default),
            LiteType.Int16 => static call => Stretching.Apply<short, short, TShort>(call, default),
            _ => static call => Stretching.Apply<sbyte, sbyte, TSigned>(call, default),
        };
    }

    static Kernel Checked(Node node, Kernel kernel)
    {
        Check(node, node.Type);
        return kernel;
    }

    static void Check(Node node, params ReadOnlySpan<LiteType> types)
    {
        node.RequireType(node.Input(0), types);
        node.RequireSameType(node.Input(0), node.Input(1));
        node.RequireSameType(node.Input(0), node.Output(0));
    }

    readonly struct AddOf<T> : IVectorBinary<T> where T : unmanaged, INumber<T>
    {
        public T Apply(T a, T b) => a + b;
        public Vector<T> Apply(Vector<T> a, Vector<T> b) => a + b;
    }

    readonly struct SubOf<T> : IVectorBinary<T> where T : unmanaged, INumber<T>
    {
        public T Apply(T a, T b) => a - b;
        public Vector<T> Apply(Vector<T> a, Vector<T> b) => a - b;
    }

    readonly struct MulOf<T> : IVectorBinary<T> where T : unmanaged, INumber<T>
    {
        public T Apply(T a, T b) => a * b;
        public Vector<T> Apply(Vector<T> a, Vector<T> b) => a * b;
    }

    readonly struct DivOf : IVectorBinary<float>
    {
        public float Apply(float a, float b) => a / b;
        public Vector<float> Apply(Vector<float> a, Vector<float> b) => a / b;
    }

    readonly struct IntDivOf : IBinary<int, int>
    {
        public int Apply(int a, int b) => a / b;
    }

    readonly struct GreaterOf<T> : IVectorBinary<T> where T : unmanaged, INumber<T>
    {
        public T Apply(T a, T b) => a > b ? a : b;
        public Vector<T> Apply(Vector<T> a, Vector<T> b) => Vector.ConditionalSelect(Vector.GreaterThan(a, b), a, b);
    }

    readonly struct LesserOf<T> : IVectorBinary<T> where T : unmanaged, INumber<T>
    {
        public T Apply(T a, T b) => a < b ? a : b;
        public Vector<T> Apply(Vector<T> a, Vector<T> b) => Vector.ConditionalSelect(Vector.LessThan(a, b), a, b);
    }

    readonly struct SquareOfDifference<T> : IVectorBinary<T> where T : unmanaged, INumber<T>
    {
        public T Apply(T a, T b) => (a - b) * (a - b);
        public Vector<T> Apply(Vector<T> a, Vector<T> b) => (a - b) * (a - b);
    }

    readonly struct FloorDivReal : IBinary<float, float>
    {
        public float Apply(float a, float b) => MathF.Floor(a / b);
    }

    readonly struct FloorDivWhole<T> : IBinary<T, T> where T : unmanaged, IBinaryInteger<T>
    {
        public T Apply(T a, T b)
        {
            var (quotient, rest) = T.DivRem(a, b);
            return rest != T.Zero && T.IsNegative(rest) != T.IsNegative(b) ? quotient - T.One : quotient;
        }
    }

    readonly struct FloorModReal : IBinary<float, float>
    {
        public float Apply(float a, float b)
        {
            var rest = a % b;
            return rest != 0 && (b < 0) != (rest < 0) ? rest + b : rest;
        }
    }

    readonly struct FloorModWhole<T> : IBinary<T, T> where T : unmanaged, IBinaryInteger<T>
    {
        public T Apply(T a, T b)
        {
            var rest = a % b;
            return rest != T.Zero && T.IsNegative(rest) != T.IsNegative(b) ? rest + b : rest;
        }
    }

    readonly struct PowReal : IBinary<float, float>
    {
        public float Apply(float a, float b) => MathF.Pow(a, b);
    }

    readonly struct PowWhole : IBinary<int, int>
    {
        public int Apply(int a, int b)
        {
            if (b < 0) throw new ArgumentException("a negative exponent");
            var result = 1;
            for (var (power, rest) = (a, b); rest > 0; rest >>= 1, power = unchecked(power * power))
            {
                if ((rest & 1) != 0) result = unchecked(result * power);
            }

            return result;
        }
    }

    readonly struct AtanOf<T> : IBinary<T, T> where T : IFloatingPointIeee754<T>
    {
        public T Apply(T a, T b) => T.Atan2(a, b);
    }

    readonly struct XorOf<T> : IBinary<T, T> where T : IBitwiseOperators<T, T, T>
    {
        public T Apply(T a, T b) => a ^ b;
    }

    readonly struct ShiftOf<T> : IBinary<T, T> where T : unmanaged, IBinaryInteger<T>
    {
        // Shifts by more than there are bits, or by less than none, are cut.
        public T Apply(T a, T b) => a >> int.Clamp(int.CreateSaturating(b), 0, T.Zero.GetByteCount() * 8 - 1);
    }
}
