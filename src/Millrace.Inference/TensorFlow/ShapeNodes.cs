using System.Collections.Immutable;
using Millrace.Inference.Onnx;
using Millrace.Nn;

namespace Millrace.Inference.TensorFlow;

/// <summary>Nodes that move elements and leave them as they are.</summary>
static class ShapeNodes
{
    // Rows of sizes are no longer than this where their elements are looked at.
    const int RankMax = 1024;

    /// <summary>The sizes, as a row.</summary>
    public static Value ShapeOf(this Emitter e, Value x) => !x.Shape.IsDefault && !x.Shape.Contains(-1)
        ? e.Row(x.Shape.AsSpan())
        : e.Node("Shape", [x], TensorType.I64, [x.Rank ?? -1]).With(x.Shape);

    /// <summary>How many sizes there are, as a number.</summary>
    public static Value RankOf(this Emitter e, Value x) =>
        x.Rank is { } rank ? e.Whole([], [rank]) : e.Node("Size", [e.ShapeOf(x)], TensorType.I64, []);

    /// <summary>One size, as a row of one.</summary>
    public static Value SizeOf(this Emitter e, Value x, int axis) => x.Size(axis) is var size and >= 0
        ? e.Row(size)
        : e.Slice(e.ShapeOf(x), axis, axis == -1 ? long.MaxValue : axis + 1, axis: 0);

    /// <summary>Other sizes for the same elements: a row in which one may be -1.</summary>
    public static Value Reshape(this Emitter e, Value x, Value sizes)
    {
        var shape = !sizes.Partly.IsDefault ? sizes.Partly : sizes.Size(0) is var rank and >= 0 ? Open(rank) : default;
        if (x.Rank is not null && !x.Shape.Contains(-1) && !shape.IsDefault && shape.Count(size => size == -1) == 1
            && shape.IndexOf(-1) is var open)
        {
            var rest = Count(shape.Where(size => size != -1));
            if (rest > 0) shape = shape.SetItem(open, Count(x.Shape) / rest);
        }

        if (x.IsKnown && !shape.IsDefault && !shape.Contains(-1) && Count(shape) == x.Known.Length)
            return e.Whole(shape, x.Known.AsSpan(), x.Type);
        // In TensorFlow a 0 is a size.
        return e.Node("Reshape", [x, e.Longs(sizes)], x.Type, shape, new OnnxAttribute("allowzero", 1L));
    }

    /// <summary>Axes in another order.</summary>
    public static Value Transpose(this Emitter e, Value x, params ReadOnlySpan<long> order)
    {
        ImmutableArray<long> axes = [.. order];
        if (axes.SequenceEqual(Enumerable.Range(0, axes.Length).Select(i => (long)i))) return x;
        ImmutableArray<long> shape = [.. axes.Select(axis => x.Size((int)axis))];
        return e.Node("Transpose", [x], x.Type, shape, new OnnxAttribute("perm", axes.AsSpan()));
    }

    /// <summary>Puts in axes of size 1, counted in the result.</summary>
    public static Value Unsqueeze(this Emitter e, Value x, params ReadOnlySpan<long> axes)
    {
        ImmutableArray<long> shape = default;
        if (x.Rank is { } rank)
        {
            var sizes = new List<long>(x.Shape);
            var added = axes.Length;
            foreach (var axis in axes.ToArray().Select(axis => axis < 0 ? axis + rank + added : axis).Order())
                sizes.Insert((int)Math.Clamp(axis, 0, sizes.Count), 1);
            shape = [.. sizes];
        }

        if (x.IsKnown && !shape.IsDefault) return e.Whole(shape, x.Known.AsSpan(), x.Type);
        return e.Node("Unsqueeze", [x, e.Row(axes)], x.Type, shape);
    }

    /// <summary>Takes axes of size 1 out; none named takes all.</summary>
    public static Value Squeeze(this Emitter e, Value x, params ReadOnlySpan<long> axes)
    {
        ImmutableArray<long> shape = default;
        if (x.Rank is { } rank && (axes.Length > 0 || !x.Shape.Contains(-1)))
        {
            var gone = axes.ToArray().Select(axis => axis < 0 ? axis + rank : axis).ToHashSet();
            shape = [.. x.Shape.Where((size, axis) => gone.Count > 0 ? !gone.Contains(axis) : size != 1)];
        }

        if (x.IsKnown && !shape.IsDefault && Count(shape) == x.Known.Length) return e.Whole(shape, x.Known.AsSpan(), x.Type);
        return e.Node("Squeeze", axes.Length > 0 ? [x, e.Row(axes)] : [x], x.Type, shape);
    }

    /// <summary>Joins along an axis.</summary>
    public static Value Concat(this Emitter e, ReadOnlySpan<Value> parts, int axis)
    {
        var all = parts.ToArray();
        if (all.Length == 1) return all[0];
        if (axis == 0 && all.All(part => part.IsKnown && part.Rank == 1))
            return e.Whole([all.Sum(part => part.Size(0))], [.. all.SelectMany(part => part.Known)], all[0].Type);
        ImmutableArray<long> shape = default;
        if (all.FirstOrDefault(part => part.Rank is not null) is { } known)
        {
            var at = axis < 0 ? axis + known.Shape.Length : axis;
            shape = all.All(part => part.Rank == known.Rank && at < part.Rank)
                ? known.Shape.SetItem(at, all.Any(part => part.Size(at) < 0) ? -1 : all.Sum(part => part.Size(at)))
                : Open(known.Shape.Length);
        }

        var joined = e.Node("Concat", all, all[0].Type, shape, new OnnxAttribute("axis", axis));
        return axis == 0 && all.All(part => part.Rank == 1 && part.Size(0) is >= 0 and <= RankMax)
            ? joined.With([.. all.SelectMany(part => part.Partly.IsDefault ? Open(part.Size(0)) : part.Partly)])
            : joined;
    }

