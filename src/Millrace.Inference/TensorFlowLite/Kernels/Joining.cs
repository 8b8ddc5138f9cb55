using Millrace.Inference.TensorFlowLite.Execution;
using Millrace.Inference.TensorFlowLite.Format;

namespace Millrace.Inference.TensorFlowLite.Kernels;

/// <summary>Tensors put together and taken apart.</summary>
static class Joining
{
    public static Kernel Concatenation(Node node)
    {
        if (!Activation.Of(node, 1).IsNone) throw node.Refuse("with a fused activation");
        for (var i = 0; i < node.InputCount; i++) node.RequireSameType(node.Input(i), node.Output(0));
        var axis = node.Options.Int(0);
        var scales = Scales(node);
        return call =>
        {
            var first = call.Input(0);
            var along = Sizes.Axis(call, axis, first.Rank);
            var size = 0;
            for (var i = 0; i < call.InputCount; i++)
            {
                var shape = call.Input(i).Shape;
                call.Require(
                    shape.Length == first.Rank && Sizes.With(shape, along, 0).AsSpan().SequenceEqual(Sizes.With(first.Shape, along, 0)),
                    "its inputs differ in more than one axis");
                size = checked(size + shape[along]);
            }

            var output = call.Output(0, Sizes.With(first.Shape, along, size));
            var steps = Sizes.Strides(output.Shape);
            for (int i = 0, at = 0; i < call.InputCount; i++)
            {
                var input = call.Input(i);
                View.Copy(input, View.Whole(input.Shape), output, new View(at * steps[along], steps), input.Shape);
                if (scales is not null && scales[i] is { } scale) Rescale(output, new View(at * steps[along], steps), input.Shape, scale);
                at += input.Shape[along];
            }
        };
    }

    public static Kernel Pack(Node node)
    {
        for (var i = 0; i < node.InputCount; i++) node.RequireSameType(node.Input(i), node.Output(0));
        var axis = node.Options.Int(1);
        return call =>
        {
            var first = call.Input(0);
            var along = Sizes.Axis(call, axis, first.Rank + 1);
            var output = call.Output(0, [.. first.Shape[..along], call.InputCount, .. first.Shape[along..]]);
            var steps = Sizes.Strides(output.Shape);
            int[] others = [.. steps[..along], .. steps[(along + 1)..]];
            for (var i = 0; i < call.InputCount; i++)
            {
                var input = call.Input(i);
                call.Require(input.Shape.AsSpan().SequenceEqual(first.Shape), "its inputs differ in size");
                View.Copy(input, View.Whole(input.Shape), output, new View(i * steps[along], others), input.Shape);
            }
        };
    }

    public static Kernel Unpack(Node node)
    {
        node.RequireSameType(node.Input(0), node.Output(0));
        var axis = node.Options.Int(1);
        return call =>
        {
            var input = call.Input(0);
            var along = Sizes.Axis(call, axis, input.Rank);
            call.Require(
                input.Rank > 0 && input.Shape[along] == call.OutputCount,
                "it has another number of outputs than its axis has elements");
            var steps = Sizes.Strides(input.Shape);
            int[] others = [.. steps[..along], .. steps[(along + 1)..]];
            for (var i = 0; i < call.OutputCount; i++)
            {
                var output = call.Output(i, [.. input.Shape[..along], .. input.Shape[(along + 1)..]]);
                View.Copy(input, new View(i * steps[along], others), output, View.Whole(output.Shape), output.Shape);
            }
        };
    }

    public static Kernel Split(Node node)
    {
        node.RequireSameType(node.Input(1), node.Output(0));
        return static call =>
        {
            var input = call.Input(1);
            var axis = Sizes.Axis(call, (int)Sizes.Long(call.Input(0), 0), input.Rank);
            call.Require(input.Shape[axis] % call.OutputCount == 0, "its axis does not fall into equal parts");
            Cut(call, input, axis, [.. Enumerable.Repeat(input.Shape[axis] / call.OutputCount, call.OutputCount)]);
        };
    }

    public static Kernel SplitV(Node node)
    {
        node.RequireSameType(node.Input(0), node.Output(0));
        return static call =>
        {
            var input = call.Input(0);
            var sizes = Sizes.Ints(call.Input(1));
            var axis = Sizes.Axis(call, (int)Sizes.Long(call.Input(2), 0), input.Rank);
            var open = Array.IndexOf(sizes, -1);
            if (open >= 0) sizes[open] = input.Shape[axis] - (sizes.Sum() + 1);
            call.Require(sizes.Length == call.OutputCount && sizes.Sum() == input.Shape[axis], "its parts do not make up its axis");
            Cut(call, input, axis, sizes);
        };
    }

    static void Cut(Call call, LiteTensor input, int axis, int[] sizes)
    {
        var steps = Sizes.Strides(input.Shape);
        for (int i = 0, at = 0; i < sizes.Length; at += sizes[i++])
        {
            var output = call.Output(i, Sizes.With(input.Shape, axis, sizes[i]));
            View.Copy(input, new View(at * steps[axis], steps), output, View.Whole(output.Shape), output.Shape);
        }
    }

    // Inputs of other steps than the output's, which uint8 models have, are brought to the output's.
    static Func<int, int>?[]? Scales(Node node)
    {
        if (!Arithmetic.IsQuantized(node)) return null;
        var y = node.QuantizedOutput();
        var scales = new Func<int, int>?[node.InputCount];
        for (var i = 0; i < scales.Length; i++)
        {
            var x = node.QuantizedInput(i);
            if (x.Scale == y.Scale && x.ZeroPoint == y.ZeroPoint) continue;
            if (node.Type != LiteType.UInt8) throw node.Refuse("of inputs with another quantization than the output's");
            var (scale, bias) = (x.Scale / y.Scale, -x.ZeroPoint * (x.Scale / y.Scale));
            scales[i] = step => (int)Math.Clamp(
                MathF.Round(step * scale + bias, MidpointRounding.AwayFromZero) + y.ZeroPoint, byte.MinValue, byte.MaxValue);
        }

        return scales;
    }

    static void Rescale(LiteTensor tensor, View view, int[] sizes, Func<int, int> scale)
    {
        var steps = tensor.Write<byte>();
        var strides = Sizes.Strides(sizes);
        for (var i = 0; i < Sizes.Product(sizes); i++)
        {
            var at = view.Offset;
            for (var axis = 0; axis < sizes.Length; axis++) at += i / strides[axis] % sizes[axis] * view.Steps[axis];
            steps[at] = (byte)scale(steps[at]);
        }
    }
}
