using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Millrace.Wasm.Runtime;

/// <summary>
/// Vector instructions that are more than one call of <see cref="Vector128"/>. Each method has the name of its
/// <see cref="Binary.Opcode"/>. Where an x86 instruction does it, that is used; what stands beside it gives the same
/// bits on every other machine.
/// </summary>
static class GuestVectors
{
    const MethodImplOptions Inline = MethodImplOptions.AggressiveInlining;

    // Zero, which the JIT must not know: see Compilation/VectorConstants. Not readonly, or it would be a constant.
    public static Vector128<byte> UnknownZero;

    // Abs of .NET throws for the smallest integer where it runs in software.
    [MethodImpl(Inline)]
    public static Vector128<sbyte> I8x16Abs(Vector128<sbyte> a) =>
        Vector128.IsHardwareAccelerated ? Vector128.Abs(a) : (a ^ (a >> 7)) - (a >> 7);

    [MethodImpl(Inline)]
    public static Vector128<short> I16x8Abs(Vector128<short> a) =>
        Vector128.IsHardwareAccelerated ? Vector128.Abs(a) : (a ^ (a >> 15)) - (a >> 15);

    [MethodImpl(Inline)]
    public static Vector128<int> I32x4Abs(Vector128<int> a) =>
        Vector128.IsHardwareAccelerated ? Vector128.Abs(a) : (a ^ (a >> 31)) - (a >> 31);

    [MethodImpl(Inline)]
    public static Vector128<long> I64x2Abs(Vector128<long> a)
    {
        var sign = Vector128.LessThan(a, Vector128<long>.Zero);
        return (a ^ sign) - sign;
    }

    // AVX-512 has an instruction for it. Else: shift as if unsigned, then bring the sign in.
    [MethodImpl(Inline)]
    public static Vector128<long> I64x2ShrS(Vector128<long> a, int count)
    {
        if (Avx512F.VL.IsSupported) return a >> count;
        var sign = Vector128.Create(long.MinValue) >>> count;
        return ((a >>> count) ^ sign) - sign;
    }

    [MethodImpl(Inline)]
    public static Vector128<byte> I8x16Popcnt(Vector128<byte> a)
    {
        if (Ssse3.IsSupported)
        {
            var counts = Vector128.Create((byte)0, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4);
            var low = Vector128.Create((byte)15);
            return Ssse3.Shuffle(counts, a & low) + Ssse3.Shuffle(counts, (a.AsUInt16() >>> 4).AsByte() & low);
        }
        var pairs = a - (a >>> 1 & Vector128.Create((byte)0x55));
        var quads = (pairs & Vector128.Create((byte)0x33)) + (pairs >>> 2 & Vector128.Create((byte)0x33));
        return quads + (quads >>> 4) & Vector128.Create((byte)0x0F);
    }

    // Indexes beyond 15 get their highest bit set, for which pshufb gives 0.
    [MethodImpl(Inline)]
    public static Vector128<byte> I8x16Swizzle(Vector128<byte> a, Vector128<byte> indexes) => Ssse3.IsSupported
        ? Ssse3.Shuffle(a, Vector128.AddSaturate(indexes, Vector128.Create((byte)0x70)))
        : Vector128.Shuffle(a, indexes);

    [MethodImpl(Inline)]
    public static Vector128<byte> I8x16NarrowI16x8U(Vector128<short> a, Vector128<short> b)
    {
        if (Sse2.IsSupported) return Sse2.PackUnsignedSaturate(a, b);
        var max = Vector128.Create((short)byte.MaxValue);
        return Vector128.Narrow(
            Vector128.Min(Vector128.Max(a, Vector128<short>.Zero), max).AsUInt16(),
            Vector128.Min(Vector128.Max(b, Vector128<short>.Zero), max).AsUInt16());
    }

    [MethodImpl(Inline)]
    public static Vector128<ushort> I16x8NarrowI32x4U(Vector128<int> a, Vector128<int> b)
    {
        if (Sse41.IsSupported) return Sse41.PackUnsignedSaturate(a, b);
        var max = Vector128.Create((int)ushort.MaxValue);
        return Vector128.Narrow(
            Vector128.Min(Vector128.Max(a, Vector128<int>.Zero), max).AsUInt32(),
            Vector128.Min(Vector128.Max(b, Vector128<int>.Zero), max).AsUInt32());
    }

    [MethodImpl(Inline)]
    public static Vector128<byte> I8x16AvgrU(Vector128<byte> a, Vector128<byte> b) =>
        Sse2.IsSupported ? Sse2.Average(a, b) : (a | b) - ((a ^ b) >>> 1);

    [MethodImpl(Inline)]
    public static Vector128<ushort> I16x8AvgrU(Vector128<ushort> a, Vector128<ushort> b) =>
        Sse2.IsSupported ? Sse2.Average(a, b) : (a | b) - ((a ^ b) >>> 1);

