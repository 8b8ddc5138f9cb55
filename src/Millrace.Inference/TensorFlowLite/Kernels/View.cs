using Millrace.Inference.TensorFlowLite.Execution;
using Millrace.Inference.TensorFlowLite.Format;

namespace Millrace.Inference.TensorFlowLite.Kernels;

/// <summary>Elements of a tensor in an order of one's own: where the first is, and the steps along each axis.</summary>
readonly record struct View(int Offset, int[] Steps)
{
    public static View Whole(int[] shape) => new(0, Sizes.Strides(shape));

    /// <summary>Copies what one view shows to where the other points, for all of these sizes.</summary>
    public static void Copy(LiteTensor from, View source, LiteTensor to, View target, int[] sizes)
    {
        switch (ElementTypes.Bytes(to.Type))
        {
            case 1:
                Copy<byte>(from, source, to, target, sizes);
                break;
            case 2:
                Copy<ushort>(from, source, to, target, sizes);
                break;
            case 4:
                Copy<uint>(from, source, to, target, sizes);
                break;
            case 8:
                Copy<ulong>(from, source, to, target, sizes);
                break;
            default:
                Copy<UInt128>(from, source, to, target, sizes);
                break;
        }
    }

    static void Copy<T>(LiteTensor from, View source, LiteTensor to, View target, int[] sizes) where T : unmanaged
    {
        if (Sizes.Product(sizes) == 0) return;
        var axes = Merge(sizes, source.Steps, target.Steps);
        var x = from.Read<T>();
        var y = to.Write<T>();
        var (size, step, into) = axes[^1];
        var index = new int[axes.Count - 1];
        for (var (at, place) = (source.Offset, target.Offset); ;)
        {
            if (step == 1 && into == 1)
            {
                x.Slice(at, size).CopyTo(y[place..]);
            }
            else if (step == 0 && into == 1)
            {
                y.Slice(place, size).Fill(x[at]);
            }
            else
            {
                for (var i = 0; i < size; i++) y[place + i * into] = x[at + i * step];
            }

            var axis = index.Length - 1;
            for (; axis >= 0; axis--)
            {
                (at, place) = (at + axes[axis].From, place + axes[axis].To);
                if (++index[axis] < axes[axis].Size) break;
                (at, place) = (at - axes[axis].From * index[axis], place - axes[axis].To * index[axis]);
                index[axis] = 0;
            }

            if (axis < 0) return;
        }
    }

    // Axes that both sides run through without a gap are one.
    static List<(int Size, int From, int To)> Merge(int[] sizes, int[] from, int[] to)
    {
        var axes = new List<(int Size, int From, int To)>();
        for (var i = 0; i < sizes.Length; i++)
        {
            if (sizes[i] == 1) continue;
            if (axes.Count > 0 && axes[^1].From == from[i] * sizes[i] && axes[^1].To == to[i] * sizes[i])
                axes[^1] = (axes[^1].Size * sizes[i], from[i], to[i]);
            else axes.Add((sizes[i], from[i], to[i]));
        }

        if (axes.Count == 0) axes.Add((1, 1, 1));
        return axes;
    }
}
