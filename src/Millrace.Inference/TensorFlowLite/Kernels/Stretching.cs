using System.Numerics;
using System.Runtime.InteropServices;
using Millrace.Inference.TensorFlowLite.Execution;

namespace Millrace.Inference.TensorFlowLite.Kernels;

/// <summary>A function of two elements.</summary>
interface IBinary<TIn, TOut>
{
    TOut Apply(TIn a, TIn b);
}

/// <summary>One that has a form for many elements at once.</summary>
interface IVectorBinary<T> : IBinary<T, T>
{
    Vector<T> Apply(Vector<T> a, Vector<T> b);
}

/// <summary>A function along one axis; a step of 0 repeats the one element.</summary>
interface IRun<TIn, TOut>
{
    void Run(ReadOnlySpan<TIn> a, int stepA, ReadOnlySpan<TIn> b, int stepB, Span<TOut> y);
}

readonly struct ScalarRun<TIn, TOut, TOp>(TOp op) : IRun<TIn, TOut> where TOp : struct, IBinary<TIn, TOut>
{
    public void Run(ReadOnlySpan<TIn> a, int stepA, ReadOnlySpan<TIn> b, int stepB, Span<TOut> y)
    {
        for (var i = 0; i < y.Length; i++) y[i] = op.Apply(a[i * stepA], b[i * stepB]);
    }
}

readonly struct VectorRun<T, TOp>(TOp op) : IRun<T, T> where T : unmanaged where TOp : struct, IVectorBinary<T>
{
    public void Run(ReadOnlySpan<T> a, int stepA, ReadOnlySpan<T> b, int stepB, Span<T> y)
    {
        var done = 0;
        var results = MemoryMarshal.Cast<T, Vector<T>>(y);
        if (results.Length > 0)
        {
            var left = MemoryMarshal.Cast<T, Vector<T>>(a);
            var right = MemoryMarshal.Cast<T, Vector<T>>(b);
            if (stepA == 1 && stepB == 1)
            {
                for (var i = 0; i < results.Length; i++) results[i] = op.Apply(left[i], right[i]);
            }
            else if (stepA == 1)
            {
                var same = new Vector<T>(b[0]);
                for (var i = 0; i < results.Length; i++) results[i] = op.Apply(left[i], same);
            }
            else
            {
                var same = new Vector<T>(a[0]);
                for (var i = 0; i < results.Length; i++) results[i] = op.Apply(same, stepB == 1 ? right[i] : new Vector<T>(b[0]));
            }

            done = results.Length * Vector<T>.Count;
        }

        for (var i = done; i < y.Length; i++) y[i] = op.Apply(a[i * stepA], b[i * stepB]);
    }
}

/// <summary>Stretches two tensors to one shape and applies a function to each pair.</summary>
static class Stretching
{
    public static LiteTensor Apply<TIn, TOut, TOp>(Call call, TOp op)
        where TIn : unmanaged where TOut : unmanaged where TOp : struct, IBinary<TIn, TOut> =>
        Walk<TIn, TOut, ScalarRun<TIn, TOut, TOp>>(call, new ScalarRun<TIn, TOut, TOp>(op));

    public static LiteTensor ApplyVector<T, TOp>(Call call, TOp op) where T : unmanaged where TOp : struct, IVectorBinary<T> =>
        Walk<T, T, VectorRun<T, TOp>>(call, new VectorRun<T, TOp>(op));

    static LiteTensor Walk<TIn, TOut, TRun>(Call call, TRun run)
        where TIn : unmanaged where TOut : unmanaged where TRun : struct, IRun<TIn, TOut>
    {
        var (left, right) = (call.Input(0), call.Input(1));
        var shape = Sizes.Broadcast(call, left.Shape, right.Shape);
        var output = call.Output(0, shape);
        if (output.Count == 0) return output;
        var axes = Axes(shape, Sizes.StretchedStrides(left.Shape, shape), Sizes.StretchedStrides(right.Shape, shape));
        var a = left.Read<TIn>();
        var b = right.Read<TIn>();
        var y = output.Write<TOut>();
        var inner = axes[^1];
        var index = new int[axes.Count - 1];
        for (int at = 0, offA = 0, offB = 0; at < y.Length; at += inner.Size)
        {
            run.Run(a[offA..], inner.StepA, b[offB..], inner.StepB, y.Slice(at, inner.Size));
            for (var axis = index.Length - 1; axis >= 0; axis--)
            {
                var (size, stepA, stepB) = axes[axis];
                (offA, offB) = (offA + stepA, offB + stepB);
                if (++index[axis] < size) break;
                index[axis] = 0;
                (offA, offB) = (offA - stepA * size, offB - stepB * size);
            }
        }

        return output;
    }

    // Neighbouring axes that both tensors run through alike are one, so that most calls have a single run.
    static List<(int Size, int StepA, int StepB)> Axes(int[] shape, int[] stepsA, int[] stepsB)
    {
        var axes = new List<(int Size, int StepA, int StepB)> { (1, 0, 0) };
        for (var i = 0; i < shape.Length; i++)
        {
            if (shape[i] == 1) continue;
            var (size, stepA, stepB) = axes[^1];
            if (stepA == stepsA[i] * shape[i] && stepB == stepsB[i] * shape[i]) axes[^1] = (size * shape[i], stepsA[i], stepsB[i]);
            else if (size == 1) axes[^1] = (shape[i], stepsA[i], stepsB[i]);
            else axes.Add((shape[i], stepsA[i], stepsB[i]));
        }

        return axes;
    }
}
