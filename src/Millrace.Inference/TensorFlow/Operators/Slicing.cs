using System.Collections.Immutable;
using Millrace.Inference.Onnx;
using Millrace.Nn;

namespace Millrace.Inference.TensorFlow.Operators;

/// <summary>Parts of tensors, and what is put around them.</summary>
static class Slicing
{
    // As many as TensorFlow's shapes have.
    const int AxesMax = 254;

    static readonly TensorType[] Padded = [.. Types.Numbers, TensorType.U8, TensorType.I8, TensorType.Bool];

    public static readonly Operator[] Rows =
    [
        new("Slice", Slice),
        new("StridedSlice", StridedSlice),
        new(["Pad", "PadV2"], Pad),
        new("MirrorPad", MirrorPad),
        new("ReverseV2", Reverse),
        new("ReverseSequence", ReverseSequence),
        new("Roll", Roll),
    ];

    /// <summary>Puts elements around: so many before and after each axis.</summary>
    public static Value Pad(Call c, Value before, Value after, Value? filling = null)
    {
        var (e, x) = (c.E, c.E.Cast(c[0], Types.Wider(c, c[0].Type, Padded)));
        if (before.IsKnown && after.IsKnown && !before.Known.Concat(after.Known).Any(count => count != 0)) return c[0];
        ImmutableArray<long> shape = default;
        if (x.Rank is { } rank)
        {
            shape = before.IsKnown && after.IsKnown && before.Known.Length == rank
                ? [.. x.Shape.Select((size, i) => size < 0 ? -1 : size + before.Known[i] + after.Known[i])]
                : ShapeNodes.Open(rank);
        }

        filling = filling is null ? e.Scalar(0, x.Type) : e.Cast(filling, x.Type);
        return e.Cast(e.Node("Pad", [x, e.Sizes(before, after), filling], x.Type, shape), c[0].Type);
    }

    /// <summary>The two columns of a table of pairs, as rows.</summary>
    public static (Value Before, Value After) Columns(this Emitter e, Value pairs)
    {
        if (pairs.IsKnown)
        {
            return (e.Row([.. pairs.Known.Where((_, i) => i % 2 == 0)]), e.Row([.. pairs.Known.Where((_, i) => i % 2 == 1)]));
        }

        var table = e.Longs(pairs);
        return (e.Squeeze(e.Slice(table, 0, 1, axis: 1), 1), e.Squeeze(e.Slice(table, 1, 2, axis: 1), 1));
    }

    static Value Pad(Call c)
    {
        var (before, after) = c.E.Columns(c[1]);
        return Pad(c, before, after, c.Count > 2 ? c[2] : null);
    }

    static Value Slice(Call c)
    {
        var (e, from, size) = (c.E, c.E.Longs(c[1]), c.E.Longs(c[2]));
        var count = Math.Max(from.Size(0), size.Size(0));
        if (count < 0) throw c.Refuse("how many axes it slices must be known");
        if (count > AxesMax) throw c.Refuse($"it slices {count} axes");
        // A size of -1 goes to the end.
        var end = e.Expand(e.Row(long.MaxValue), e.Row(count));
        var zero = e.Expand(e.Row(0), e.Row(count));
        var to = e.Where(e.Compare("Less", size, zero), end, e.Add(from, size));
        return e.Slice(c[0], from, to, [.. Enumerable.Range(0, (int)count).Select(i => (long)i)], [.. Enumerable.Repeat(1L, (int)count)]);
    }

    /// <summary>What one entry of a strided slice does. Axes after an ellipsis are counted from the end.</summary>
    sealed record Entry(int Index, long Axis, bool Shrinks);

    static Value StridedSlice(Call c)
    {
        var (e, x, steps) = (c.E, c[0], c.Known(3, "its strides"));
        var (entries, added) = Entries(c, steps.Length);
        if (entries.Count > 0)
        {
            var bounds = entries.Select(entry => Bounds(c, entry, steps[entry.Index])).ToArray();
            x = e.Slice(x, e.Sizes([.. bounds.Select(bound => bound.From)]), e.Sizes([.. bounds.Select(bound => bound.To)]),
                [.. entries.Select(entry => entry.Axis)], [.. entries.Select(entry => entry.Shrinks ? 1 : steps[entry.Index])]);
        }

        long[] gone = [.. entries.Where(entry => entry.Shrinks).Select(entry => entry.Axis)];
        if (gone.Length > 0) x = e.Squeeze(x, gone);
        return added.Length > 0 ? e.Unsqueeze(x, added) : x;
    }

