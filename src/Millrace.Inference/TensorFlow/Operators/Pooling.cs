using System.Collections.Immutable;
using Millrace.Inference.Onnx;
using Millrace.Nn;

namespace Millrace.Inference.TensorFlow.Operators;

/// <summary>The largest or the mean under a window. Padding counts for neither.</summary>
static class Pooling
{
    static readonly TensorType[] Ordered = [.. Types.Fractions, TensorType.U8, TensorType.I8];

    public static readonly Operator[] Rows =
    [
        new("MaxPool", c => Types.Widened(c, Ordered, x => Pool(c, "MaxPool", x[0], 2, c.Ints("ksize")))),
        new("MaxPoolV2", c => Types.Widened(c, Ordered,
            x => Pool(c, "MaxPool", x[0], 2, c.Known(1, "its window"), c.Known(2, "its strides")))),
        new("MaxPool3D", c => Types.Widened(c, Types.Singles, x => Pool(c, "MaxPool", x[0], 3, c.Ints("ksize")))),
        new("AvgPool", c => Types.Widened(c, Types.Singles, x => Pool(c, "AveragePool", x[0], 2, c.Ints("ksize")))),
        new("AvgPool3D", c => Types.Widened(c, Types.Singles, x => Pool(c, "AveragePool", x[0], 3, c.Ints("ksize")))),
    ];

    static Value Pool(Call c, string op, Value x, int space, ImmutableArray<long> sizes, ImmutableArray<long> steps = default)
    {
        var window = new Window(c, space + 2, steps);
        var (input, kernel) = (window.In(x), window.Spatial("ksize", sizes));
        ImmutableArray<long> shape = [input.Size(0), input.Size(1), .. window.Results(input, kernel.AsSpan())];
        OnnxAttribute[] attributes = [new("kernel_shape", kernel.AsSpan()), window.Padding(input, kernel.AsSpan()), .. window.Attributes];
        return window.Out(c.E.Node(op, [input], x.Type, shape, attributes));
    }
}
