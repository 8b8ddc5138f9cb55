using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Millrace.Wasm.Runtime;

/// <summary>
/// Shuffles of two vectors for which x86 has one instruction (see <see cref="Compilation.VectorShuffles"/>), and the
/// same without it.
/// </summary>
static class GuestShuffles
{
    const MethodImplOptions Inline = MethodImplOptions.AggressiveInlining;

    [MethodImpl(Inline)]
    public static Vector128<byte> InterleaveLow8(Vector128<byte> a, Vector128<byte> b) =>
        Sse2.IsSupported ? Sse2.UnpackLow(a, b) : Interleave(a, b, 0, 1);

    [MethodImpl(Inline)]
    public static Vector128<byte> InterleaveHigh8(Vector128<byte> a, Vector128<byte> b) =>
        Sse2.IsSupported ? Sse2.UnpackHigh(a, b) : Interleave(a, b, 8, 1);

    [MethodImpl(Inline)]
    public static Vector128<byte> InterleaveLow16(Vector128<byte> a, Vector128<byte> b) =>
        Sse2.IsSupported ? Sse2.UnpackLow(a.AsInt16(), b.AsInt16()).AsByte() : Interleave(a, b, 0, 2);

    [MethodImpl(Inline)]
    public static Vector128<byte> InterleaveHigh16(Vector128<byte> a, Vector128<byte> b) =>
        Sse2.IsSupported ? Sse2.UnpackHigh(a.AsInt16(), b.AsInt16()).AsByte() : Interleave(a, b, 8, 2);

    [MethodImpl(Inline)]
    public static Vector128<byte> InterleaveLow32(Vector128<byte> a, Vector128<byte> b) =>
        Sse2.IsSupported ? Sse2.UnpackLow(a.AsInt32(), b.AsInt32()).AsByte() : Interleave(a, b, 0, 4);

    [MethodImpl(Inline)]
    public static Vector128<byte> InterleaveHigh32(Vector128<byte> a, Vector128<byte> b) =>
        Sse2.IsSupported ? Sse2.UnpackHigh(a.AsInt32(), b.AsInt32()).AsByte() : Interleave(a, b, 8, 4);

    [MethodImpl(Inline)]
    public static Vector128<byte> InterleaveLow64(Vector128<byte> a, Vector128<byte> b) =>
        Sse2.IsSupported ? Sse2.UnpackLow(a.AsInt64(), b.AsInt64()).AsByte() : Interleave(a, b, 0, 8);

    [MethodImpl(Inline)]
    public static Vector128<byte> InterleaveHigh64(Vector128<byte> a, Vector128<byte> b) =>
        Sse2.IsSupported ? Sse2.UnpackHigh(a.AsInt64(), b.AsInt64()).AsByte() : Interleave(a, b, 8, 8);

    /// <summary>Sixteen bytes of both, from byte <paramref name="first"/> of <paramref name="a"/> on.</summary>
    [MethodImpl(Inline)]
    public static Vector128<byte> Window(Vector128<byte> a, Vector128<byte> b, [ConstantExpected] byte first)
    {
        if (Ssse3.IsSupported) return Ssse3.AlignRight(b, a, first);
        var indexes = Vector128<byte>.Indices + Vector128.Create(first);
        return Vector128.Shuffle(a, indexes) | Vector128.Shuffle(b, indexes - Vector128.Create((byte)16));
    }

    /// <summary>Two 32-bit lanes of <paramref name="a"/>, then two of <paramref name="b"/>: two bits each.</summary>
    [MethodImpl(Inline)]
    public static Vector128<byte> Pairs32(Vector128<float> a, Vector128<float> b, [ConstantExpected] byte lanes)
    {
        if (Sse.IsSupported) return Sse.Shuffle(a, b, lanes).AsByte();
        var (x, y) = (a.AsInt32(), b.AsInt32());
        return Vector128.Create(x[lanes & 3], x[lanes >> 2 & 3], y[lanes >> 4 & 3], y[lanes >> 6]).AsByte();
    }

    // Eight bytes of each from byte `first` on, by turns as many as `width`.
    static Vector128<byte> Interleave(Vector128<byte> a, Vector128<byte> b, int first, int width)
    {
        var result = Vector128<byte>.Zero;
        for (var i = 0; i < Vector128<byte>.Count; i++)
        {
            var from = first + i / (2 * width) * width + i % width;
            result = result.WithElement(i, i / width % 2 == 0 ? a[from] : b[from]);
        }
        return result;
    }
}