    [MethodImpl(Inline)]
    public static Vector128<short> I16x8ExtaddPairwiseI8x16S(Vector128<short> a) => Ssse3.IsSupported
        ? Ssse3.MultiplyAddAdjacent(Vector128<byte>.One, a.AsSByte())
        : (a << 8 >> 8) + (a >> 8);

    [MethodImpl(Inline)]
    public static Vector128<ushort> I16x8ExtaddPairwiseI8x16U(Vector128<ushort> a) => Ssse3.IsSupported
        ? Ssse3.MultiplyAddAdjacent(a.AsByte(), Vector128<sbyte>.One).AsUInt16()
        : (a & Vector128.Create((ushort)0xFF)) + (a >>> 8);

    [MethodImpl(Inline)]
    public static Vector128<int> I32x4ExtaddPairwiseI16x8S(Vector128<int> a) => Sse2.IsSupported
        ? Sse2.MultiplyAddAdjacent(a.AsInt16(), Vector128<short>.One)
        : (a << 16 >> 16) + (a >> 16);

    [MethodImpl(Inline)]
    public static Vector128<uint> I32x4ExtaddPairwiseI16x8U(Vector128<uint> a) =>
        (a & Vector128.Create(0xFFFFu)) + (a >>> 16);

    // pmulhrsw wraps for the one product that saturates.
    [MethodImpl(Inline)]
    public static Vector128<short> I16x8Q15mulrSatS(Vector128<short> a, Vector128<short> b)
    {
        if (Ssse3.IsSupported)
        {
            var product = Ssse3.MultiplyHighRoundScale(a, b);
            return product ^ Vector128.Equals(product, Vector128.Create(short.MinValue));
        }
        var half = Vector128.Create(0x4000);
        return Vector128.NarrowWithSaturation(
            (Vector128.WidenLower(a) * Vector128.WidenLower(b) + half) >> 15,
            (Vector128.WidenUpper(a) * Vector128.WidenUpper(b) + half) >> 15);
    }

    [MethodImpl(Inline)]
    public static Vector128<int> I32x4DotI16x8S(Vector128<int> a, Vector128<int> b) => Sse2.IsSupported
        ? Sse2.MultiplyAddAdjacent(a.AsInt16(), b.AsInt16())
        : (a << 16 >> 16) * (b << 16 >> 16) + (a >> 16) * (b >> 16);

    // Both operands signed, the sum wraps.
    [MethodImpl(Inline)]
    public static Vector128<short> I16x8RelaxedDotI8x16I7x16S(Vector128<short> a, Vector128<short> b) =>
        (a << 8 >> 8) * (b << 8 >> 8) + (a >> 8) * (b >> 8);

    [MethodImpl(Inline)]
    public static Vector128<short> I16x8ExtmulLowI8x16S(Vector128<sbyte> a, Vector128<sbyte> b) =>
        Vector128.WidenLower(a) * Vector128.WidenLower(b);

    [MethodImpl(Inline)]
    public static Vector128<short> I16x8ExtmulHighI8x16S(Vector128<sbyte> a, Vector128<sbyte> b) =>
        Vector128.WidenUpper(a) * Vector128.WidenUpper(b);

    [MethodImpl(Inline)]
    public static Vector128<ushort> I16x8ExtmulLowI8x16U(Vector128<byte> a, Vector128<byte> b) =>
        Vector128.WidenLower(a) * Vector128.WidenLower(b);

    [MethodImpl(Inline)]
    public static Vector128<ushort> I16x8ExtmulHighI8x16U(Vector128<byte> a, Vector128<byte> b) =>
        Vector128.WidenUpper(a) * Vector128.WidenUpper(b);

    // Low and high halves of the products, then interleaved: a 32-bit multiplication takes longer.
    [MethodImpl(Inline)]
    public static Vector128<int> I32x4ExtmulLowI16x8S(Vector128<short> a, Vector128<short> b) => Sse2.IsSupported
        ? Sse2.UnpackLow(Sse2.MultiplyLow(a, b), Sse2.MultiplyHigh(a, b)).AsInt32()
        : Vector128.WidenLower(a) * Vector128.WidenLower(b);

    [MethodImpl(Inline)]
    public static Vector128<int> I32x4ExtmulHighI16x8S(Vector128<short> a, Vector128<short> b) => Sse2.IsSupported
        ? Sse2.UnpackHigh(Sse2.MultiplyLow(a, b), Sse2.MultiplyHigh(a, b)).AsInt32()
        : Vector128.WidenUpper(a) * Vector128.WidenUpper(b);

