using System.Numerics;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace Millrace.Inference.TensorFlowLite.Kernels;

/// <summary>Sums of reals, with bias and bounds, into rows of an output.</summary>
readonly ref struct RealSums(
    Span<float> output, int stride, int first, int columns, ReadOnlySpan<float> bias, Activation activation) : ISums<float>
{
    readonly Span<float> _output = output;
    readonly ReadOnlySpan<float> _bias = bias;

    public void Write(scoped ReadOnlySpan<float> sums, int row, int column)
    {
        var count = Math.Min(sums.Length, columns - column);
        var into = _output.Slice(row * stride + first + column, count);
        var bias = _bias.IsEmpty ? default : _bias.Slice(first + column, count);
        var from = MemoryMarshal.Cast<float, Vector256<float>>(sums);
        var to = MemoryMarshal.Cast<float, Vector256<float>>(into);
        var offsets = MemoryMarshal.Cast<float, Vector256<float>>(bias);
        for (var i = 0; i < to.Length; i++) to[i] = activation.Apply(offsets.IsEmpty ? from[i] : from[i] + offsets[i]);
        for (var i = to.Length * Vector256<float>.Count; i < into.Length; i++)
            into[i] = activation.Apply(bias.IsEmpty ? sums[i] : sums[i] + bias[i]);
    }
}

/// <summary>How sums become steps of a quantized output; one factor for all columns or one each.</summary>
sealed record Requantization(Multiplier[] Scales, int ZeroPoint, int Min, int Max, bool IsReduced)
{
    public int Apply(long sum, int column)
    {
        var scale = Scales[Scales.Length == 1 ? 0 : column];
        var scaled = IsReduced ? scale.ApplyReduced(sum) : scale.Apply(unchecked((int)sum));
        return Math.Clamp(scaled + ZeroPoint, Min, Max);
    }
}

/// <summary>Sums of whole numbers, with bias, into rows of a quantized output.</summary>
readonly ref struct QuantizedSums<T>(
    Span<T> output, int stride, int first, int columns, ReadOnlySpan<long> bias, Requantization scale) : ISums<long>
        where T : unmanaged, INumber<T>
{
    readonly Span<T> _output = output;
    readonly ReadOnlySpan<long> _bias = bias;

    public void Write(scoped ReadOnlySpan<long> sums, int row, int column)
    {
        var count = Math.Min(sums.Length, columns - column);
        var into = _output.Slice(row * stride + first + column, count);
        for (var i = 0; i < into.Length; i++)
        {
            var sum = sums[i] + (_bias.IsEmpty ? 0 : _bias[first + column + i]);
            into[i] = T.CreateTruncating(scale.Apply(sum, first + column + i));
        }
    }
}

/// <summary>Sums of steps of reals that were quantized at run time: each row with its own scale.</summary>
readonly ref struct HybridSums(
    Span<float> output, int stride, int first, int columns, ReadOnlySpan<float> bias, Activation activation,
    ReadOnlySpan<float> rowScales, int rowsPerScale, float[] columnScales) : ISums<long>
{
    readonly Span<float> _output = output;
    readonly ReadOnlySpan<float> _bias = bias;
    readonly ReadOnlySpan<float> _rowScales = rowScales;

    public void Write(scoped ReadOnlySpan<long> sums, int row, int column)
    {
        var count = Math.Min(sums.Length, columns - column);
        var into = _output.Slice(row * stride + first + column, count);
        var rowScale = _rowScales[row / rowsPerScale];
        for (var i = 0; i < into.Length; i++)
        {
            var at = first + column + i;
            var value = sums[i] * (rowScale * columnScales[columnScales.Length == 1 ? 0 : at]);
            into[i] = activation.Apply(value + (_bias.IsEmpty ? 0 : _bias[at]));
        }
    }
}

/// <summary>Sums as they are, into rows of a matrix.</summary>
readonly ref struct RawSums<T>(Span<T> output, int columns) : ISums<T>
{
    readonly Span<T> _output = output;

    public void Write(scoped ReadOnlySpan<T> sums, int row, int column)
    {
        var count = Math.Min(sums.Length, columns - column);
        sums[..count].CopyTo(_output.Slice(row * columns + column, count));
    }
}
