using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Millrace.Wasm.Runtime;

/// <summary>
/// Numeric instructions that are more than one CIL instruction. Each method has the name of its
/// <see cref="Binary.Opcode"/>, which is how the compiler finds it.
/// </summary>
static class GuestMath
{
    const MethodImplOptions Inline = MethodImplOptions.AggressiveInlining;

    // Read from memory, never constants to the JIT: it folds x * 1, x / 1 and x - 0 to x, which would let a
    // signalling NaN through unquieted (core 4.3.3, NaN propagation). Not readonly, or they would be constants again.
    public static float F32Zero = BitConverter.Int32BitsToSingle(0);
    public static float F32NegativeZero = BitConverter.Int32BitsToSingle(int.MinValue);
    public static float F32One = 1;
    public static float F32NegativeOne = -1;
    public static double F64Zero = BitConverter.Int64BitsToDouble(0);
    public static double F64NegativeZero = BitConverter.Int64BitsToDouble(long.MinValue);
    public static double F64One = 1;
    public static double F64NegativeOne = -1;

    // For the same reason: hides the bits of a NaN.
    public static int UnknownZero;

    [MethodImpl(Inline)] public static int I32Clz(int a) => BitOperations.LeadingZeroCount((uint)a);
    [MethodImpl(Inline)] public static int I32Ctz(int a) => BitOperations.TrailingZeroCount(a);
    [MethodImpl(Inline)] public static int I32Popcnt(int a) => BitOperations.PopCount((uint)a);

    // For functions that keep what is rotated from comparisons only: Compilation/Rotations.
    [MethodImpl(Inline)] public static int I32Rotl(int a, int b) => (int)BitOperations.RotateLeft((uint)a, b);
    [MethodImpl(Inline)] public static int I32Rotr(int a, int b) => (int)BitOperations.RotateRight((uint)a, b);
    [MethodImpl(Inline)] public static long I64Clz(long a) => BitOperations.LeadingZeroCount((ulong)a);
    [MethodImpl(Inline)] public static long I64Ctz(long a) => BitOperations.TrailingZeroCount(a);
    [MethodImpl(Inline)] public static long I64Popcnt(long a) => BitOperations.PopCount((ulong)a);
    [MethodImpl(Inline)] public static long I64Rotl(long a, long b) => (long)BitOperations.RotateLeft((ulong)a, (int)b);
    [MethodImpl(Inline)] public static long I64Rotr(long a, long b) => (long)BitOperations.RotateRight((ulong)a, (int)b);

    // CIL division throws for a zero divisor and for min / -1; these trap instead (core 4.3.2, idiv and irem).
    [MethodImpl(Inline)]
    public static int I32DivS(int a, int b)
    {
        if (b == 0) Traps.IntegerDivideByZero();
        if (b == -1 && a == int.MinValue) Traps.IntegerOverflow();
        return a / b;
    }

    [MethodImpl(Inline)]
    public static int I32DivU(int a, int b)
    {
        if (b == 0) Traps.IntegerDivideByZero();
        return (int)((uint)a / (uint)b);
    }

    [MethodImpl(Inline)]
    public static int I32RemS(int a, int b)
    {
        if (b == 0) Traps.IntegerDivideByZero();
        return b == -1 ? 0 : a % b;
    }

    [MethodImpl(Inline)]
    public static int I32RemU(int a, int b)
    {
        if (b == 0) Traps.IntegerDivideByZero();
        return (int)((uint)a % (uint)b);
    }

    [MethodImpl(Inline)]
    public static long I64DivS(long a, long b)
    {
        if (b == 0) Traps.IntegerDivideByZero();
        if (b == -1 && a == long.MinValue) Traps.IntegerOverflow();
        return a / b;
    }

    [MethodImpl(Inline)]
    public static long I64DivU(long a, long b)
    {
        if (b == 0) Traps.IntegerDivideByZero();
        return (long)((ulong)a / (ulong)b);
    }

    [MethodImpl(Inline)]
    public static long I64RemS(long a, long b)
    {
        if (b == 0) Traps.IntegerDivideByZero();
        return b == -1 ? 0 : a % b;
    }

    [MethodImpl(Inline)]
    public static long I64RemU(long a, long b)
    {
        if (b == 0) Traps.IntegerDivideByZero();
        return (long)((ulong)a % (ulong)b);
    }

    [MethodImpl(Inline)] public static float F32Abs(float a) => MathF.Abs(a);
    [MethodImpl(Inline)] public static float F32Ceil(float a) => MathF.Ceiling(a);
    [MethodImpl(Inline)] public static float F32Floor(float a) => MathF.Floor(a);
    [MethodImpl(Inline)] public static float F32Trunc(float a) => MathF.Truncate(a);
    [MethodImpl(Inline)] public static float F32Nearest(float a) => MathF.Round(a);
    [MethodImpl(Inline)] public static float F32Sqrt(float a) => MathF.Sqrt(a);
    [MethodImpl(Inline)] public static float F32Copysign(float a, float b) => MathF.CopySign(a, b);
    [MethodImpl(Inline)] public static double F64Abs(double a) => Math.Abs(a);
    [MethodImpl(Inline)] public static double F64Ceil(double a) => Math.Ceiling(a);
    [MethodImpl(Inline)] public static double F64Floor(double a) => Math.Floor(a);
    [MethodImpl(Inline)] public static double F64Trunc(double a) => Math.Truncate(a);
    [MethodImpl(Inline)] public static double F64Nearest(double a) => Math.Round(a);
    [MethodImpl(Inline)] public static double F64Sqrt(double a) => Math.Sqrt(a);
    [MethodImpl(Inline)] public static double F64Copysign(double a, double b) => Math.CopySign(a, b);

