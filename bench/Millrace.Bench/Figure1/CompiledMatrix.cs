using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace Millrace.Bench.Figure1;

/// <summary>
/// The figure's last row: <c>matmul.c</c>'s divide and conquer in C#, on the widest vectors that the machine has.
/// </summary>
static class CompiledMatrix
{
    const int Leaf = 64;
    const int Tall = 4;

    delegate void LeafStep(int n, ReadOnlySpan<double> a, ReadOnlySpan<double> b, Span<double> c);

    /// <summary>How wide its vectors are, in bits.</summary>
    public static int Bits => Vector512.IsHardwareAccelerated ? 512 : 256;

    /// <summary>Multiplies, each thread a band of the rows.</summary>
    public static void Multiply(double[] a, double[] b, double[] c, int n, int threads)
    {
        LeafStep leaf = Vector512.IsHardwareAccelerated ? LeafOf512 : LeafOf256;
        Parallel.For(0, threads, new ParallelOptions { MaxDegreeOfParallelism = threads }, i =>
        {
            var band = n / threads * i * n;
            Divide(leaf, n, n / threads, n, n, a.AsSpan(band), b, c.AsSpan(band));
        });
    }

    public static void Fill(double[] a, double[] b, double[] c, int n)
    {
        Array.Clear(c);
        for (var i = 0; i < n; i++)
        {
            for (var j = 0; j < n; j++)
            {
                a[(i * n) + j] = (((i * 7) + (j * 3)) % 11) - 5;
                b[(i * n) + j] = (((i * 5) + (j * 13)) % 17) - 8;
            }
        }
    }

    public static long Sum(double[] c, int n, int rows)
    {
        long sum = 0;
        for (var i = 0; i < rows; i++)
            for (var j = 0; j < n; j++) sum += (long)c[(i * n) + j] * ((((i * 31) + j) % 17) + 1);
        return sum;
    }

    static void Divide(
        LeafStep leaf, int n, int rows, int columns, int inner, ReadOnlySpan<double> a, ReadOnlySpan<double> b, Span<double> c)
    {
        if (rows <= Leaf && columns <= Leaf && inner <= Leaf)
        {
            leaf(n, a, b, c);
        }
        else if (rows >= columns && rows >= inner)
        {
            var half = rows / 2;
            Divide(leaf, n, half, columns, inner, a, b, c);
            Divide(leaf, n, rows - half, columns, inner, a[(half * n)..], b, c[(half * n)..]);
        }
        else if (columns >= inner)
        {
            var half = columns / 2;
            Divide(leaf, n, rows, half, inner, a, b, c);
            Divide(leaf, n, rows, columns - half, inner, a, b[half..], c[half..]);
        }
        else
        {
            var half = inner / 2;
            Divide(leaf, n, rows, columns, half, a, b, c);
            Divide(leaf, n, rows, columns, inner - half, a[half..], b[(half * n)..], c);
        }
    }

    // The blocks are copied so that they lie together: A in tiles of Tall rows, B in strips of two vectors.
    static void Pack(
        int n, int strip, ReadOnlySpan<double> a, ReadOnlySpan<double> b, Span<double> left, Span<double> right)
    {
        for (var at = 0; at < Leaf * Leaf; at++)
        {
            var (i, k) = (at / Leaf, at % Leaf);
            left[(i / Tall * Tall * Leaf) + (k * Tall) + (i % Tall)] = a[(i * n) + k];
        }
        for (var at = 0; at < Leaf * Leaf; at += strip)
        {
            var (k, j) = (at / Leaf, at % Leaf);
            b.Slice((k * n) + j, strip).CopyTo(right.Slice((j * Leaf) + (k * strip), strip));
        }
    }

