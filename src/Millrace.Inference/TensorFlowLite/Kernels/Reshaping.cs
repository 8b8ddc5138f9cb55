using Millrace.Inference.TensorFlowLite.Execution;
using Millrace.Inference.TensorFlowLite.Format;

namespace Millrace.Inference.TensorFlowLite.Kernels;

/// <summary>Other sizes for the same elements, and tensors made of sizes.</summary>
static class Reshaping
{
    public static Kernel Reshape(Node node)
    {
        node.RequireSameType(node.Input(0), node.Output(0));
        var fixedShape = node.Options.Ints(0);
        return call =>
        {
            var shape = call.Optional(1) is { Rank: 1 } given ? Sizes.Ints(given) : fixedShape;
            // Old models write a scalar's sizes as a single zero.
            if (shape is [0] && call.Input(0).Count == 1) shape = [];
            Copy(call, Completed(call, shape));
        };
    }

    public static Kernel Squeeze(Node node)
    {
        node.RequireSameType(node.Input(0), node.Output(0));
        var axes = node.Options.Ints(0);
        return call =>
        {
            var shape = call.Input(0).Shape;
            var squeezed = axes.Select(axis => Sizes.Axis(call, axis, shape.Length)).ToHashSet();
            call.Require(squeezed.All(axis => shape[axis] == 1), "a squeezed axis has more than one element");
            Copy(call, [.. shape.Where((size, axis) => squeezed.Count > 0 ? !squeezed.Contains(axis) : size != 1)]);
        };
    }

    public static Kernel ExpandDims(Node node)
    {
        node.RequireSameType(node.Input(0), node.Output(0));
        return static call =>
        {
            var shape = call.Input(0).Shape;
            var axis = Sizes.Axis(call, (int)Sizes.Long(call.Input(1), 0), shape.Length + 1);
            Copy(call, [.. shape[..axis], 1, .. shape[axis..]]);
        };
    }

    public static Kernel ShapeOf(Node node)
    {
        node.RequireType(node.Output(0), LiteType.Int32, LiteType.Int64);
        return static call =>
        {
            var shape = call.Input(0).Shape;
            var output = call.Output(0, shape.Length);
            for (var i = 0; i < shape.Length; i++) SetInt(output, i, shape[i]);
        };
    }

    public static Kernel RankOf(Node node)
    {
        node.RequireType(node.Output(0), LiteType.Int32);
        return static call => call.Output(0).Write<int>()[0] = call.Input(0).Rank;
    }

    public static Kernel Fill(Node node)
    {
        node.RequireSameType(node.Input(1), node.Output(0));
        return static call =>
        {
            var (value, output) = (call.Input(1), call.Output(0, Sizes.Ints(call.Input(0))));
            View.Copy(value, new View(0, new int[output.Rank]), output, View.Whole(output.Shape), output.Shape);
        };
    }

    public static Kernel ZerosLike(Node node)
    {
        node.RequireSameType(node.Input(0), node.Output(0));
        return static call => call.Output(0, call.Input(0).Shape).Bytes.Clear();
    }

    public static Kernel Range(Node node)
    {
        node.RequireSameType(node.Input(0), node.Output(0));
        return node.Type switch
        {
            LiteType.Int32 or LiteType.Int64 => WholeRange,
            LiteType.Float32 => RealRange,
            _ => throw node.Refuse($"of {node.Type}"),
        };
    }

    public static Kernel Transpose(Node node)
    {
        node.RequireSameType(node.Input(0), node.Output(0));
        node.RequireType(node.Input(1), LiteType.Int32);
        return static call =>
        {
            var (input, order) = (call.Input(0), Sizes.Ints(call.Input(1)));
            call.Require(order.Length == input.Rank, "its order has another rank than its input");
            var axes = order.Select(axis => Sizes.Axis(call, axis, input.Rank)).ToArray();
            call.Require(axes.Distinct().Count() == axes.Length, "its order names an axis twice");
            var strides = Sizes.Strides(input.Shape);
            var output = call.Output(0, [.. axes.Select(axis => input.Shape[axis])]);
            View.Copy(input, new View(0, [.. axes.Select(axis => strides[axis])]), output, View.Whole(output.Shape), output.Shape);
        };
    }

