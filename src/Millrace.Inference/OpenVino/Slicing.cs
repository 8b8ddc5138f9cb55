using System.Collections.Immutable;
using Millrace.Inference.Onnx;
using Millrace.Nn;

namespace Millrace.Inference.OpenVino;

/// <summary>Operators that cut out, put around, turn and roll.</summary>
static class Slicing
{
    public static readonly ImmutableArray<Operator> Rows =
    [
        new("StridedSlice", 1, StridedSlice), new("Slice", 8, Slice), new("Pad", 1, Pad), new("Pad", 12, Pad),
        new("Roll", 7, Roll), new("Reverse", 1, Reverse), new("ReverseSequence", 1, ReverseSequence),
    ];

    static string Slice(Conversion c) => c.Has(4)
        ? c.Op("Slice", [c.In(0), c.Row(1), c.Row(2), c.Row(4), c.Row(3)])
        : c.Op("Slice", [c.In(0), c.Row(1), c.Row(2), "", c.Row(3)]);

    static string StridedSlice(Conversion c)
    {
        if (c.SizesOf(1)[0] < 0) throw c.Layer.Refused("with an open number of axes");
        var count = (int)c.Bounded(c.SizesOf(1)[0]);
        var strides = c.Has(3) ? c.IntsOf(3) : [.. Enumerable.Repeat(1L, count)];
        if (strides.Length != count) throw c.Layer.Malformed("begin and strides have not the same length");
        var (news, shrinks, ellipses) =
            (Mask(c, "new_axis_mask", count), Mask(c, "shrink_axis_mask", count), Mask(c, "ellipsis_mask", count));
        var (kept, axes, added, dropped) = Places(c, count, news, shrinks, ellipses);
        var value = c.In(0);
        if (kept.Count > 0)
        {
            var begins = Bounds(c, 1, "begin_mask", kept, at => strides[at] < 0 ? long.MaxValue : 0);
            var ends = Bounds(c, 2, "end_mask", kept, at => strides[at] < 0 ? long.MinValue : long.MaxValue);
            if (dropped.Count > 0)
            {
                // One place is taken whatever the end says; the one behind the last has no number.
                var isLast = c.Op("Equal", [begins, c.Graph.AddInt(-1)]);
                var next = c.Where(isLast, c.Graph.AddInt(long.MaxValue), c.Add(begins, c.Graph.AddInt(1)));
                ends = c.Where(Chosen(c, [.. kept.Select(at => shrinks[at])]), next, ends);
            }

            var steps = c.Ints([.. kept.Select(at => shrinks[at] ? 1 : strides[at])]);
            value = c.Op("Slice", [value, begins, ends, c.Ints([.. axes]), steps]);
        }

        if (dropped.Count > 0) value = c.Squeeze(value, [.. dropped]);
        return added.Count > 0 ? c.Unsqueeze(value, [.. added]) : kept.Count > 0 ? value : c.Op("Identity", [value]);
    }

    // Which entries cut an axis of the input, which axes they are, which axes the output has new, and which the input loses.
    static (List<int> Kept, List<long> Axes, List<long> Added, List<long> Dropped) Places(
        Conversion c, int count, bool[] news, bool[] shrinks, bool[] ellipses)
    {
        var (kept, axes, added, dropped) = (new List<int>(), new List<long>(), new List<long>(), new List<long>());
        if (ellipses.Count(isEllipsis => isEllipsis) > 1) throw c.Layer.Malformed("it has two ellipses");
        var (from, to) = (0, 0);
        for (var at = 0; at < count; at++)
        {
            if (ellipses[at])
            {
                var behind = Enumerable.Range(at + 1, count - at - 1).Count(later => !news[later]);
                var skipped = Math.Max(0, c.RankOf(0) - from - behind);
                (from, to) = (from + skipped, to + skipped);
            }
            else if (news[at])
            {
                added.Add(to++);
            }
            else
            {
                if (from >= c.RankOf(0)) throw c.Layer.Malformed("it cuts more axes than there are");
                kept.Add(at);
                axes.Add(from);
                if (shrinks[at]) dropped.Add(from);
                else to++;
                from++;
            }
        }

        return (kept, axes, added, dropped);
    }

    static string Bounds(Conversion c, int input, string mask, List<int> kept, Func<int, long> otherwise)
    {
        var ignored = Mask(c, mask, (int)c.SizesOf(1)[0]);
        var bounds = c.Op("Gather", [c.Int64(input), c.Ints([.. kept.Select(at => (long)at)])]);
        if (!kept.Exists(at => ignored[at])) return bounds;
        return c.Where(Chosen(c, [.. kept.Select(at => ignored[at])]), c.Ints([.. kept.Select(otherwise)]), bounds);
    }

    static string Chosen(Conversion c, bool[] mask) =>
        c.Constant(TensorType.Bool, [mask.Length], [.. mask.Select(isSet => isSet ? 1.0 : 0)]);

