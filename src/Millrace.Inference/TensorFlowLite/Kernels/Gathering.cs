using System.Numerics;
using Millrace.Inference.TensorFlowLite.Execution;
using Millrace.Inference.TensorFlowLite.Format;
using Millrace.Nn;

namespace Millrace.Inference.TensorFlowLite.Kernels;

/// <summary>Elements by their indices.</summary>
static class Gathering
{
    public static Kernel Gather(Node node)
    {
        node.RequireSameType(node.Input(0), node.Output(0));
        node.RequireType(node.Input(1), LiteType.Int32, LiteType.Int64, LiteType.Int16);
        var (axisOption, batchOption) = (node.Options.Int(0), node.Options.Int(1));
        return call =>
        {
            var (input, indices) = (call.Input(0), call.Input(1));
            var axis = Sizes.Axis(call, axisOption, input.Rank);
            var batches = batchOption < 0 ? batchOption + indices.Rank : batchOption;
            call.Require(batches >= 0 && batches <= Math.Min(axis, indices.Rank), "its batch axes are out of range");
            call.Require(input.Shape.AsSpan(0, batches).SequenceEqual(indices.Shape.AsSpan(0, batches)), "its batch axes differ");
            var output = call.Output(0, [.. input.Shape[..axis], .. indices.Shape[batches..], .. input.Shape[(axis + 1)..]]);
            var bytes = ElementTypes.Bytes(input.Type) * Sizes.Product(input.Shape.AsSpan(axis + 1));
            var (outer, size) = (Sizes.Product(input.Shape.AsSpan(batches, axis - batches)), input.Shape[axis]);
            var count = Sizes.Product(indices.Shape.AsSpan(batches));
            var x = input.Bytes;
            var y = output.Bytes;
            for (int batch = 0, at = 0; batch < Sizes.Product(input.Shape.AsSpan(0, batches)); batch++)
            {
                for (var i = 0; i < outer; i++)
                {
                    for (var j = 0; j < count; j++, at += bytes)
                    {
                        var index = Sizes.Long(indices, batch * count + j);
                        if (index < 0 || index >= size) throw OutOfRange(call, index);
                        x.Slice(((batch * outer + i) * size + (int)index) * bytes, bytes).CopyTo(y[at..]);
                    }
                }
            }
        };
    }

    public static Kernel GatherNd(Node node)
    {
        node.RequireSameType(node.Input(0), node.Output(0));
        node.RequireType(node.Input(1), LiteType.Int32, LiteType.Int64, LiteType.Int16);
        return static call =>
        {
            var (input, indices) = (call.Input(0), call.Input(1));
            call.Require(indices.Rank > 0 && indices.Shape[^1] <= input.Rank, "its indices have too many places");
            var depth = indices.Shape[^1];
            var output = call.Output(0, [.. indices.Shape[..^1], .. input.Shape[depth..]]);
            var bytes = ElementTypes.Bytes(input.Type) * Sizes.Product(input.Shape.AsSpan(depth));
            var x = input.Bytes;
            var y = output.Bytes;
            for (var i = 0; i < Sizes.Product(indices.Shape.AsSpan(0, indices.Rank - 1)); i++)
                x.Slice(Place(call, indices, i, depth, input.Shape) * bytes, bytes).CopyTo(y[(i * bytes)..]);
        };
    }

    public static Kernel ScatterNd(Node node)
    {
        node.RequireSameType(node.Input(1), node.Output(0));
        node.RequireType(node.Input(0), LiteType.Int32);
        return node.Input(1).Type switch
        {
            LiteType.Float32 => static call => ScatterNd<float>(call),
            LiteType.Int8 => static call => ScatterNd<sbyte>(call),
            LiteType.UInt8 or LiteType.Bool => static call => ScatterNd<byte>(call),
            LiteType.Int32 => static call => ScatterNd<int>(call),
            LiteType.Int64 => static call => ScatterNd<long>(call),
            var type => throw node.Refuse($"of {type}"),
        };
    }