    // Math.Min and Math.Max return a signalling NaN as it is; a + b quiets it. Equal operands differ at most in
    // the sign of zero: min wants the negative one, max the positive one.
    public static float F32Min(float a, float b)
    {
        if (a < b) return a;
        if (b < a) return b;
        return a == b ? BitConverter.Int32BitsToSingle(Bits(a) | Bits(b)) : a + b;
    }

    public static float F32Max(float a, float b)
    {
        if (a > b) return a;
        if (b > a) return b;
        return a == b ? BitConverter.Int32BitsToSingle(Bits(a) & Bits(b)) : a + b;
    }

    public static double F64Min(double a, double b)
    {
        if (a < b) return a;
        if (b < a) return b;
        return a == b ? BitConverter.Int64BitsToDouble(Bits(a) | Bits(b)) : a + b;
    }

    public static double F64Max(double a, double b)
    {
        if (a > b) return a;
        if (b > a) return b;
        return a == b ? BitConverter.Int64BitsToDouble(Bits(a) & Bits(b)) : a + b;
    }

    // The bounds are the largest and smallest floats whose truncation fits; NaN fails every comparison.
    [MethodImpl(Inline)]
    public static int I32TruncF32S(float a)
    {
        if (!(a >= -2147483648f && a < 2147483648f)) Traps.Truncation(a);
        return (int)a;
    }

    [MethodImpl(Inline)]
    public static int I32TruncF32U(float a)
    {
        if (!(a > -1f && a < 4294967296f)) Traps.Truncation(a);
        return (int)(uint)a;
    }

    [MethodImpl(Inline)]
    public static int I32TruncF64S(double a)
    {
        if (!(a > -2147483649d && a < 2147483648d)) Traps.Truncation(a);
        return (int)a;
    }

    [MethodImpl(Inline)]
    public static int I32TruncF64U(double a)
    {
        if (!(a > -1d && a < 4294967296d)) Traps.Truncation(a);
        return (int)(uint)a;
    }

    [MethodImpl(Inline)]
    public static long I64TruncF32S(float a)
    {
        if (!(a >= -9223372036854775808f && a < 9223372036854775808f)) Traps.Truncation(a);
        return (long)a;
    }

    [MethodImpl(Inline)]
    public static long I64TruncF32U(float a)
    {
        if (!(a > -1f && a < 18446744073709551616f)) Traps.Truncation(a);
        return (long)(ulong)a;
    }

    [MethodImpl(Inline)]
    public static long I64TruncF64S(double a)
    {
        if (!(a >= -9223372036854775808d && a < 9223372036854775808d)) Traps.Truncation(a);
        return (long)a;
    }

    [MethodImpl(Inline)]
    public static long I64TruncF64U(double a)
    {
        if (!(a > -1d && a < 18446744073709551616d)) Traps.Truncation(a);
        return (long)(ulong)a;
    }

    // Conversions of .NET saturate, and make NaN zero, since version 9.
    [MethodImpl(Inline)] public static int I32TruncSatF32S(float a) => (int)a;
    [MethodImpl(Inline)] public static int I32TruncSatF32U(float a) => (int)(uint)a;
    [MethodImpl(Inline)] public static int I32TruncSatF64S(double a) => (int)a;
    [MethodImpl(Inline)] public static int I32TruncSatF64U(double a) => (int)(uint)a;
    [MethodImpl(Inline)] public static long I64TruncSatF32S(float a) => (long)a;
    [MethodImpl(Inline)] public static long I64TruncSatF32U(float a) => (long)(ulong)a;
    [MethodImpl(Inline)] public static long I64TruncSatF64S(double a) => (long)a;
    [MethodImpl(Inline)] public static long I64TruncSatF64U(double a) => (long)(ulong)a;

    // A large u64 is halved with its lowest bit kept sticky, so that it is rounded once.
    [MethodImpl(Inline)]
    public static float F32ConvertI64U(long a)
    {
        if (a >= 0) return a;
        float half = (long)((ulong)a >> 1 | (ulong)a & 1);
        return half + half;
    }

    [MethodImpl(Inline)]
    public static double F64ConvertI64U(long a)
    {
        if (a >= 0) return a;
        double half = (long)((ulong)a >> 1 | (ulong)a & 1);
        return half + half;
    }

    [MethodImpl(Inline)] public static float F32ConvertI32U(int a) => (uint)a;
    [MethodImpl(Inline)] public static double F64ConvertI32U(int a) => (uint)a;

    [MethodImpl(Inline)] public static int I32ReinterpretF32(float a) => BitConverter.SingleToInt32Bits(a);
    [MethodImpl(Inline)] public static long I64ReinterpretF64(double a) => BitConverter.DoubleToInt64Bits(a);

    // Not BitConverter: where the integer comes from an 8- or 16-bit load, RyuJIT makes a load of 32 bits of both, which
    // is another value and may lie outside of the memory (seen in 10.0.12; tests: ReinterpretationTests).
    [MethodImpl(Inline)]
    public static float F32ReinterpretI32(int a) => Vector128.CreateScalarUnsafe(a).AsSingle().ToScalar();

    [MethodImpl(Inline)] public static double F64ReinterpretI64(long a) => BitConverter.Int64BitsToDouble(a);

    static int Bits(float value) => BitConverter.SingleToInt32Bits(value);
    static long Bits(double value) => BitConverter.DoubleToInt64Bits(value);
}
