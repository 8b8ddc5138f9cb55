using System.Numerics;

namespace Millrace.Inference.TensorFlowLite.Kernels;

/// <summary>Takes one more element into a result.</summary>
interface IFold<T, TSum>
{
    TSum Start { get; }

    TSum Apply(TSum sum, T x);
}

readonly struct SumOf<T, TSum> : IFold<T, TSum> where T : INumber<T> where TSum : INumber<TSum>
{
    public TSum Start => TSum.Zero;
    public TSum Apply(TSum sum, T x) => sum + TSum.CreateTruncating(x);
}

readonly struct ProductOf<T> : IFold<T, T> where T : INumber<T>
{
    public T Start => T.One;
    public T Apply(T sum, T x) => sum * x;
}

readonly struct MaxOf<T>(T least) : IFold<T, T> where T : INumber<T>
{
    public T Start => least;
    public T Apply(T sum, T x) => x > sum ? x : sum;
}

readonly struct MinOf<T>(T greatest) : IFold<T, T> where T : INumber<T>
{
    public T Start => greatest;
    public T Apply(T sum, T x) => x < sum ? x : sum;
}