    static (List<Entry> Entries, long[] Added) Entries(Call c, int count)
    {
        var (ellipses, news, shrinks) = (c.Int("ellipsis_mask", 0), c.Int("new_axis_mask", 0), c.Int("shrink_axis_mask", 0));
        var (entries, added) = (new List<Entry>(), new List<long>());
        var (axis, place, i) = (0L, 0L, 0);
        for (; i < count && !Has(ellipses, i); i++)
        {
            if (Has(news, i)) added.Add(place++);
            else entries.Add(new(i, axis++, Has(shrinks, i)));
            if (!Has(news, i) && !Has(shrinks, i)) place++;
        }

        (axis, place) = (-1, -1);
        for (var last = count - 1; last > i; last--)
        {
            if (Has(ellipses, last)) throw c.Refuse("it has two ellipses");
            if (Has(news, last)) added.Add(place--);
            else entries.Add(new(last, axis--, Has(shrinks, last)));
            if (!Has(news, last) && !Has(shrinks, last)) place--;
        }

        return (entries, [.. added]);
    }

    static (Value From, Value To) Bounds(Call c, Entry entry, long step)
    {
        var e = c.E;
        if (step == 0) throw c.Refuse("a stride is 0");
        var from = e.Slice(e.Longs(c[1]), entry.Index, entry.Index + 1, axis: 0);
        if (entry.Shrinks)
        {
            if (step < 0) throw c.Refuse("an index has a negative stride");
            // The last element ends where there is no number for the end: -1 + 1 is the first.
            return (from, e.Where(e.Compare("Equal", from, e.Row(-1)), e.Row(long.MaxValue), e.Add(from, e.Row(1))));
        }

        if (Has(c.Int("begin_mask", 0), entry.Index)) from = e.Row(step > 0 ? 0 : long.MaxValue);
        var to = Has(c.Int("end_mask", 0), entry.Index)
            ? e.Row(step > 0 ? long.MaxValue : long.MinValue)
            : e.Slice(e.Longs(c[2]), entry.Index, entry.Index + 1, axis: 0);
        return (from, to);
    }

    static bool Has(long mask, int bit) => (mask >> bit & 1) != 0;

    // Both modes lay the edge's elements out backwards; SYMMETRIC with the edge itself, which ONNX's Pad does not have.
    static Value MirrorPad(Call c)
    {
        var (e, x, paddings) = (c.E, c[0], c.Known(1, "its paddings"));
        var skips = c.Text("mode", "REFLECT") == "SYMMETRIC" ? 0 : 1;
        for (var axis = 0; axis < paddings.Length / 2; axis++)
        {
            var (before, after) = (paddings[axis * 2], paddings[axis * 2 + 1]);
            var (size, most) = (c[0].Size(axis), Math.Max(before, after));
            if (size >= 0 && most > size - skips) throw c.Refuse($"it pads {most} where there are {size}");
            var parts = new List<Value>();
            if (before > 0) parts.Add(Backwards(e, x, before - 1 + skips, skips == 0 ? long.MinValue : 0, axis));
            parts.Add(x);
            if (after > 0) parts.Add(Backwards(e, x, -1 - skips, -1 - skips - after, axis));
            x = e.Concat([.. parts], axis);
        }

        return x;
    }

    static Value Backwards(Emitter e, Value x, long from, long to, long axis) => e.Slice(x, e.Row(from), e.Row(to), [axis], [-1]);

    static Value Reverse(Call c) =>
        c.Known(1, "its axes").Aggregate(c[0], (x, axis) => Backwards(c.E, x, long.MaxValue, long.MinValue, axis));

    static Value ReverseSequence(Call c)
    {
        var (e, rank) = (c.E, c.Rank(0));
        var (time, batch) = (c.Axis(0, c.Int("seq_dim", 0)), c.Axis(0, c.Int("batch_dim", 0)));
        if (time == batch) throw c.Refuse("both of its axes are the same");
        // ONNX has them in front.
        long[] order = [batch, time, .. Enumerable.Range(0, rank).Where(axis => axis != batch && axis != time).Select(axis => (long)axis)];
        var turned = e.Transpose(c[0], order);
        var reversed = e.Node("ReverseSequence", [turned, e.Longs(c[1])], turned.Type, turned.Shape,
            new OnnxAttribute("time_axis", 1L), new OnnxAttribute("batch_axis", 0L));
        return e.Transpose(reversed, [.. Enumerable.Range(0, rank).Select(axis => (long)Array.IndexOf(order, axis))]);
    }

    static Value Roll(Call c)
    {
        var (x, shifts, axes) = (c[0], c.Known(1, "its shifts"), c.Known(2, "its axes"));
        if (shifts.Length != axes.Length) throw c.Refuse($"{shifts.Length} shifts of {axes.Length} axes");
        for (var i = 0; i < axes.Length; i++)
        {
            var (axis, size) = (c.Axis(0, axes[i]), c[0].Size(c.Axis(0, axes[i])));
            if (size < 0) throw c.Refuse("it rolls along an open size");
            var cut = size == 0 ? 0 : (-shifts[i] % size + size) % size;
            if (cut != 0) x = c.E.Concat([c.E.Slice(x, cut, long.MaxValue, axis), c.E.Slice(x, 0, cut, axis)], axis);
        }

        return x;
    }
}
