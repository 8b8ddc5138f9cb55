using System.Numerics;
using Millrace.Inference.TensorFlowLite.Execution;
using Millrace.Inference.TensorFlowLite.Format;

namespace Millrace.Inference.TensorFlowLite.Kernels;

/// <summary>Sums, means, bounds and products along axes.</summary>
static class Reductions
{
    public static Kernel Sum(Node node)
    {
        Check(node);
        return node.Type switch
        {
            LiteType.Float32 => static call => Fold<float, float, SumOf<float, float>>(call, default),
            LiteType.Int32 => static call => Fold<int, int, SumOf<int, int>>(call, default),
            LiteType.Int64 => static call => Fold<long, long, SumOf<long, long>>(call, default),
            _ => Quantized(node, isMean: false),
        };
    }

    public static Kernel Mean(Node node)
    {
        Check(node);
        return node.Type switch
        {
            LiteType.Float32 => static call => Means<float, float>(call),
            LiteType.Int32 => static call => Means<int, long>(call),
            LiteType.Int64 => static call => Means<long, long>(call),
            _ => Quantized(node, isMean: true),
        };
    }

    public static Kernel Max(Node node)
    {
        CheckSame(node);
        return node.Type switch
        {
            LiteType.Float32 => static call => Fold<float, float, MaxOf<float>>(call, new MaxOf<float>(float.NegativeInfinity)),
            LiteType.Int32 => static call => Fold<int, int, MaxOf<int>>(call, new MaxOf<int>(int.MinValue)),
            LiteType.Int64 => static call => Fold<long, long, MaxOf<long>>(call, new MaxOf<long>(long.MinValue)),
            LiteType.Int16 => static call => Fold<short, short, MaxOf<short>>(call, new MaxOf<short>(short.MinValue)),
            LiteType.Int8 => static call => Fold<sbyte, sbyte, MaxOf<sbyte>>(call, new MaxOf<sbyte>(sbyte.MinValue)),
            LiteType.UInt8 => static call => Fold<byte, byte, MaxOf<byte>>(call, new MaxOf<byte>(byte.MinValue)),
            _ => throw node.Refuse($"of {node.Type}"),
        };
    }

    public static Kernel Min(Node node)
    {
        CheckSame(node);
        return node.Type switch
        {
            LiteType.Float32 => static call => Fold<float, float, MinOf<float>>(call, new MinOf<float>(float.PositiveInfinity)),
            LiteType.Int32 => static call => Fold<int, int, MinOf<int>>(call, new MinOf<int>(int.MaxValue)),
            LiteType.Int64 => static call => Fold<long, long, MinOf<long>>(call, new MinOf<long>(long.MaxValue)),
            LiteType.Int16 => static call => Fold<short, short, MinOf<short>>(call, new MinOf<short>(short.MaxValue)),
            LiteType.Int8 => static call => Fold<sbyte, sbyte, MinOf<sbyte>>(call, new MinOf<sbyte>(sbyte.MaxValue)),
            LiteType.UInt8 => static call => Fold<byte, byte, MinOf<byte>>(call, new MinOf<byte>(byte.MaxValue)),
            _ => throw node.Refuse($"of {node.Type}"),
        };
    }

    public static Kernel Prod(Node node)
    {
        Check(node);
        return node.Type switch
        {
            LiteType.Float32 => static call => Fold<float, float, ProductOf<float>>(call, default),
            LiteType.Int32 => static call => Fold<int, int, ProductOf<int>>(call, default),
            LiteType.Int64 => static call => Fold<long, long, ProductOf<long>>(call, default),
            _ => throw node.Refuse($"of {node.Type}"),
        };
    }

    public static Kernel Any(Node node)
    {
        node.RequireType(node.Input(0), LiteType.Bool);
        return static call => Fold<byte, byte, AnyOf>(call, default);
    }

    public static Kernel All(Node node)
    {
        node.RequireType(node.Input(0), LiteType.Bool);
        return static call => Fold<byte, byte, AllOf>(call, default);
    }

    static void Check(Node node)
    {
        node.RequireType(
            node.Input(0), LiteType.Float32, LiteType.Int32, LiteType.Int64, LiteType.Int8, LiteType.UInt8, LiteType.Int16);
        node.RequireType(node.Input(1), LiteType.Int32);
        node.RequireSameType(node.Input(0), node.Output(0));
    }

    static void CheckSame(Node node)
    {
        node.RequireType(node.Input(1), LiteType.Int32);
        node.RequireSameType(node.Input(0), node.Output(0));
        if (!Arithmetic.IsQuantized(node)) return;
        var (x, y) = (node.QuantizedInput(0), node.QuantizedOutput());
        if (x.Scale != y.Scale || x.ZeroPoint != y.ZeroPoint) throw node.Refuse("between unequal quantizations");
    }

    static Kernel Quantized(Node node, bool isMean)
    {
        var (x, y) = (node.QuantizedInput(0), node.QuantizedOutput());
        var (min, max) = Activation.Range(node.Type);
        return node.Type switch
        {
            LiteType.Int8 => call => Quantized<sbyte>(call, x, y, isMean, min, max),
            LiteType.UInt8 => call => Quantized<byte>(call, x, y, isMean, min, max),
            _ => call => Quantized<short>(call, x, y, isMean, min, max),
        };
    }

