using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace Millrace.Inference.TensorFlowLite.Kernels;

/// <summary>Six rows of reals side by side: what the innermost loop multiplies a panel of columns with.</summary>
[StructLayout(LayoutKind.Sequential)]
struct SixReals
{
    public float A, B, C, D, E, F;
}

/// <summary>Six rows of pairs of 16-bit numbers; a pair is one int.</summary>
[StructLayout(LayoutKind.Sequential)]
struct SixPairs
{
    public int A, B, C, D, E, F;
}

/// <summary>Sixteen columns of reals.</summary>
[StructLayout(LayoutKind.Sequential)]
struct RealColumns
{
    public Vector256<float> Low, High;
}

/// <summary>Sixteen columns of pairs.</summary>
[StructLayout(LayoutKind.Sequential)]
struct PairColumns
{
    public Vector256<short> Low, High;
}

/// <summary>A matrix of reals by panels of sixteen columns, each panel row after row.</summary>
sealed class RealPanels
{
    public const int Width = 16;

    readonly RealColumns[] _columns;

    /// <param name="at">The element of a row and a column.</param>
    public RealPanels(int rows, int columns, Func<int, int, float> at)
    {
        (Rows, Columns) = (rows, columns);
        Count = (columns + Width - 1) / Width;
        _columns = new RealColumns[checked(Count * rows)];
        var elements = MemoryMarshal.Cast<RealColumns, float>(_columns.AsSpan());
        for (var column = 0; column < columns; column++)
        {
            var start = column / Width * rows * Width + column % Width;
            for (var row = 0; row < rows; row++) elements[start + row * Width] = at(row, column);
        }
    }

    public int Rows { get; }

    public int Columns { get; }

    /// <summary>Panels.</summary>
    public int Count { get; }

    public ReadOnlySpan<RealColumns> Panel(int index) => _columns.AsSpan(index * Rows, Rows);
}

/// <summary>A matrix of 16-bit numbers by panels of sixteen columns, two rows interleaved.</summary>
sealed class PairPanels
{
    public const int Width = 16;

    readonly PairColumns[] _columns;

    public PairPanels(int rows, int columns, Func<int, int, int> at)
    {
        (Rows, Columns) = (rows, columns);
        Pairs = (rows + 1) / 2;
        Count = (columns + Width - 1) / Width;
        _columns = new PairColumns[checked(Count * Pairs)];
        var elements = MemoryMarshal.Cast<PairColumns, short>(_columns.AsSpan());
        for (var column = 0; column < columns; column++)
        {
            var start = column / Width * Pairs * Width * 2 + column % Width * 2;
            for (var row = 0; row < rows; row++) elements[start + row / 2 * Width * 2 + row % 2] = (short)at(row, column);
        }
    }

    public int Rows { get; }

    public int Columns { get; }

    public int Pairs { get; }

    public int Count { get; }

    public ReadOnlySpan<PairColumns> Panel(int index) => _columns.AsSpan(index * Pairs, Pairs);
}
