using System.Numerics;
using Millrace.Inference.TensorFlowLite.Execution;
using Millrace.Inference.TensorFlowLite.Format;

namespace Millrace.Inference.TensorFlowLite.Kernels;

/// <summary>Rows that belong together, numbers once each, and buckets.</summary>
static class Segments
{
    public static Kernel UnsortedSum(Node node) => Unsorted(node, new SumOf<float, float>(), new SumOf<int, int>());

    public static Kernel UnsortedProd(Node node) => Unsorted(node, new ProductOf<float>(), new ProductOf<int>());

    public static Kernel UnsortedMax(Node node) => Unsorted(node, new MaxOf<float>(float.MinValue), new MaxOf<int>(int.MinValue));

    public static Kernel UnsortedMin(Node node) => Unsorted(node, new MinOf<float>(float.MaxValue), new MinOf<int>(int.MaxValue));

    public static Kernel Sum(Node node)
    {
        Check(node);
        return node.Type == LiteType.Float32
            ? static call => Sorted<float>(call, new SumOf<float, float>()) : static call => Sorted<int>(call, new SumOf<int, int>());
    }

    public static Kernel Unique(Node node)
    {
        node.RequireSameType(node.Input(0), node.Output(0));
        node.RequireType(node.Output(1), LiteType.Int32, LiteType.Int64);
        return node.Type switch
        {
            LiteType.Float32 => static call => Unique<float>(call),
            LiteType.Int8 => static call => Unique<sbyte>(call),
            LiteType.UInt8 => static call => Unique<byte>(call),
            LiteType.Int16 => static call => Unique<short>(call),
            LiteType.Int32 => static call => Unique<int>(call),
            LiteType.Int64 => static call => Unique<long>(call),
            _ => throw node.Refuse($"of {node.Type}"),
        };
    }

    public static Kernel Bucketize(Node node)
    {
        node.RequireType(node.Output(0), LiteType.Int32);
        var bounds = node.Options.Singles(0);
        node.Require(bounds.Zip(bounds.Skip(1)).All(static pair => pair.First <= pair.Second), "its bounds are not in order");
        return node.Type switch
        {
            LiteType.Float32 => call => Bucketize<float>(call, bounds),
            LiteType.Float64 => call => Bucketize<double>(call, bounds),
            LiteType.Int32 => call => Bucketize<int>(call, bounds),
            LiteType.Int64 => call => Bucketize<long>(call, bounds),
            _ => throw node.Refuse($"of {node.Type}"),
        };
    }

    static void Check(Node node)
    {
        node.RequireType(node.Input(0), LiteType.Float32, LiteType.Int32);
        node.RequireType(node.Input(1), LiteType.Int32);
        node.RequireSameType(node.Input(0), node.Output(0));
    }

    static Kernel Unsorted(Node node, IFold<float, float> real, IFold<int, int> whole)
    {
        Check(node);
        node.RequireType(node.Input(2), LiteType.Int32);
        return node.Type == LiteType.Float32
            ? call => Fold(call, (int)Sizes.Long(call.Input(2), 0), real) : call => Fold(call, (int)Sizes.Long(call.Input(2), 0), whole);
    }

    static void Sorted<T>(Call call, IFold<T, T> fold) where T : unmanaged
    {
        var last = -1;
        foreach (var id in call.Input(1).Read<int>())
        {
            call.Require(id == last || id == last + 1, "its segments do not follow each other from 0 on");
            last = id;
        }

        Fold(call, last + 1, fold);
    }

    // Rows of a segment below 0 are left out.
    static void Fold<T>(Call call, int count, IFold<T, T> fold) where T : unmanaged
    {
        var (data, ids) = (call.Input(0), call.Input(1));
        call.Require(
            ids.Rank <= data.Rank && ids.Shape.AsSpan().SequenceEqual(data.Shape.AsSpan(0, ids.Rank)),
            "its segments are not as many as its rows");
        call.Require(count >= 0, "the number of its segments is below 0");
        var row = Sizes.Product(data.Shape.AsSpan(ids.Rank));
        var x = data.Read<T>();
        var numbers = ids.Read<int>();
        var y = call.Output(0, [count, .. data.Shape[ids.Rank..]]).Write<T>();
        y.Fill(fold.Start);
        for (var i = 0; i < numbers.Length; i++)
        {
            call.Require(numbers[i] < count, $"segment {numbers[i]} is not one of {count}");
            if (numbers[i] < 0) continue;
            var into = y.Slice(numbers[i] * row, row);
            for (var j = 0; j < row; j++) into[j] = fold.Apply(into[j], x[i * row + j]);
        }
    }

    // In the order in which they are met first.
    static void Unique<T>(Call call) where T : unmanaged
    {
        var input = call.Input(0);
        call.Require(input.Rank == 1, "it is for rows of numbers");
        var (places, order) = (new Dictionary<T, int>(), new List<T>());
        var x = input.Read<T>();
        var output = call.Output(1, input.Shape);
        for (var i = 0; i < x.Length; i++)
        {
            if (!places.TryGetValue(x[i], out var place))
            {
                places.Add(x[i], place = order.Count);
                order.Add(x[i]);
            }

            if (output.Type == LiteType.Int64) output.Write<long>()[i] = place;
            else output.Write<int>()[i] = place;
        }

        order.ToArray().CopyTo(call.Output(0, order.Count).Write<T>());
    }

    // How many bounds are not above.
    static void Bucketize<T>(Call call, float[] bounds) where T : unmanaged, INumber<T>
    {
        var x = call.Input(0).Read<T>();
        var y = call.Output(0, call.Input(0).Shape).Write<int>();
        for (var i = 0; i < y.Length; i++)
        {
            var value = double.CreateTruncating(x[i]);
            y[i] = bounds.Count(bound => !(value < bound));
        }
    }
}
