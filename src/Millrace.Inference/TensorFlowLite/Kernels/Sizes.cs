using Millrace.Inference.TensorFlowLite.Execution;
using Millrace.Inference.TensorFlowLite.Format;

namespace Millrace.Inference.TensorFlowLite.Kernels;

/// <summary>Arithmetic on sizes, axes and index tensors.</summary>
static class Sizes
{
    /// <summary>Elements between, and including, two axes.</summary>
    public static int Product(ReadOnlySpan<int> sizes)
    {
        long product = 1;
        foreach (var size in sizes)
        {
            product *= size;
            if (product > int.MaxValue) throw new OverflowException();
        }

        return (int)product;
    }

    public static int[] Strides(ReadOnlySpan<int> shape)
    {
        var strides = new int[shape.Length];
        long stride = 1;
        for (var i = shape.Length - 1; i >= 0; i--)
        {
            strides[i] = (int)Math.Min(stride, int.MaxValue);
            stride *= Math.Max(shape[i], 1);
        }

        return strides;
    }

    public static int Dot(int[] indices, int[] strides)
    {
        var sum = 0;
        for (var i = 0; i < indices.Length; i++) sum += indices[i] * strides[i];
        return sum;
    }

    public static int Axis(Call call, int axis, int rank)
    {
        var positive = axis < 0 ? axis + rank : axis;
        call.Require(positive >= 0 && positive < Math.Max(rank, 1), $"axis {axis} of a tensor of rank {rank}");
        return positive;
    }

    /// <summary>Whole numbers of a tensor that tells sizes, axes or indices.</summary>
    public static int[] Ints(LiteTensor tensor)
    {
        var values = new int[tensor.Count];
        for (var i = 0; i < values.Length; i++) values[i] = checked((int)Long(tensor, i));
        return values;
    }

    public static long Long(LiteTensor tensor, int index) => tensor.Type switch
    {
        LiteType.Int32 => tensor.Read<int>()[index],
        LiteType.Int64 => tensor.Read<long>()[index],
        LiteType.Int16 => tensor.Read<short>()[index],
        LiteType.Int8 => tensor.Read<sbyte>()[index],
        LiteType.UInt8 => tensor.Read<byte>()[index],
        LiteType.UInt32 => tensor.Read<uint>()[index],
        _ => throw new ArgumentException("no index type"),
    };

    public static int[] With(int[] shape, int axis, int size)
    {
        var copy = (int[])shape.Clone();
        copy[axis] = size;
        return copy;
    }

    /// <summary>The sizes that two tensors are stretched to.</summary>
    public static int[] Broadcast(Call call, int[] a, int[] b)
    {
        var rank = Math.Max(a.Length, b.Length);
        var shape = new int[rank];
        for (var i = 0; i < rank; i++)
        {
            var (left, right) = (SizeAt(a, i, rank), SizeAt(b, i, rank));
            call.Require(
                left == right || left == 1 || right == 1,
                $"[{string.Join(",", a)}] and [{string.Join(",", b)}] cannot be stretched to each other");
            shape[i] = left == 1 ? right : left;
        }

        return shape;
    }

    /// <summary>The size of an axis, counted as if the shape had a longer one's rank.</summary>
    public static int SizeAt(int[] shape, int axis, int rank)
    {
        var own = axis - (rank - shape.Length);
        return own < 0 ? 1 : shape[own];
    }

    /// <summary>Steps through a tensor as if it had other sizes: 0 along axes it is stretched along.</summary>
    public static int[] StretchedStrides(int[] shape, int[] to)
    {
        var strides = Strides(shape);
        var stretched = new int[to.Length];
        for (var i = 0; i < to.Length; i++)
        {
            var own = i - (to.Length - shape.Length);
            stretched[i] = own < 0 || shape[own] == 1 ? 0 : strides[own];
        }

        return stretched;
    }
}
