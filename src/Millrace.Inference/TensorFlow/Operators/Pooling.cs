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
        new("MaxPoolWithArgmax", WithPlaces),
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

    // The engine counts places with the channels first and over the whole batch, TensorFlow with the channels last.
    static Value[] WithPlaces(Call c)
    {
        var (e, window) = (c.E, new Window(c, rank: 4));
        var (input, kernel) = (window.In(e.Cast(c[0], Types.Wider(c, c[0].Type, Types.Singles))), window.Spatial("ksize", c.Ints("ksize")));
        ImmutableArray<long> shape = [input.Size(0), input.Size(1), .. window.Results(input, kernel.AsSpan())];
        var names = e.Graph.AddNodes("MaxPool", [input.Name], 2,
            [new("kernel_shape", kernel.AsSpan()), window.Padding(input, kernel.AsSpan()), .. window.Attributes]);
        var places = new Value(names[1], TensorType.I64, shape);
        var (channels, area) = (e.SizeOf(input, 1), e.Mul(e.SizeOf(input, 2), e.SizeOf(input, 3)));
        var plane = e.Div(places, area);
        var own = e.Add(e.Mul(e.Pairs("Mod", places, area), channels), e.Pairs("Mod", plane, channels));
        if (c.Bool("include_batch_in_index", false)) own = e.Add(own, e.Mul(e.Div(plane, channels), e.Mul(area, channels)));
        return
        [
            window.Out(e.Cast(new Value(names[0], input.Type, shape), c[0].Type)),
            window.Out(e.Cast(own, c.Type("Targmax", TensorType.I64))),
        ];
    }
}
