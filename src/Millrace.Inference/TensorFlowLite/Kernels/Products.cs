using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using Millrace.Inference.TensorFlowLite.Execution;

namespace Millrace.Inference.TensorFlowLite.Kernels;

/// <summary>The rows that a matrix product takes from the left: patches of an image, or a matrix's own.</summary>
interface IRows<T>
{
    int Count { get; }

    /// <summary>Writes a row; what is not written stays zero.</summary>
    void Read(int row, Span<T> into);
}

/// <summary>Where sums of sixteen columns of a row go.</summary>
interface ISums<T>
{
    void Write(scoped ReadOnlySpan<T> sums, int row, int column);
}

/// <summary>Products of matrices: six rows by sixteen columns at a time, so that every sum stays in a register.</summary>
static class Products
{
    const int Rows = 6;
    const int Width = 16;

    // So many elements of the left side are arranged at once that they stay in the second cache.
    const int BlockElements = 48 * 1024;

    // Two products of 16 bits fit 31 bits; of sums of as many as this none overflows.
    const int WidePairs = 128;

    public static void Multiply<TRows, TSums>(Call call, TRows rows, RealPanels columns, TSums sums)
        where TRows : IRows<float>, allows ref struct where TSums : ISums<float>, allows ref struct
    {
        var depth = columns.Rows;
        var block = Math.Max(1, BlockElements / (Rows * Math.Max(depth, 1)));
        var arranged = call.Scratch<SixReals>(checked(block * depth));
        var row = call.Scratch<float>(depth);
        Span<Vector256<float>> tile = stackalloc Vector256<float>[Rows * 2];
        var results = MemoryMarshal.Cast<Vector256<float>, float>(tile);
        for (var first = 0; first < rows.Count; first += block * Rows)
        {
            call.Cancel.ThrowIfCancellationRequested();
            var count = Math.Min(block * Rows, rows.Count - first);
            Arrange(rows, first, count, row, MemoryMarshal.Cast<SixReals, float>(arranged));
            for (var panel = 0; panel < columns.Count; panel++)
            {
                for (var six = 0; six < count; six += Rows)
                {
                    var left = arranged.Slice(six / Rows * depth, depth);
                    if (count - six == 1) MultiplyOne(left, columns.Panel(panel), tile);
                    else MultiplySix(left, columns.Panel(panel), tile);
                    for (var i = 0; i < Math.Min(Rows, count - six); i++)
                        sums.Write(results.Slice(i * Width, Width), first + six + i, panel * Width);
                }
            }
        }
    }

    /// <summary>Of whole numbers; the sums are exact.</summary>
    public static void Multiply<TRows, TSums>(Call call, TRows rows, PairPanels columns, TSums sums, bool isWide)
        where TRows : IRows<short>, allows ref struct where TSums : ISums<long>, allows ref struct
    {
        var depth = columns.Pairs;
        var block = Math.Max(1, BlockElements / (Rows * Math.Max(depth, 1)));
        var arranged = call.Scratch<SixPairs>(checked(block * depth));
        var row = call.Scratch<short>(columns.Rows);
        Span<Vector256<int>> tile = stackalloc Vector256<int>[Rows * 2];
        Span<long> results = stackalloc long[Rows * Width];
        // 8-bit factors leave room for 2^15 products.
        var step = isWide ? WidePairs : 1 << 13;
        for (var first = 0; first < rows.Count; first += block * Rows)
        {
            call.Cancel.ThrowIfCancellationRequested();
            var count = Math.Min(block * Rows, rows.Count - first);
            Arrange(rows, first, count, row, MemoryMarshal.Cast<SixPairs, short>(arranged));
            for (var panel = 0; panel < columns.Count; panel++)
            {
                for (var six = 0; six < count; six += Rows)
                {
                    results.Clear();
                    var left = arranged.Slice(six / Rows * depth, depth);
                    for (var at = 0; at < depth; at += step)
                    {
                        var part = Math.Min(step, depth - at);
                        MultiplySix(left.Slice(at, part), columns.Panel(panel).Slice(at, part), tile);
                        var partial = MemoryMarshal.Cast<Vector256<int>, int>(tile);
                        for (var i = 0; i < results.Length; i++) results[i] += partial[i];
                    }

                    for (var i = 0; i < Math.Min(Rows, count - six); i++)
                        sums.Write(results.Slice(i * Width, Width), first + six + i, panel * Width);
                }
            }
        }
    }