    static void Quantized<T>(Call call, Quantization from, Quantization to, bool isMean, int min, int max) where T : unmanaged, INumber<T>
    {
        var plan = Axes.Of(call);
        var sums = call.Scratch<long>(Sizes.Product(plan.Shape));
        Accumulate<T, long, SumOf<T, long>>(call, plan, sums, default);
        var y = plan.Place(call).Write<T>();
        var count = plan.Folded;
        if (isMean)
        {
            var scale = MeanScale((double)from.Scale / to.Scale, count);
            for (var i = 0; i < y.Length; i++)
            {
                var sum = unchecked((int)(sums[i] - (long)from.ZeroPoint * count));
                y[i] = T.CreateTruncating(Math.Clamp(scale.Apply(sum) + to.ZeroPoint, min, max));
            }

            return;
        }

        var real = from.Scale / to.Scale;
        var bias = -from.ZeroPoint * real * count;
        for (var i = 0; i < y.Length; i++)
        {
            var step = MathF.Round(sums[i] * real + bias, MidpointRounding.AwayFromZero) + to.ZeroPoint;
            y[i] = T.CreateTruncating((int)Math.Clamp(step, min, max));
        }
    }

    // The division by the number of elements goes into the factor, with as many bits as it has room for.
    static Multiplier MeanScale(double real, int count)
    {
        var scale = Multiplier.Of(real);
        if (count <= 0) return scale;
        var shift = Math.Min(BitOperations.Log2((uint)count), 31 + scale.Shift);
        return new Multiplier((int)(((long)scale.Value << shift) / count), scale.Shift - shift);
    }

    static void Means<T, TSum>(Call call) where T : unmanaged, INumber<T> where TSum : unmanaged, INumber<TSum>
    {
        var plan = Axes.Of(call);
        var sums = call.Scratch<TSum>(Sizes.Product(plan.Shape));
        Accumulate<T, TSum, SumOf<T, TSum>>(call, plan, sums, default);
        var y = plan.Place(call).Write<T>();
        var count = TSum.CreateTruncating(plan.Folded);
        for (var i = 0; i < y.Length; i++) y[i] = T.CreateTruncating(sums[i] / count);
    }

    static void Fold<T, TSum, TFold>(Call call, TFold fold) where T : unmanaged where TSum : unmanaged where TFold : struct, IFold<T, TSum>
    {
        var plan = Axes.Of(call);
        Accumulate<T, TSum, TFold>(call, plan, plan.Place(call).Write<TSum>(), fold);
    }

    static void Accumulate<T, TSum, TFold>(Call call, Axes plan, Span<TSum> sums, TFold fold)
        where T : unmanaged where TSum : unmanaged where TFold : struct, IFold<T, TSum>
    {
        sums.Fill(fold.Start);
        var x = call.Input(0).Read<T>();
        var run = plan.Runs[^1];
        var index = new int[plan.Runs.Length - 1];
        for (int at = 0, into = 0; at < x.Length; at += run.Size)
        {
            var elements = x.Slice(at, run.Size);
            if (run.Step == 0)
            {
                var sum = sums[into];
                foreach (var element in elements) sum = fold.Apply(sum, element);
                sums[into] = sum;
            }
            else
            {
                var row = sums.Slice(into, run.Size);
                for (var i = 0; i < row.Length; i++) row[i] = fold.Apply(row[i], elements[i]);
            }

            for (var axis = index.Length - 1; axis >= 0; axis--)
            {
                into += plan.Runs[axis].Step;
                if (++index[axis] < plan.Runs[axis].Size) break;
                into -= plan.Runs[axis].Step * index[axis];
                index[axis] = 0;
            }
        }
    }

    /// <summary>Axes that are folded and such that stay; neighbours of a kind are one run.</summary>
    sealed record Axes(int[] Shape, (int Size, int Step)[] Runs, int Folded)
    {
        public static Axes Of(Call call)
        {
            var (x, axes) = (call.Input(0), Sizes.Ints(call.Input(1)));
            var isFolded = new bool[x.Rank];
            foreach (var axis in axes)
            {
                if (x.Rank > 0) isFolded[Sizes.Axis(call, axis, x.Rank)] = true;
            }

            var (folded, step) = (1, 1);
            var runs = new List<(int Size, int Step)>();
            for (var axis = x.Rank - 1; axis >= 0; axis--)
            {
                var size = x.Shape[axis];
                var own = isFolded[axis] ? 0 : step;
                if (isFolded[axis]) folded = checked(folded * size);
                else step *= size;
                // A run that continues the one inside it.
                if (runs.Count > 0 && own == runs[^1].Step * runs[^1].Size && own == 0 == (runs[^1].Step == 0))
                    runs[^1] = (runs[^1].Size * size, runs[^1].Step);
                else runs.Add((size, own));
            }

            if (runs.Count == 0) runs.Add((1, 1));
            runs.Reverse();
            var shape = x.Shape.Where((_, axis) => !isFolded[axis]).ToArray();
            return new Axes(shape, [.. runs], folded) { Kept = [.. x.Shape.Select((size, axis) => isFolded[axis] ? 1 : size)] };
        }

        /// <summary>The sizes where folded axes stay with a size of one.</summary>
        public int[] Kept { get; private init; } = [];

        public LiteTensor Place(Call call) => call.Output(0, call.Options.Bool(0) ? Kept : Shape);
    }

    readonly struct AnyOf : IFold<byte, byte>
    {
        public byte Start => 0;
        public byte Apply(byte sum, byte x) => (byte)(sum != 0 || x != 0 ? 1 : 0);
    }

    readonly struct AllOf : IFold<byte, byte>
    {
        public byte Start => 1;
        public byte Apply(byte sum, byte x) => (byte)(sum != 0 && x != 0 ? 1 : 0);
    }
}