    [MethodImpl(Inline)]
    public static Vector128<uint> I32x4ExtmulLowI16x8U(Vector128<ushort> a, Vector128<ushort> b) => Sse2.IsSupported
        ? Sse2.UnpackLow(Sse2.MultiplyLow(a, b), Sse2.MultiplyHigh(a, b)).AsUInt32()
        : Vector128.WidenLower(a) * Vector128.WidenLower(b);

    [MethodImpl(Inline)]
    public static Vector128<uint> I32x4ExtmulHighI16x8U(Vector128<ushort> a, Vector128<ushort> b) => Sse2.IsSupported
        ? Sse2.UnpackHigh(Sse2.MultiplyLow(a, b), Sse2.MultiplyHigh(a, b)).AsUInt32()
        : Vector128.WidenUpper(a) * Vector128.WidenUpper(b);

    // The multiplication takes every other lane.
    [MethodImpl(Inline)]
    public static Vector128<long> I64x2ExtmulLowI32x4S(Vector128<int> a, Vector128<int> b) => Sse41.IsSupported
        ? Sse41.Multiply(Sse2.UnpackLow(a, a), Sse2.UnpackLow(b, b))
        : Vector128.WidenLower(a) * Vector128.WidenLower(b);

    [MethodImpl(Inline)]
    public static Vector128<long> I64x2ExtmulHighI32x4S(Vector128<int> a, Vector128<int> b) => Sse41.IsSupported
        ? Sse41.Multiply(Sse2.UnpackHigh(a, a), Sse2.UnpackHigh(b, b))
        : Vector128.WidenUpper(a) * Vector128.WidenUpper(b);

    [MethodImpl(Inline)]
    public static Vector128<ulong> I64x2ExtmulLowI32x4U(Vector128<uint> a, Vector128<uint> b) => Sse2.IsSupported
        ? Sse2.Multiply(Sse2.UnpackLow(a, a), Sse2.UnpackLow(b, b))
        : Vector128.WidenLower(a) * Vector128.WidenLower(b);

    [MethodImpl(Inline)]
    public static Vector128<ulong> I64x2ExtmulHighI32x4U(Vector128<uint> a, Vector128<uint> b) => Sse2.IsSupported
        ? Sse2.Multiply(Sse2.UnpackHigh(a, a), Sse2.UnpackHigh(b, b))
        : Vector128.WidenUpper(a) * Vector128.WidenUpper(b);

    // The two orders differ in the sign of zero only: min wants the negative one, max the positive one. A NaN becomes
    // the canonical one.
    [MethodImpl(Inline)]
    public static Vector128<float> F32x4Min(Vector128<float> a, Vector128<float> b) =>
        Vector128.ConditionalSelect(Ordered(a, b), Lesser(a, b) | Lesser(b, a), Vector128.Create(float.NaN));

    [MethodImpl(Inline)]
    public static Vector128<float> F32x4Max(Vector128<float> a, Vector128<float> b) =>
        Vector128.ConditionalSelect(Ordered(a, b), Greater(a, b) & Greater(b, a), Vector128.Create(float.NaN));

    [MethodImpl(Inline)]
    public static Vector128<double> F64x2Min(Vector128<double> a, Vector128<double> b) =>
        Vector128.ConditionalSelect(Ordered(a, b), Lesser(a, b) | Lesser(b, a), Vector128.Create(double.NaN));

    [MethodImpl(Inline)]
    public static Vector128<double> F64x2Max(Vector128<double> a, Vector128<double> b) =>
        Vector128.ConditionalSelect(Ordered(a, b), Greater(a, b) & Greater(b, a), Vector128.Create(double.NaN));

    [MethodImpl(Inline)]
    public static Vector128<float> F32x4Pmin(Vector128<float> a, Vector128<float> b) => Lesser(b, a);

    [MethodImpl(Inline)]
    public static Vector128<float> F32x4Pmax(Vector128<float> a, Vector128<float> b) => Greater(b, a);

    [MethodImpl(Inline)]
    public static Vector128<double> F64x2Pmin(Vector128<double> a, Vector128<double> b) => Lesser(b, a);

    [MethodImpl(Inline)]
    public static Vector128<double> F64x2Pmax(Vector128<double> a, Vector128<double> b) => Greater(b, a);

    // The conversion gives the smallest integer for what is too large, which turned over is the largest.
    [MethodImpl(Inline)]
    public static Vector128<int> I32x4TruncSatF32x4S(Vector128<float> a)
    {
        if (!Sse2.IsSupported) return Vector128.ConvertToInt32(a);
        var tooLarge = Vector128.GreaterThanOrEqual(a, Vector128.Create(2147483648f)).AsInt32();
        var number = a & Vector128.Equals(a, a); // 0 for NaN
        return Sse2.ConvertToVector128Int32WithTruncation(number) ^ tooLarge;
    }