    // A mask may be shorter than what it is for.
    static bool[] Mask(Conversion c, string name, int count)
    {
        var mask = c.Ints(name) ?? [];
        return [.. Enumerable.Range(0, count).Select(at => at < mask.Length && mask[at] != 0)];
    }

    static string Pad(Conversion c)
    {
        var mode = c.Text("pad_mode", "constant");
        if (mode == "symmetric") return Symmetric(c);
        if (mode is not ("constant" or "edge" or "reflect")) throw c.Layer.Malformed($"pad_mode is {mode}");
        var pads = c.Concat(0, c.Row(1), c.Row(2));
        var wide = c.TypeOf(0) is TensorType.I16 or TensorType.U16 ? TensorType.I32 : c.TypeOf(0);
        string[] inputs = [c.As(c.In(0), c.TypeOf(0), wide), pads];
        if (mode == "constant" && c.Has(3)) inputs = [.. inputs, c.Reshape(c.As(c.In(3), c.TypeOf(3), wide))];
        return c.As(c.Op("Pad", inputs, new OnnxAttribute("mode", mode)), wide, c.OutputType());
    }

    // The edge is repeated too, which no mode of ONNX does: each place is looked up.
    static string Symmetric(Conversion c)
    {
        var (begin, end, value) = (c.IntsOf(1), c.IntsOf(2), c.In(0));
        if (begin.Length != c.RankOf(0) || end.Length != begin.Length) throw c.Layer.Malformed("its pads are not as many as its axes");
        for (var axis = 0; axis < begin.Length; axis++)
        {
            if (begin[axis] == 0 && end[axis] == 0) continue;
            var size = c.SizesOf(0)[axis];
            if (size < 0) throw c.Layer.Refused("with pad_mode symmetric and open sizes");
            if (begin[axis] > size || end[axis] > size) throw c.Layer.Malformed($"axis {axis} of {size} is padded by more than that");
            c.Bounded(size + begin[axis] + end[axis]);
            var places = new List<long>();
            for (var at = -begin[axis]; at < size + end[axis]; at++) places.Add(at < 0 ? -at - 1 : at >= size ? 2 * size - at - 1 : at);
            value = c.Op("Gather", [value, c.Ints([.. places])], new OnnxAttribute("axis", axis));
        }

        return c.Op("Identity", [value]);
    }

    static string Roll(Conversion c)
    {
        var (shifts, axes, value) = (c.IntsOf(1), c.IntsOf(2), c.In(0));
        if (shifts.Length == 1 && axes.Length > 1) shifts = [.. Enumerable.Repeat(shifts[0], axes.Length)];
        if (shifts.Length != axes.Length) throw c.Layer.Malformed($"{shifts.Length} shifts of {axes.Length} axes");
        for (var i = 0; i < axes.Length; i++)
        {
            var axis = c.Axis(axes[i], c.RankOf(0));
            var size = c.SizesOf(0)[axis];
            if (size < 0) throw c.Layer.Refused("along an open size");
            var cut = size == 0 ? 0 : ((-shifts[i] % size) + size) % size;
            if (cut != 0) value = c.Concat(axis, c.Slice(value, axis, cut, long.MaxValue), c.Slice(value, axis, 0, cut));
        }

        return c.Op("Identity", [value]);
    }

    static string Reverse(Conversion c)
    {
        var numbers = c.IntsOf(1);
        var mode = c.Text("mode", "index");
        var axes = mode switch
        {
            "index" => numbers,
            "mask" => [.. numbers.Select((isSet, axis) => (isSet, axis)).Where(pair => pair.isSet != 0).Select(pair => (long)pair.axis)],
            _ => throw c.Layer.Malformed($"mode is {mode}"),
        };
        var value = c.In(0);
        foreach (var axis in axes) value = c.Slice(value, c.Axis(axis, c.RankOf(0)), -1, long.MinValue, -1);
        return c.Op("Identity", [value]);
    }

    static string ReverseSequence(Conversion c)
    {
        var (rank, batch, time) = (c.RankOf(0), c.Axis(c.Int("batch_axis", 0), c.RankOf(0)), c.Axis(c.Int("seq_axis", 1), c.RankOf(0)));
        if (batch == time) throw c.Layer.Malformed("batch_axis is seq_axis");
        long[] order = [batch, time, .. Enumerable.Range(0, rank).Where(axis => axis != batch && axis != time).Select(axis => (long)axis)];
        var reversed = c.Op(
            "ReverseSequence", [c.Transpose(c.In(0), order), c.Row(1)],
            new OnnxAttribute("batch_axis", 0), new OnnxAttribute("time_axis", 1));
        return c.Transpose(reversed, [.. Enumerable.Range(0, rank).Select(axis => (long)Array.IndexOf(order, axis))]);
    }
}