    static void Arrange<TRows>(TRows rows, int first, int count, Span<float> row, Span<float> into)
        where TRows : IRows<float>, allows ref struct
    {
        for (var i = 0; i < (count + Rows - 1) / Rows * Rows; i++)
        {
            row.Clear();
            if (i < count) rows.Read(first + i, row);
            var start = i / Rows * row.Length * Rows + i % Rows;
            for (var k = 0; k < row.Length; k++) into[start + k * Rows] = row[k];
        }
    }

    static void Arrange<TRows>(TRows rows, int first, int count, Span<short> row, Span<short> into)
        where TRows : IRows<short>, allows ref struct
    {
        var pairs = (row.Length + 1) / 2;
        for (var i = 0; i < (count + Rows - 1) / Rows * Rows; i++)
        {
            row.Clear();
            if (i < count) rows.Read(first + i, row);
            var start = (i / Rows * pairs * Rows + i % Rows) * 2;
            if (row.Length % 2 != 0) into[start + (pairs - 1) * Rows * 2 + 1] = 0;
            for (var k = 0; k < row.Length; k++) into[start + k / 2 * Rows * 2 + k % 2] = row[k];
        }
    }

    static void MultiplySix(ReadOnlySpan<SixReals> left, ReadOnlySpan<RealColumns> right, Span<Vector256<float>> tile)
    {
        Vector256<float> a0 = default, a1 = default, b0 = default, b1 = default, c0 = default, c1 = default;
        Vector256<float> d0 = default, d1 = default, e0 = default, e1 = default, f0 = default, f1 = default;
        right = right[..left.Length];
        for (var k = 0; k < left.Length; k++)
        {
            ref readonly var x = ref left[k];
            var (low, high) = (right[k].Low, right[k].High);
            var a = Vector256.Create(x.A);
            a0 = Vector256.MultiplyAddEstimate(a, low, a0);
            a1 = Vector256.MultiplyAddEstimate(a, high, a1);
            var b = Vector256.Create(x.B);
            b0 = Vector256.MultiplyAddEstimate(b, low, b0);
            b1 = Vector256.MultiplyAddEstimate(b, high, b1);
            var c = Vector256.Create(x.C);
            c0 = Vector256.MultiplyAddEstimate(c, low, c0);
            c1 = Vector256.MultiplyAddEstimate(c, high, c1);
            var d = Vector256.Create(x.D);
            d0 = Vector256.MultiplyAddEstimate(d, low, d0);
            d1 = Vector256.MultiplyAddEstimate(d, high, d1);
            var e = Vector256.Create(x.E);
            e0 = Vector256.MultiplyAddEstimate(e, low, e0);
            e1 = Vector256.MultiplyAddEstimate(e, high, e1);
            var f = Vector256.Create(x.F);
            f0 = Vector256.MultiplyAddEstimate(f, low, f0);
            f1 = Vector256.MultiplyAddEstimate(f, high, f1);
        }

        (tile[0], tile[1], tile[2], tile[3]) = (a0, a1, b0, b1);
        (tile[4], tile[5], tile[6], tile[7]) = (c0, c1, d0, d1);
        (tile[8], tile[9], tile[10], tile[11]) = (e0, e1, f0, f1);
    }

