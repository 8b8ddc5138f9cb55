using System.Collections.Immutable;
using Millrace.Inference.Onnx;

namespace Millrace.Inference.TensorFlow.Operators;

/// <summary>Products of matrices, and the bias that follows them.</summary>
static class Products
{
    public static readonly Operator[] Rows =
    [
        new("MatMul", c => Product(c, c.Bool("transpose_a", false), c.Bool("transpose_b", false))),
        new(["BatchMatMul", "BatchMatMulV2"], c => Product(c, c.Bool("adj_x", false), c.Bool("adj_y", false))),
        new("BatchMatMulV3", BatchV3),
        new("Einsum", Einsum),
        new(["BiasAdd", "BiasAddV1"], Bias),
    ];

    static Value BatchV3(Call c)
    {
        var type = c.Type("Tout", c[0].Type);
        if (c[0].Type != c[1].Type || type != c[0].Type) throw c.Refuse("its types differ");
        return Product(c, c.Bool("adj_x", false), c.Bool("adj_y", false));
    }

    static Value Product(Call c, bool transposesX, bool transposesY) => Types.Widened(c, Types.Numbers, inputs =>
    {
        var x = transposesX ? Swap(c.E, inputs[0]) : inputs[0];
        var y = transposesY ? Swap(c.E, inputs[1]) : inputs[1];
        ImmutableArray<long> shape = default;
        if (x.Rank >= 2 && y.Rank >= 2) shape = [.. Emitter.Broadcast(x.Shape[..^2], y.Shape[..^2]), x.Size(-2), y.Size(-1)];
        else if (c.Op == "MatMul") shape = [x.Rank == 2 ? x.Size(0) : -1, y.Rank == 2 ? y.Size(1) : -1];
        return c.E.Node("MatMul", [x, y], x.Type, shape);
    });

    // Where the rank is open, only Einsum can name the last two axes.
    static Value Swap(Emitter e, Value x)
    {
        if (x.Rank is not { } rank || rank < 2)
            return e.Node("Einsum", [x], x.Type, default, new OnnxAttribute("equation", "...ij->...ji"));
        long[] order = [.. Enumerable.Range(0, rank - 2), rank - 1, rank - 2];
        return e.Transpose(x, order);
    }

    static Value Einsum(Call c) => Types.Widened(c, Types.Numbers, x =>
    {
        var equation = c.Text("equation", "").Replace(" ", "", StringComparison.Ordinal);
        var arrow = equation.IndexOf("->", StringComparison.Ordinal);
        ImmutableArray<long> shape = arrow < 0 || equation.Contains('.') ? default : ShapeNodes.Open(equation.Length - arrow - 2);
        return c.E.Node("Einsum", x, x[0].Type, shape, new OnnxAttribute("equation", equation));
    });

    static Value Bias(Call c) => Types.Widened(c, Types.Numbers, x =>
    {
        var e = c.E;
        if (c.Text("data_format", "NHWC") != "NCHW") return e.Add(x[0], x[1]);
        // The channels are the second axis: ones follow for all after it.
        var after = e.Sub(e.RankOf(x[0]), e.Whole([], [2]));
        return e.Add(x[0], e.Reshape(x[1], e.Sizes(e.SizeOf(x[1], 0), e.Ones(after))));
    });
}
