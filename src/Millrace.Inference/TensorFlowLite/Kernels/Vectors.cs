using System.Numerics;
using System.Runtime.InteropServices;

namespace Millrace.Inference.TensorFlowLite.Kernels;

/// <summary>Rows of elements into rows of results.</summary>
static class Vectors
{
    public static void Add<T>(ReadOnlySpan<T> x, Span<T> y) where T : unmanaged, INumber<T>
    {
        x = x[..y.Length];
        var from = MemoryMarshal.Cast<T, Vector<T>>(x);
        var into = MemoryMarshal.Cast<T, Vector<T>>(y);
        for (var i = 0; i < into.Length; i++) into[i] += from[i];
        for (var i = into.Length * Vector<T>.Count; i < y.Length; i++) y[i] += x[i];
    }

    public static void Max<T>(ReadOnlySpan<T> x, Span<T> y) where T : unmanaged, INumber<T>
    {
        x = x[..y.Length];
        var from = MemoryMarshal.Cast<T, Vector<T>>(x);
        var into = MemoryMarshal.Cast<T, Vector<T>>(y);
        for (var i = 0; i < into.Length; i++) into[i] = Vector.ConditionalSelect(Vector.GreaterThan(from[i], into[i]), from[i], into[i]);
        for (var i = into.Length * Vector<T>.Count; i < y.Length; i++) y[i] = x[i] > y[i] ? x[i] : y[i];
    }
}