    // Of a vector: four sums of each column, for one alone would wait for itself.
    static void MultiplyOne(ReadOnlySpan<SixReals> left, ReadOnlySpan<RealColumns> right, Span<Vector256<float>> tile)
    {
        Vector256<float> a0 = default, a1 = default, b0 = default, b1 = default, c0 = default, c1 = default, d0 = default, d1 = default;
        right = right[..left.Length];
        var k = 0;
        for (; k + 3 < left.Length; k += 4)
        {
            var x = Vector256.Create(left[k].A);
            a0 = Vector256.MultiplyAddEstimate(x, right[k].Low, a0);
            a1 = Vector256.MultiplyAddEstimate(x, right[k].High, a1);
            x = Vector256.Create(left[k + 1].A);
            b0 = Vector256.MultiplyAddEstimate(x, right[k + 1].Low, b0);
            b1 = Vector256.MultiplyAddEstimate(x, right[k + 1].High, b1);
            x = Vector256.Create(left[k + 2].A);
            c0 = Vector256.MultiplyAddEstimate(x, right[k + 2].Low, c0);
            c1 = Vector256.MultiplyAddEstimate(x, right[k + 2].High, c1);
            x = Vector256.Create(left[k + 3].A);
            d0 = Vector256.MultiplyAddEstimate(x, right[k + 3].Low, d0);
            d1 = Vector256.MultiplyAddEstimate(x, right[k + 3].High, d1);
        }

        for (; k < left.Length; k++)
        {
            var x = Vector256.Create(left[k].A);
            a0 = Vector256.MultiplyAddEstimate(x, right[k].Low, a0);
            a1 = Vector256.MultiplyAddEstimate(x, right[k].High, a1);
        }

        tile[0] = a0 + b0 + (c0 + d0);
        tile[1] = a1 + b1 + (c1 + d1);
    }

    static void MultiplySix(ReadOnlySpan<SixPairs> left, ReadOnlySpan<PairColumns> right, Span<Vector256<int>> tile)
    {
        Vector256<int> a0 = default, a1 = default, b0 = default, b1 = default, c0 = default, c1 = default;
        Vector256<int> d0 = default, d1 = default, e0 = default, e1 = default, f0 = default, f1 = default;
        right = right[..left.Length];
        for (var k = 0; k < left.Length; k++)
        {
            ref readonly var x = ref left[k];
            var (low, high) = (right[k].Low, right[k].High);
            var a = Vector256.Create(x.A).AsInt16();
            a0 += PairSums(a, low);
            a1 += PairSums(a, high);
            var b = Vector256.Create(x.B).AsInt16();
            b0 += PairSums(b, low);
            b1 += PairSums(b, high);
            var c = Vector256.Create(x.C).AsInt16();
            c0 += PairSums(c, low);
            c1 += PairSums(c, high);
            var d = Vector256.Create(x.D).AsInt16();
            d0 += PairSums(d, low);
            d1 += PairSums(d, high);
            var e = Vector256.Create(x.E).AsInt16();
            e0 += PairSums(e, low);
            e1 += PairSums(e, high);
            var f = Vector256.Create(x.F).AsInt16();
            f0 += PairSums(f, low);
            f1 += PairSums(f, high);
        }

        (tile[0], tile[1], tile[2], tile[3]) = (a0, a1, b0, b1);
        (tile[4], tile[5], tile[6], tile[7]) = (c0, c1, d0, d1);
        (tile[8], tile[9], tile[10], tile[11]) = (e0, e1, f0, f1);
    }

    // Products of neighbours, added: one instruction where there is one.
    static Vector256<int> PairSums(Vector256<short> left, Vector256<short> right)
    {
        if (Avx2.IsSupported) return Avx2.MultiplyAddAdjacent(left, right);
        var (a, b) = (left.AsInt32(), right.AsInt32());
        return ((a << 16) >> 16) * ((b << 16) >> 16) + (a >> 16) * (b >> 16);
    }
}
