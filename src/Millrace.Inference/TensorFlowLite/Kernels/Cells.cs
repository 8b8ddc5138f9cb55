using System.Numerics;
using System.Runtime.InteropServices;
using Millrace.Inference.TensorFlowLite.Execution;

namespace Millrace.Inference.TensorFlowLite.Kernels;

/// <summary>What recurrent cells are made of.</summary>
static class Cells
{
    public static Func<float, float> Activation(Node node, int field) => node.Options.Byte(field) switch
    {
        0 => static x => x,
        1 => static x => Math.Max(x, 0),
        2 => static x => Math.Clamp(x, -1, 1),
        3 => static x => Math.Clamp(x, 0, 6),
        4 => MathF.Tanh,
        var other => throw node.Refuse($"with the activation {other}"),
    };

    public static float Logistic(float x) => 1 / (1 + MathF.Exp(-x));

    public static float Dot(ReadOnlySpan<float> a, ReadOnlySpan<float> b)
    {
        b = b[..a.Length];
        var left = MemoryMarshal.Cast<float, Vector<float>>(a);
        var right = MemoryMarshal.Cast<float, Vector<float>>(b);
        var sums = Vector<float>.Zero;
        for (var i = 0; i < left.Length; i++) sums += left[i] * right[i];
        var sum = Vector.Sum(sums);
        for (var i = left.Length * Vector<float>.Count; i < a.Length; i++) sum += a[i] * b[i];
        return sum;
    }

    /// <summary>Adds the products of a matrix's rows with a vector.</summary>
    public static void AddProducts(ReadOnlySpan<float> matrix, ReadOnlySpan<float> x, Span<float> sums)
    {
        for (var i = 0; i < sums.Length; i++) sums[i] += Dot(matrix.Slice(i * x.Length, x.Length), x);
    }
}
