using System.Numerics;
using Millrace.Inference.TensorFlowLite.Execution;
using Millrace.Inference.TensorFlowLite.Format;

namespace Millrace.Inference.TensorFlowLite.Kernels;

/// <summary>Parts of tensors, and frames around them.</summary>
static class Slicing
{
    public static Kernel Slice(Node node)
    {
        node.RequireSameType(node.Input(0), node.Output(0));
        return static call =>
        {
            var input = call.Input(0);
            var (begin, size) = (Sizes.Ints(call.Input(1)), Sizes.Ints(call.Input(2)));
            call.Require(begin.Length == input.Rank && size.Length == input.Rank, "its begin and size have another rank than its input");
            var steps = Sizes.Strides(input.Shape);
            var offset = 0;
            for (var axis = 0; axis < input.Rank; axis++)
            {
                if (size[axis] == -1) size[axis] = input.Shape[axis] - begin[axis];
                call.Require(
                    begin[axis] >= 0 && size[axis] >= 0 && (long)begin[axis] + size[axis] <= input.Shape[axis],
                    "its part lies outside of its input");
                offset += begin[axis] * steps[axis];
            }

            var output = call.Output(0, size);
            View.Copy(input, new View(offset, steps), output, View.Whole(size), size);
        };
    }

    public static Kernel StridedSlice(Node node)
    {
        node.RequireSameType(node.Input(0), node.Output(0));
        var options = node.Options;
        var masks = new Masks(options.Int(0), options.Int(1), options.Int(2), options.Int(3), options.Int(4), options.Bool(5));
        node.Require(BitOperations.PopCount((uint)masks.Ellipsis) <= 1, "it has more than one ellipsis");
        return call => StridedSlice(call, masks);
    }

    public static Kernel Pad(Node node)
    {
        node.RequireSameType(node.Input(0), node.Output(0));
        var quantization = Arithmetic.IsQuantized(node) ? node.QuantizedOutput() : null;
        return call =>
        {
            var input = call.Input(0);
            var (before, shape) = Frame(call, input);
            var output = call.Output(0, shape);
            if (call.Optional(2) is { } value) View.Copy(value, new View(0, new int[shape.Length]), output, View.Whole(shape), shape);
            else if (quantization is null) output.Bytes.Clear();
            else if (output.Type == LiteType.Int16) output.Write<short>().Fill((short)quantization.ZeroPoint);
            else output.Bytes.Fill(unchecked((byte)quantization.ZeroPoint));
            var steps = Sizes.Strides(shape);
            View.Copy(input, View.Whole(input.Shape), output, new View(Sizes.Dot(before, steps), steps), input.Shape);
        };
    }

    public static Kernel MirrorPad(Node node)
    {
        node.RequireSameType(node.Input(0), node.Output(0));
        // Reflection leaves the border out, symmetry repeats it.
        var skipped = node.Options.Byte(0) == 0 ? 1 : 0;
        return call =>
        {
            var input = call.Input(0);
            var (before, shape) = Frame(call, input);
            var places = shape.Select((size, axis) => Mirrored(call, size, before[axis], input.Shape[axis], skipped)).ToArray();
            var output = call.Output(0, shape);
            var bytes = ElementTypes.Bytes(input.Type);
            var (from, to) = (Sizes.Strides(input.Shape), Sizes.Strides(shape));
            var x = input.Bytes;
            var y = output.Bytes;
            for (var i = 0; i < output.Count; i++)
            {
                var at = 0;
                for (var axis = 0; axis < shape.Length; axis++) at += places[axis][i / to[axis] % shape[axis]] * from[axis];
                x.Slice(at * bytes, bytes).CopyTo(y[(i * bytes)..]);
            }
        };
    }

    public static Kernel Reverse(Node node)
    {
        node.RequireSameType(node.Input(0), node.Output(0));
        return static call =>
        {
            var input = call.Input(0);
            var steps = Sizes.Strides(input.Shape);
            var offset = 0;
            foreach (var axis in Sizes.Ints(call.Input(1)).Select(axis => Sizes.Axis(call, axis, input.Rank)).Distinct())
            {
                offset += Math.Max(0, input.Shape[axis] - 1) * steps[axis];
                steps[axis] = -steps[axis];
            }

            var output = call.Output(0, input.Shape);
            View.Copy(input, new View(offset, steps), output, View.Whole(input.Shape), input.Shape);
        };
    }

    public static Kernel ReverseSequence(Node node)
    {
        node.RequireSameType(node.Input(0), node.Output(0));
        var (sequence, batch) = (node.Options.Int(0), node.Options.Int(1));
        return call =>
        {
            var input = call.Input(0);
            var (along, across) = (Sizes.Axis(call, sequence, input.Rank), Sizes.Axis(call, batch, input.Rank));
            var lengths = Sizes.Ints(call.Input(1));
            call.Require(along != across && lengths.Length == input.Shape[across], "it has another number of lengths than batches");
            var output = call.Output(0, input.Shape);
            var steps = Sizes.Strides(input.Shape);
            var sizes = Sizes.With(input.Shape, across, 1);
            for (var i = 0; i < lengths.Length; i++)
            {
                var (length, rest) = (lengths[i], input.Shape[along] - lengths[i]);
                call.Require(length >= 0 && rest >= 0, "a length is out of range");
                var start = i * steps[across];
                var turned = Sizes.With(steps, along, -steps[along]);
                View.Copy(
                    input, new View(start + Math.Max(0, length - 1) * steps[along], turned), output, new View(start, steps),
                    Sizes.With(sizes, along, length));
                var tail = new View(start + length * steps[along], steps);
                View.Copy(input, tail, output, tail, Sizes.With(sizes, along, rest));
            }
        };
    }