    /// <summary>Elements by their index along an axis.</summary>
    public static Value Gather(this Emitter e, Value x, Value indices, int axis)
    {
        var row = x.Rank == 1 ? x.Partly : default;
        if (axis == 0 && !row.IsDefault && indices.IsKnown && indices.Known.All(index => index >= -row.Length && index < row.Length))
        {
            long[] picked = [.. indices.Known.Select(index => row[(int)(index < 0 ? index + row.Length : index)])];
            if (x.IsKnown || !picked.Contains(-1)) return e.Whole(indices.Shape, picked, x.Type);
        }

        ImmutableArray<long> shape = default;
        if (x.Rank is { } rank && indices.Rank is not null)
        {
            var at = axis < 0 ? axis + rank : axis;
            shape = [.. x.Shape[..at], .. indices.Shape, .. x.Shape[(at + 1)..]];
        }

        return e.Node("Gather", [x, indices], x.Type, shape, new OnnxAttribute("axis", axis));
    }

    /// <summary>A stretch of an axis.</summary>
    public static Value Slice(this Emitter e, Value x, long from, long to, int axis) =>
        e.Slice(x, e.Row(from), e.Row(to), [axis], [1]);

    /// <summary>Stretches of axes, with steps. Indices below 0 count from the end; what lies outside is clamped.</summary>
    public static Value Slice(this Emitter e, Value x, Value from, Value to, ImmutableArray<long> axes, ImmutableArray<long> steps)
    {
        ImmutableArray<long> shape = default;
        if (x.Rank is { } rank)
        {
            var sizes = x.Shape.ToArray();
            for (var i = 0; i < axes.Length; i++)
            {
                var axis = axes[i] < 0 ? axes[i] + rank : axes[i];
                if (axis < 0 || axis >= rank) continue;
                sizes[axis] = from.IsKnown && to.IsKnown && sizes[axis] >= 0
                    ? Stretch.Of(sizes[axis], from.Known[i], to.Known[i], steps[i]).Count
                    : -1;
            }

            shape = [.. sizes];
        }

        var picked = default(long[]);
        if (x.Rank == 1 && !x.Partly.IsDefault && from.IsKnown && to.IsKnown && axes.Length == 1)
        {
            var stretch = Stretch.Of(x.Partly.Length, from.Known[0], to.Known[0], steps[0]);
            picked = new long[stretch.Count];
            for (var i = 0; i < picked.Length; i++) picked[i] = x.Partly[(int)(stretch.Start + i * steps[0])];
            if (x.IsKnown || !picked.Contains(-1)) return e.Whole([picked.Length], picked, x.Type);
        }

        var slice = e.Node("Slice", [x, from, to, e.Row(axes.AsSpan()), e.Row(steps.AsSpan())], x.Type, shape);
        return picked is null ? slice : slice.With([.. picked]);
    }

    /// <summary>Repeats to a shape.</summary>
    public static Value Expand(this Emitter e, Value x, Value sizes)
    {
        if (x.IsKnown && x.Known.Length == 1 && sizes.IsKnown && Count(sizes.Known) is >= 0 and <= 1024 and var count)
            return e.Whole(sizes.Known, [.. Enumerable.Repeat(x.Known[0], (int)count)], x.Type);
        ImmutableArray<long> shape = sizes.IsKnown ? Emitter.Broadcast(x.Shape, sizes.Known)
            : sizes.Size(0) is var rank and >= 0 && x.Rank <= rank ? Open(rank) : default;
        return e.Node("Expand", [x, e.Longs(sizes)], x.Type, shape);
    }

    /// <summary>The numbers from 0 to below a size, which is a row of one.</summary>
    public static Value Numbers(this Emitter e, Value size)
    {
        Value[] bounds = [e.Whole([], [0]), e.Squeeze(size, 0), e.Whole([], [1])];
        return e.Node("Range", bounds, TensorType.I64, [size.IsKnown ? size.Known[0] : -1]);
    }

    /// <summary>As many ones as a number says, as a row.</summary>
    public static Value Ones(this Emitter e, Value count) => e.Expand(e.Row(1), e.Longs(e.Reshape(count, e.Row(1))));

    /// <summary>Joins the sizes of two rows of one: a row.</summary>
    public static Value Sizes(this Emitter e, params ReadOnlySpan<Value> sizes) => e.Concat(sizes, axis: 0);

    /// <summary>A shape of which only the rank is known; one that no engine has is not kept.</summary>
    public static ImmutableArray<long> Open(long rank) =>
        rank is >= 0 and <= RankMax ? [.. Enumerable.Repeat(-1L, (int)rank)] : default;

    static Value With(this Value row, ImmutableArray<long> partly) =>
        partly.IsDefault || partly.All(size => size == -1) ? row : new(row.Name, row.Type, row.Shape) { Partly = partly };

    static long Count(IEnumerable<long> shape) => shape.Aggregate(1L, static (product, size) => checked(product * size));

    /// <summary>The indices that a stretch picks, as Python's slices do: where they begin, and how many there are.</summary>
    readonly record struct Stretch(long Start, long Count)
    {
        public static Stretch Of(long size, long from, long to, long step)
        {
            var (low, high) = step > 0 ? (0L, size) : (-1L, size - 1);
            var start = Math.Clamp(from < 0 ? from + size : from, low, high);
            var end = to == long.MinValue ? -1 : Math.Clamp(to < 0 ? to + size : to, low, high);
            var length = step > 0 ? end - start : start - end;
            // Of the first and every further one whose distance is less than the length.
            return new(start, length <= 0 ? 0 : (length - 1) / Math.Abs(step) + 1);
        }
    }
}
