using System.Numerics;
using Millrace.Inference.TensorFlowLite.Execution;
using Millrace.Inference.TensorFlowLite.Format;

namespace Millrace.Inference.TensorFlowLite.Kernels;

/// <summary>What is greatest, where, and running sums.</summary>
static class Ranking
{
    public static Kernel ArgMax(Node node) => Arg(node, 1);

    public static Kernel ArgMin(Node node) => Arg(node, -1);

    public static Kernel TopK(Node node)
    {
        node.RequireType(node.Output(1), LiteType.Int32, LiteType.Int16);
        node.RequireSameType(node.Input(0), node.Output(0));
        return node.Type switch
        {
            LiteType.Float32 => static call => TopK<float>(call),
            LiteType.Int8 => static call => TopK<sbyte>(call),
            LiteType.UInt8 => static call => TopK<byte>(call),
            LiteType.Int16 => static call => TopK<short>(call),
            LiteType.Int32 => static call => TopK<int>(call),
            LiteType.Int64 => static call => TopK<long>(call),
            _ => throw node.Refuse($"of {node.Type}"),
        };
    }

    public static Kernel CumSum(Node node) => node.Type switch
    {
        LiteType.Float32 => static call => CumSum<float>(call),
        LiteType.Int32 => static call => CumSum<int>(call),
        LiteType.Int64 => static call => CumSum<long>(call),
        _ => throw node.Refuse($"of {node.Type}"),
    };

    static Kernel Arg(Node node, int sign)
    {
        var isLong = node.Output(0).Type == LiteType.Int64;
        node.RequireType(node.Output(0), LiteType.Int32, LiteType.Int64);
        return node.Type switch
        {
            LiteType.Float32 => call => Arg<float>(call, sign, isLong),
            LiteType.Int8 => call => Arg<sbyte>(call, sign, isLong),
            LiteType.UInt8 or LiteType.Bool => call => Arg<byte>(call, sign, isLong),
            LiteType.Int16 => call => Arg<short>(call, sign, isLong),
            LiteType.Int32 => call => Arg<int>(call, sign, isLong),
            LiteType.Int64 => call => Arg<long>(call, sign, isLong),
            _ => throw node.Refuse($"of {node.Type}"),
        };
    }

    static void Arg<T>(Call call, int sign, bool isLong) where T : unmanaged, INumber<T>
    {
        var input = call.Input(0);
        var axis = Sizes.Axis(call, (int)Sizes.Long(call.Input(1), 0), input.Rank);
        var (size, inner) = (input.Shape[axis], Sizes.Product(input.Shape.AsSpan(axis + 1)));
        call.Require(size > 0, "its axis is empty");
        var x = input.Read<T>();
        var output = call.Output(0, [.. input.Shape[..axis], .. input.Shape[(axis + 1)..]]);
        for (var i = 0; i < output.Count; i++)
        {
            var start = i / inner * size * inner + i % inner;
            var best = 0;
            for (var j = 1; j < size; j++)
            {
                // The first of equals stands.
                var (value, other) = (x[start + j * inner], x[start + best * inner]);
                if (sign > 0 ? value > other : value < other) best = j;
            }

            if (isLong) output.Write<long>()[i] = best;
            else output.Write<int>()[i] = best;
        }
    }

    static void TopK<T>(Call call) where T : unmanaged, INumber<T>
    {
        var input = call.Input(0);
        var k = (int)Sizes.Long(call.Input(1), 0);
        call.Require(input.Rank > 0 && k >= 0 && k <= input.Shape[^1], "its k is out of range");
        var depth = input.Shape[^1];
        var shape = Sizes.With(input.Shape, input.Rank - 1, k);
        var x = input.Read<T>();
        var values = call.Output(0, shape).Write<T>();
        var indices = call.Output(1, shape);
        var order = new int[depth];
        var row = new T[depth];
        for (int at = 0, into = 0; at < x.Length && k > 0; at += depth, into += k)
        {
            x.Slice(at, depth).CopyTo(row);
            for (var i = 0; i < depth; i++) order[i] = i;
            Array.Sort(order, (a, b) => row[b].CompareTo(row[a]) is var compared and not 0 ? compared : a.CompareTo(b));
            for (var i = 0; i < k; i++)
            {
                values[into + i] = row[order[i]];
                if (indices.Type == LiteType.Int32) indices.Write<int>()[into + i] = order[i];
                else indices.Write<short>()[into + i] = (short)order[i];
            }
        }
    }

    static void CumSum<T>(Call call) where T : unmanaged, INumber<T>
    {
        var input = call.Input(0);
        var axis = Sizes.Axis(call, (int)Sizes.Long(call.Input(1), 0), input.Rank);
        var (isExclusive, isReversed) = (call.Options.Bool(0), call.Options.Bool(1));
        var (size, inner) = (input.Shape[axis], Sizes.Product(input.Shape.AsSpan(axis + 1)));
        var x = input.Read<T>();
        var y = call.Output(0, input.Shape).Write<T>();
        for (var i = 0; size > 0 && i < y.Length / size; i++)
        {
            var start = i / inner * size * inner + i % inner;
            var sum = T.Zero;
            for (var j = 0; j < size; j++)
            {
                var at = start + (isReversed ? size - 1 - j : j) * inner;
                var next = sum + x[at];
                y[at] = isExclusive ? sum : next;
                sum = next;
            }
        }
    }
}
