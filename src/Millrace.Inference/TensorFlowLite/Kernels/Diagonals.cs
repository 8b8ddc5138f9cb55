using Millrace.Inference.TensorFlowLite.Execution;
using Millrace.Inference.TensorFlowLite.Format;

namespace Millrace.Inference.TensorFlowLite.Kernels;

/// <summary>Diagonals of matrices. Elements are moved as they are, whatever they mean.</summary>
static class Diagonals
{
    public static Kernel Make(Node node)
    {
        Check(node);
        return static call =>
        {
            var diagonal = call.Input(0);
            call.Require(diagonal.Rank > 0, "it is for rows of numbers");
            var size = diagonal.Shape[^1];
            var output = call.Output(0, [.. diagonal.Shape, size]);
            output.Bytes.Clear();
            Write(diagonal, output, size, size);
        };
    }

    public static Kernel Set(Node node)
    {
        Check(node);
        node.RequireSameType(node.Input(1), node.Output(0));
        return static call =>
        {
            var (input, diagonal) = (call.Input(0), call.Input(1));
            call.Require(input.Rank > 1, "it is for matrices");
            var (rows, columns) = (input.Shape[^2], input.Shape[^1]);
            int[] wanted = [.. input.Shape[..^2], Math.Min(rows, columns)];
            call.Require(diagonal.Shape.AsSpan().SequenceEqual(wanted), "the diagonal has another size than its matrix");
            var output = call.Output(0, input.Shape);
            input.Bytes.CopyTo(output.Bytes);
            Write(diagonal, output, rows, columns);
        };
    }

    static void Check(Node node)
    {
        node.RequireType(
            node.Input(0), LiteType.Float32, LiteType.Int8, LiteType.UInt8, LiteType.Int16, LiteType.Int32, LiteType.Int64);
        node.RequireSameType(node.Input(0), node.Output(0));
    }

    static void Write(LiteTensor diagonal, LiteTensor matrices, int rows, int columns)
    {
        var (bytes, length) = (ElementTypes.Bytes(matrices.Type), Math.Min(rows, columns));
        var from = diagonal.Bytes;
        var into = matrices.Bytes;
        for (var i = 0; i < diagonal.Count; i++)
        {
            var place = i / length * rows * columns + i % length * (columns + 1);
            from.Slice(i * bytes, bytes).CopyTo(into[(place * bytes)..]);
        }
    }
}