    // Below 2^31 the first conversion is right, and the second is made 0. From there on the first one gives 2^31, to
    // which the second adds the rest, or all other bits when that is too large.
    [MethodImpl(Inline)]
    public static Vector128<uint> I32x4TruncSatF32x4U(Vector128<float> a)
    {
        if (Avx512F.VL.IsSupported || !Sse41.IsSupported) return Vector128.ConvertToUInt32(a);
        var positive = Sse.Max(a, Vector128<float>.Zero); // 0 for NaN
        var rest = positive - Vector128.Create(2147483648f);
        var tooLarge = Vector128.GreaterThanOrEqual(rest, Vector128.Create(2147483648f)).AsInt32();
        var high = Sse2.ConvertToVector128Int32WithTruncation(rest) ^ tooLarge;
        var low = Sse2.ConvertToVector128Int32WithTruncation(positive);
        return (low + Vector128.Max(high, Vector128<int>.Zero)).AsUInt32();
    }

    [MethodImpl(Inline)]
    public static Vector128<int> I32x4TruncSatF64x2SZero(Vector128<double> a)
    {
        if (!Sse2.IsSupported) return Vector128.Create((int)a[0], (int)a[1], 0, 0);
        // The bound is 0 for NaN. What is too small becomes the smallest integer by itself.
        var bound = Vector128.Equals(a, a) & Vector128.Create((double)int.MaxValue);
        return Sse2.ConvertToVector128Int32WithTruncation(Lesser(a, bound));
    }

    // In the lowest bits of 2^52 + x stands x.
    [MethodImpl(Inline)]
    public static Vector128<uint> I32x4TruncSatF64x2UZero(Vector128<double> a)
    {
        var bounded = Lesser(Greater(a, Vector128<double>.Zero), Vector128.Create((double)uint.MaxValue));
        var shifted = Vector128.Truncate(bounded) + Vector128.Create(4503599627370496d);
        return Sse.IsSupported
            ? Sse.Shuffle(shifted.AsSingle(), Vector128<float>.Zero, 0b_10_00_10_00).AsUInt32()
            : Vector128.Narrow(shifted.AsUInt64(), Vector128<ulong>.Zero);
    }

    [MethodImpl(Inline)]
    public static Vector128<double> F64x2ConvertLowI32x4S(Vector128<int> a) =>
        Sse2.IsSupported ? Sse2.ConvertToVector128Double(a) : Vector128.Create((double)a[0], a[1]);

    [MethodImpl(Inline)]
    public static Vector128<double> F64x2ConvertLowI32x4U(Vector128<uint> a)
    {
        var shift = Vector128.Create(4503599627370496d);
        return (Vector128.WidenLower(a) | shift.AsUInt64()).AsDouble() - shift;
    }

    [MethodImpl(Inline)]
    public static Vector128<float> F32x4DemoteF64x2Zero(Vector128<double> a) => Sse2.IsSupported
        ? Sse2.ConvertToVector128Single(a)
        : Vector128.Narrow(a, Vector128<double>.Zero);

    // a < b ? a : b, as minps has it; likewise below.
    [MethodImpl(Inline)]
    static Vector128<float> Lesser(Vector128<float> a, Vector128<float> b) =>
        Sse.IsSupported ? Sse.Min(a, b) : Vector128.ConditionalSelect(Vector128.LessThan(a, b), a, b);

    [MethodImpl(Inline)]
    static Vector128<float> Greater(Vector128<float> a, Vector128<float> b) =>
        Sse.IsSupported ? Sse.Max(a, b) : Vector128.ConditionalSelect(Vector128.GreaterThan(a, b), a, b);

    [MethodImpl(Inline)]
    static Vector128<double> Lesser(Vector128<double> a, Vector128<double> b) =>
        Sse2.IsSupported ? Sse2.Min(a, b) : Vector128.ConditionalSelect(Vector128.LessThan(a, b), a, b);

    [MethodImpl(Inline)]
    static Vector128<double> Greater(Vector128<double> a, Vector128<double> b) =>
        Sse2.IsSupported ? Sse2.Max(a, b) : Vector128.ConditionalSelect(Vector128.GreaterThan(a, b), a, b);

    // Where neither is NaN.
    [MethodImpl(Inline)]
    static Vector128<float> Ordered(Vector128<float> a, Vector128<float> b) =>
        Sse.IsSupported ? Sse.CompareOrdered(a, b) : Vector128.Equals(a, a) & Vector128.Equals(b, b);

    [MethodImpl(Inline)]
    static Vector128<double> Ordered(Vector128<double> a, Vector128<double> b) =>
        Sse2.IsSupported ? Sse2.CompareOrdered(a, b) : Vector128.Equals(a, a) & Vector128.Equals(b, b);
}