    public static Kernel DynamicUpdate(Node node)
    {
        node.RequireSameType(node.Input(0), node.Output(0));
        node.RequireSameType(node.Input(1), node.Output(0));
        return static call =>
        {
            var (operand, update, starts) = (call.Input(0), call.Input(1), Sizes.Ints(call.Input(2)));
            call.Require(update.Rank == operand.Rank && starts.Length == operand.Rank, "its update has another rank");
            var output = call.Output(0, operand.Shape);
            operand.Bytes.CopyTo(output.Bytes);
            var steps = Sizes.Strides(operand.Shape);
            for (var axis = 0; axis < starts.Length; axis++)
            {
                call.Require(update.Shape[axis] <= operand.Shape[axis], "its update is larger than what it updates");
                starts[axis] = Math.Clamp(starts[axis], 0, operand.Shape[axis] - update.Shape[axis]);
            }

            View.Copy(update, View.Whole(update.Shape), output, new View(Sizes.Dot(starts, steps), steps), update.Shape);
        };
    }

    static (int[] Before, int[] Shape) Frame(Call call, LiteTensor input)
    {
        var pads = Sizes.Ints(call.Input(1));
        call.Require(pads.Length == input.Rank * 2 && pads.All(static pad => pad >= 0), "its paddings do not fit its input");
        int[] before = [.. input.Shape.Select((_, axis) => pads[axis * 2])];
        return (before, [.. input.Shape.Select((size, axis) => checked(size + pads[axis * 2] + pads[axis * 2 + 1]))]);
    }

    static int[] Mirrored(Call call, int size, int before, int inner, int skipped)
    {
        call.Require(before <= inner - skipped && size - inner - before <= inner - skipped, "its padding is larger than what it mirrors");
        var places = new int[size];
        for (var i = 0; i < size; i++)
        {
            var at = i - before;
            places[i] = at < 0 ? -at - 1 + skipped : at >= inner ? 2 * inner - 1 - at - skipped : at;
        }

        return places;
    }

    /// <summary>A bit for each entry of begin, end and strides.</summary>
    readonly record struct Masks(int Begin, int End, int Ellipsis, int NewAxis, int ShrinkAxis, bool IsOffset);

    static void StridedSlice(Call call, Masks masks)
    {
        var input = call.Input(0);
        var (begin, end, strides) = (Sizes.Ints(call.Input(1)), Sizes.Ints(call.Input(2)), Sizes.Ints(call.Input(3)));
        call.Require(begin.Length == end.Length && begin.Length == strides.Length && begin.Length <= 31, "its bounds differ in number");
        var steps = Sizes.Strides(input.Shape);
        var (sizes, viewSteps, shape) = (new List<int>(), new List<int>(), new List<int>());
        var (axis, offset) = (0, 0);
        var taken = Enumerable.Range(0, begin.Length).Count(i => !Has(masks.NewAxis, i) && !Has(masks.Ellipsis, i));
        for (var i = 0; i < begin.Length; i++)
        {
            if (Has(masks.Ellipsis, i))
            {
                for (var left = input.Rank - taken; left > 0; left--) Whole();
                continue;
            }

            if (Has(masks.NewAxis, i))
            {
                shape.Add(1);
                continue;
            }

            call.Require(axis < input.Rank && strides[i] != 0, "it has more bounds than its input has axes, or no stride");
            var size = input.Shape[axis];
            var (first, count) = Has(masks.ShrinkAxis, i) ? (begin[i] < 0 ? begin[i] + size : begin[i], 1) : Along(i, size);
            call.Require(count == 0 || (first >= 0 && first < size), "a bound lies outside of its input");
            offset += (count == 0 ? 0 : first) * steps[axis];
            sizes.Add(count);
            viewSteps.Add(steps[axis] * (Has(masks.ShrinkAxis, i) ? 1 : strides[i]));
            if (!Has(masks.ShrinkAxis, i)) shape.Add(count);
            axis++;
        }

        while (axis < input.Rank) Whole();
        var output = call.Output(0, [.. shape]);
        int[] all = [.. sizes];
        View.Copy(input, new View(offset, [.. viewSteps]), output, View.Whole(all), all);

        void Whole()
        {
            sizes.Add(input.Shape[axis]);
            viewSteps.Add(steps[axis]);
            shape.Add(input.Shape[axis++]);
        }

        (int First, int Count) Along(int i, int size)
        {
            var step = strides[i];
            var first = Has(masks.Begin, i) ? (step > 0 ? 0 : size - 1) : Bound(begin[i], size, step);
            var limit = masks.IsOffset ? first + end[i] : end[i];
            var last = Has(masks.End, i) ? (step > 0 ? size : -1) : masks.IsOffset ? Math.Clamp(limit, -1, size) : Bound(limit, size, step);
            var distance = step > 0 ? (long)last - first : (long)first - last;
            return (first, distance <= 0 ? 0 : (int)((distance + Math.Abs((long)step) - 1) / Math.Abs((long)step)));
        }
    }

    static bool Has(int mask, int bit) => (mask & (1 << bit)) != 0;

    // Counted from the end where negative, and cut to the axis; downwards -1 stands before its first element.
    static int Bound(int bound, int size, int step)
    {
        var positive = bound < 0 ? bound + size : bound;
        return step > 0 ? Math.Clamp(positive, 0, size) : Math.Clamp(positive, -1, size - 1);
    }
}