    public static Kernel BroadcastTo(Node node)
    {
        node.RequireSameType(node.Input(0), node.Output(0));
        return static call =>
        {
            var (input, shape) = (call.Input(0), Sizes.Ints(call.Input(1)));
            call.Require(
                Sizes.Broadcast(call, input.Shape, shape).AsSpan().SequenceEqual(shape), "its input cannot be stretched to its sizes");
            var output = call.Output(0, shape);
            View.Copy(input, new View(0, Sizes.StretchedStrides(input.Shape, shape)), output, View.Whole(shape), shape);
        };
    }

    public static Kernel BroadcastArgs(Node node)
    {
        node.RequireType(node.Output(0), LiteType.Int32, LiteType.Int64);
        return static call =>
        {
            var shape = Sizes.Broadcast(call, Sizes.Ints(call.Input(0)), Sizes.Ints(call.Input(1)));
            var output = call.Output(0, shape.Length);
            for (var i = 0; i < shape.Length; i++) SetInt(output, i, shape[i]);
        };
    }

    public static Kernel Tile(Node node)
    {
        node.RequireSameType(node.Input(0), node.Output(0));
        return static call =>
        {
            var (input, times) = (call.Input(0), Sizes.Ints(call.Input(1)));
            call.Require(times.Length == input.Rank && times.All(static count => count >= 0), "its multiples do not fit its input");
            var output = call.Output(0, [.. input.Shape.Zip(times, static (size, count) => checked(size * count))]);
            // Every axis as two: the repetitions, which stand still in the input, and the axis itself.
            var (from, to) = (Sizes.Strides(input.Shape), Sizes.Strides(output.Shape));
            var sizes = input.Shape.Zip(times).SelectMany(static pair => new[] { pair.Second, pair.First }).ToArray();
            View.Copy(
                input, new View(0, [.. from.SelectMany(static step => new[] { 0, step })]), output,
                new View(0, [.. to.SelectMany((step, axis) => new[] { step * input.Shape[axis], step })]), sizes);
        };
    }

    /// <summary>The same elements under other sizes.</summary>
    public static void Copy(Call call, int[] shape)
    {
        var input = call.Input(0);
        var output = call.Output(0, shape);
        call.Require(output.Count == input.Count, $"[{string.Join(",", input.Shape)}] has other elements than [{string.Join(",", shape)}]");
        input.Bytes.CopyTo(output.Bytes);
    }

    public static void SetInt(LiteTensor tensor, int index, long value)
    {
        if (tensor.Type == LiteType.Int64) tensor.Write<long>()[index] = value;
        else tensor.Write<int>()[index] = checked((int)value);
    }

    static void WholeRange(Call call)
    {
        var (start, limit, delta) = (Sizes.Long(call.Input(0), 0), Sizes.Long(call.Input(1), 0), Sizes.Long(call.Input(2), 0));
        CheckStep(call, delta != 0 && (start == limit || start < limit == delta > 0));
        var count = (Int128.Abs((Int128)limit - start) + Int128.Abs(delta) - 1) / Int128.Abs(delta);
        call.Require(count <= int.MaxValue, "it has too many elements");
        var output = call.Output(0, (int)count);
        for (var i = 0; i < output.Count; i++) SetInt(output, i, start + i * delta);
    }

    static void RealRange(Call call)
    {
        var (start, limit, delta) = (call.Input(0).Read<float>()[0], call.Input(1).Read<float>()[0], call.Input(2).Read<float>()[0]);
        CheckStep(call, delta != 0 && (limit - start) * delta >= 0);
        var count = MathF.Ceiling(MathF.Abs((limit - start) / delta));
        call.Require(count < int.MaxValue, "it has too many elements");
        var values = call.Output(0, (int)count).Write<float>();
        for (var i = 0; i < values.Length; i++) values[i] = start + i * delta;
    }

    static void CheckStep(Call call, bool leadsToLimit) => call.Require(leadsToLimit, "its step leads away from its limit");

    static int[] Completed(Call call, int[] shape)
    {
        var open = Array.IndexOf(shape, -1);
        if (open < 0) return shape;
        var known = 1L;
        foreach (var size in shape) known *= size == -1 ? 1 : size;
        var count = call.Input(0).Count;
        call.Require(known > 0 ? count % known == 0 : count == 0, "its open size comes out uneven");
        return Sizes.With(shape, open, known > 0 ? (int)(count / known) : 0);
    }
}