    public static Kernel EmbeddingLookup(Node node)
    {
        var weights = node.Input(1);
        node.RequireType(node.Input(0), LiteType.Int32);
        if (weights.Type == node.Output(0).Type) return static call => Rows(call, static (row, into) => row.CopyTo(into));
        node.RequireType(node.Output(0), LiteType.Float32);
        node.RequireType(weights, LiteType.Int8, LiteType.UInt8);
        var quantization = node.Quantized(weights);
        if (quantization.IsPerChannel && quantization.Axis != 0) throw node.Refuse($"with scales along axis {quantization.Axis}");
        var isSigned = weights.Type == LiteType.Int8;
        return call =>
        {
            var (indices, table) = (call.Input(0), call.Input(1));
            var depth = Sizes.Product(table.Shape.AsSpan(1));
            var y = call.Output(0, [.. indices.Shape, .. table.Shape[1..]]).Write<float>();
            for (var i = 0; i < indices.Count; i++)
            {
                var row = indices.Read<int>()[i];
                if (row < 0 || row >= table.Shape[0]) throw OutOfRange(call, row);
                var (scale, zero) = quantization.IsPerChannel
                    ? (quantization.Scales[row], quantization.ZeroPoints[row]) : (quantization.Scale, quantization.ZeroPoint);
                var bytes = table.Read<byte>().Slice(row * depth, depth);
                for (var j = 0; j < depth; j++) y[i * depth + j] = ((isSigned ? (sbyte)bytes[j] : bytes[j]) - zero) * scale;
            }
        };
    }

    public static Kernel OneHot(Node node)
    {
        node.RequireSameType(node.Input(2), node.Output(0));
        node.RequireSameType(node.Input(3), node.Output(0));
        node.RequireType(node.Input(0), LiteType.Int32, LiteType.Int64);
        var option = node.Options.Int(0);
        return call =>
        {
            var indices = call.Input(0);
            var on = call.Input(2).Bytes;
            var off = call.Input(3).Bytes;
            var depth = (int)Sizes.Long(call.Input(1), 0);
            call.Require(depth >= 0, "its depth is negative");
            var axis = option == -1 ? indices.Rank : Sizes.Axis(call, option, indices.Rank + 1);
            var output = call.Output(0, [.. indices.Shape[..axis], depth, .. indices.Shape[axis..]]);
            var bytes = ElementTypes.Bytes(output.Type);
            var inner = Sizes.Product(indices.Shape.AsSpan(axis));
            var y = output.Bytes;
            for (var i = 0; i < output.Count; i++)
            {
                var (position, rest) = (i / inner % depth, i / inner / depth * inner + i % inner);
                (Sizes.Long(indices, rest) == position ? on : off)[..bytes].CopyTo(y[(i * bytes)..]);
            }
        };
    }

    public static Kernel Where(Node node)
    {
        node.RequireType(node.Output(0), LiteType.Int64);
        node.RequireType(
            node.Input(0), LiteType.Bool, LiteType.Float32, LiteType.Int64, LiteType.Int32, LiteType.Int8, LiteType.UInt8, LiteType.UInt32);
        return static call =>
        {
            var input = call.Input(0);
            var bytes = ElementTypes.Bytes(input.Type);
            var x = input.Bytes;
            var isReal = input.Type == LiteType.Float32;
            var found = new List<int>();
            for (var i = 0; i < input.Count; i++)
            {
                var element = x.Slice(i * bytes, bytes);
                // A negative zero is zero though not all of its bits are.
                if (isReal ? BitConverter.ToSingle(element) != 0 : element.IndexOfAnyExcept((byte)0) >= 0) found.Add(i);
            }

            var strides = Sizes.Strides(input.Shape);
            var y = call.Output(0, found.Count, input.Rank).Write<long>();
            for (var i = 0; i < found.Count; i++)
            {
                for (var axis = 0; axis < input.Rank; axis++) y[i * input.Rank + axis] = found[i] / strides[axis] % input.Shape[axis];
            }
        };
    }

    public static Kernel Select(Node node)
    {
        node.RequireType(node.Input(0), LiteType.Bool);
        node.RequireSameType(node.Input(1), node.Output(0));
        node.RequireSameType(node.Input(2), node.Output(0));
        return static call =>
        {
            var (condition, left, right) = (call.Input(0), call.Input(1), call.Input(2));
            call.Require(left.Shape.AsSpan().SequenceEqual(right.Shape), "its inputs differ in size");
            // A condition of one axis chooses whole rows.
            var rows = condition.Rank == 0 || condition.Shape.AsSpan().SequenceEqual(left.Shape) ? condition.Count
                : condition.Rank == 1 && left.Rank > 0 && condition.Shape[0] == left.Shape[0] ? condition.Count
                : throw call.Wrong("its condition does not fit its inputs");
            var output = call.Output(0, left.Shape);
            if (rows == 0) return;
            var bytes = output.Bytes.Length / rows;
            for (var i = 0; i < rows; i++)
                (condition.Read<byte>()[i] != 0 ? left : right).Bytes.Slice(i * bytes, bytes).CopyTo(output.Bytes[(i * bytes)..]);
        };
    }