    static void LeafOf512(int n, ReadOnlySpan<double> a, ReadOnlySpan<double> b, Span<double> c)
    {
        const int Strip = 16;
        Span<double> left = stackalloc double[Leaf * Leaf], right = stackalloc double[Leaf * Leaf];
        Pack(n, Strip, a, b, left, right);
        for (var j = 0; j < Leaf; j += Strip)
        {
            for (var i = 0; i < Leaf; i += Tall)
            {
                Vector512<double> s00 = default, s01 = default, s10 = default, s11 = default;
                Vector512<double> s20 = default, s21 = default, s30 = default, s31 = default;
                ref var p = ref left[i * Leaf];
                ref var q = ref right[j * Leaf];
                for (var k = 0; k < Leaf; k++)
                {
                    var (y0, y1) = (Vector512.LoadUnsafe(ref q), Vector512.LoadUnsafe(ref q, 8));
                    var x = Vector512.Create(p);
                    (s00, s01) = (Vector512.MultiplyAddEstimate(x, y0, s00), Vector512.MultiplyAddEstimate(x, y1, s01));
                    x = Vector512.Create(Unsafe.Add(ref p, 1));
                    (s10, s11) = (Vector512.MultiplyAddEstimate(x, y0, s10), Vector512.MultiplyAddEstimate(x, y1, s11));
                    x = Vector512.Create(Unsafe.Add(ref p, 2));
                    (s20, s21) = (Vector512.MultiplyAddEstimate(x, y0, s20), Vector512.MultiplyAddEstimate(x, y1, s21));
                    x = Vector512.Create(Unsafe.Add(ref p, 3));
                    (s30, s31) = (Vector512.MultiplyAddEstimate(x, y0, s30), Vector512.MultiplyAddEstimate(x, y1, s31));
                    p = ref Unsafe.Add(ref p, Tall);
                    q = ref Unsafe.Add(ref q, Strip);
                }
                Add(c[((i * n) + j)..], s00, s01);
                Add(c[(((i + 1) * n) + j)..], s10, s11);
                Add(c[(((i + 2) * n) + j)..], s20, s21);
                Add(c[(((i + 3) * n) + j)..], s30, s31);
            }
        }
    }

    static void LeafOf256(int n, ReadOnlySpan<double> a, ReadOnlySpan<double> b, Span<double> c)
    {
        const int Strip = 8;
        Span<double> left = stackalloc double[Leaf * Leaf], right = stackalloc double[Leaf * Leaf];
        Pack(n, Strip, a, b, left, right);
        for (var j = 0; j < Leaf; j += Strip)
        {
            for (var i = 0; i < Leaf; i += Tall)
            {
                Vector256<double> s00 = default, s01 = default, s10 = default, s11 = default;
                Vector256<double> s20 = default, s21 = default, s30 = default, s31 = default;
                ref var p = ref left[i * Leaf];
                ref var q = ref right[j * Leaf];
                for (var k = 0; k < Leaf; k++)
                {
                    var (y0, y1) = (Vector256.LoadUnsafe(ref q), Vector256.LoadUnsafe(ref q, 4));
                    var x = Vector256.Create(p);
                    (s00, s01) = (Vector256.MultiplyAddEstimate(x, y0, s00), Vector256.MultiplyAddEstimate(x, y1, s01));
                    x = Vector256.Create(Unsafe.Add(ref p, 1));
                    (s10, s11) = (Vector256.MultiplyAddEstimate(x, y0, s10), Vector256.MultiplyAddEstimate(x, y1, s11));
                    x = Vector256.Create(Unsafe.Add(ref p, 2));
                    (s20, s21) = (Vector256.MultiplyAddEstimate(x, y0, s20), Vector256.MultiplyAddEstimate(x, y1, s21));
                    x = Vector256.Create(Unsafe.Add(ref p, 3));
                    (s30, s31) = (Vector256.MultiplyAddEstimate(x, y0, s30), Vector256.MultiplyAddEstimate(x, y1, s31));
                    p = ref Unsafe.Add(ref p, Tall);
                    q = ref Unsafe.Add(ref q, Strip);
                }
                Add(c[((i * n) + j)..], Vector512.Create(s00, s01));
                Add(c[(((i + 1) * n) + j)..], Vector512.Create(s10, s11));
                Add(c[(((i + 2) * n) + j)..], Vector512.Create(s20, s21));
                Add(c[(((i + 3) * n) + j)..], Vector512.Create(s30, s31));
            }
        }
    }

    static void Add(Span<double> c, Vector512<double> first, Vector512<double> second)
    {
        Add(c, first);
        Add(c[8..], second);
    }

    static void Add(Span<double> c, Vector512<double> more)
    {
        ref var at = ref MemoryMarshal.GetReference(c[..8]);
        (Vector512.LoadUnsafe(ref at) + more).StoreUnsafe(ref at);
    }
}