    public static Kernel SelectV2(Node node)
    {
        node.RequireType(node.Input(0), LiteType.Bool);
        node.RequireSameType(node.Input(1), node.Output(0));
        node.RequireSameType(node.Input(2), node.Output(0));
        return static call =>
        {
            var (condition, left, right) = (call.Input(0), call.Input(1), call.Input(2));
            var shape = Sizes.Broadcast(call, Sizes.Broadcast(call, condition.Shape, left.Shape), right.Shape);
            var output = call.Output(0, shape);
            var strides = Sizes.Strides(shape);
            int[][] steps = [.. new[] { condition, left, right }.Select(tensor => Sizes.StretchedStrides(tensor.Shape, shape))];
            var bytes = ElementTypes.Bytes(output.Type);
            Span<int> at = stackalloc int[3];
            for (var i = 0; i < output.Count; i++)
            {
                at.Clear();
                for (var axis = 0; axis < shape.Length; axis++)
                {
                    var index = i / strides[axis] % shape[axis];
                    for (var tensor = 0; tensor < 3; tensor++) at[tensor] += index * steps[tensor][axis];
                }

                var isLeft = condition.Read<byte>()[at[0]] != 0;
                var element = isLeft ? left.Bytes.Slice(at[1] * bytes, bytes) : right.Bytes.Slice(at[2] * bytes, bytes);
                element.CopyTo(output.Bytes[(i * bytes)..]);
            }
        };
    }

    public static Kernel SparseToDense(Node node)
    {
        node.RequireSameType(node.Input(2), node.Output(0));
        node.RequireSameType(node.Input(3), node.Output(0));
        return static call =>
        {
            var (indices, shape, values, other) = (call.Input(0), Sizes.Ints(call.Input(1)), call.Input(2), call.Input(3));
            var output = call.Output(0, shape);
            View.Copy(other, new View(0, new int[shape.Length]), output, View.Whole(shape), shape);
            var bytes = ElementTypes.Bytes(output.Type);
            var depth = indices.Rank == 2 ? indices.Shape[1] : 1;
            call.Require(depth == shape.Length, "its indices have another number of places than its output");
            for (var i = 0; i < indices.Count / Math.Max(1, depth); i++)
            {
                var value = values.Bytes.Slice(values.Rank == 0 ? 0 : i * bytes, bytes);
                value.CopyTo(output.Bytes[(Place(call, indices, i, depth, shape) * bytes)..]);
            }
        };
    }

    static NnException OutOfRange(Call call, long index) => call.Wrong($"the index {index} is out of range");

    delegate void Row(ReadOnlySpan<byte> row, Span<byte> into);

    static void Rows(Call call, Row copy)
    {
        var (indices, table) = (call.Input(0), call.Input(1));
        call.Require(table.Rank > 0, "its table is a scalar");
        var output = call.Output(0, [.. indices.Shape, .. table.Shape[1..]]);
        var bytes = ElementTypes.Bytes(table.Type) * Sizes.Product(table.Shape.AsSpan(1));
        for (var i = 0; i < indices.Count; i++)
        {
            var row = indices.Read<int>()[i];
            if (row < 0 || row >= table.Shape[0]) throw OutOfRange(call, row);
            copy(table.Bytes.Slice(row * bytes, bytes), output.Bytes.Slice(i * bytes, bytes));
        }
    }

    static int Place(Call call, LiteTensor indices, int row, int depth, int[] shape)
    {
        var at = 0;
        for (var i = 0; i < depth; i++)
        {
            var index = Sizes.Long(indices, row * depth + i);
            if (index < 0 || index >= shape[i]) throw OutOfRange(call, index);
            at = at * shape[i] + (int)index;
        }

        return at;
    }

    static void ScatterNd<T>(Call call) where T : unmanaged, INumber<T>
    {
        var (indices, updates, shape) = (call.Input(0), call.Input(1), Sizes.Ints(call.Input(2)));
        call.Require(indices.Rank > 0 && indices.Shape[^1] <= shape.Length, "its indices have too many places");
        var depth = indices.Shape[^1];
        var size = Sizes.Product(shape.AsSpan(depth));
        var y = call.Output(0, shape).Write<T>();
        y.Clear();
        for (var i = 0; i < Sizes.Product(indices.Shape.AsSpan(0, indices.Rank - 1)); i++)
        {
            // What is given twice is added.
            var row = y.Slice(Place(call, indices, i, depth, shape) * size, size);
            Vectors.Add(updates.Read<T>().Slice(i * size, size), row);
        }
    }
}
