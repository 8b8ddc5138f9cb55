using System.Collections.Immutable;
using Millrace.Inference.Onnx;

namespace Millrace.Inference.TensorFlow.Operators;

/// <summary>Convolutions and their transposes.</summary>
static class Convolutions
{
    public static readonly Operator[] Rows =
    [
        new("Conv2D", c => Types.Widened(c, Types.Singles, x => Convolution(c, x[0], x[1], space: 2))),
        new("Conv3D", c => Types.Widened(c, Types.Singles, x => Convolution(c, x[0], x[1], space: 3))),
        new("DepthwiseConv2dNative", c => Types.Widened(c, Types.Singles, x => Depthwise(c, x[0], x[1]))),
        new("Conv2DBackpropInput", c => Transposed(c, space: 2)),
        new("Conv3DBackpropInputV2", c => Transposed(c, space: 3)),
    ];

    static Value Convolution(Call c, Value x, Value filter, int space)
    {
        var window = new Window(c, space + 2);
        var channels = x.Rank is null ? -1 : x.Size(window.Channels);
        // The filter has the channels of one group; there are as many groups as the input has of these.
        var depth = filter.Rank is null ? -1 : filter.Size(space);
        var groups = channels > 0 && depth > 0 ? channels / depth : 1;
        if (groups > 0 && channels > 0 && depth > 0 && groups * depth != channels)
            throw c.Refuse($"its filter takes {depth} channels, its input has {channels}");
        // Filters lie as height, width, in, out.
        return Run(c, window, x, filter, c.E.Transpose(filter, [space + 1, space, .. Enumerable.Range(0, space)]), Math.Max(1, groups));
    }

    static Value Depthwise(Call c, Value x, Value filter)
    {
        var window = new Window(c, rank: 4);
        if (filter.Rank != 4 || filter.Size(2) <= 0) throw c.Refuse("the channels of its filter must be known");
        var (e, channels) = (c.E, filter.Size(2));
        // Height, width, channel, multiple: a group for each channel, whose multiples lie together.
        var turned = e.Transpose(filter, 2, 3, 0, 1);
        var sizes = e.Sizes(e.Row(-1, 1), e.SizeOf(filter, 0), e.SizeOf(filter, 1));
        return Run(c, window, x, filter, e.Reshape(turned, sizes), channels);
    }

    static Value Run(Call c, Window window, Value x, Value filter, Value weights, long groups)
    {
        var input = window.In(x);
        long[] kernel = [.. Enumerable.Range(0, window.Space).Select(i => filter.Rank is null ? -1 : filter.Size(i))];
        var attributes = new List<OnnxAttribute>(window.Attributes) { window.Padding(input, kernel) };
        if (groups > 1) attributes.Add(new("group", groups));
        ImmutableArray<long> shape = [input.Size(0), weights.Size(0), .. window.Results(input, kernel)];
        return window.Out(c.E.Node("Conv", [input, weights], x.Type, shape, [.. attributes]));
    }

    // The first input says how large the result is: its padding is cropped, and what no window reaches is 0.
    static Value Transposed(Call c, int space)
    {
        var (e, window) = (c.E, new Window(c, space + 2));
        var type = c[2].Type;
        Types.Wider(c, type, Types.Singles);
        var (filter, sizes) = (c[1], e.Longs(c[0]));
        var (x, weights) = (window.In(c[2]), e.Transpose(filter, [space + 1, space, .. Enumerable.Range(0, space)]));
        if (filter.Rank is not null && x.Size(1) >= 0 && filter.Size(-1) >= 0 && x.Size(1) != filter.Size(-1))
            throw c.Refuse($"its filter takes {filter.Size(-1)} channels, its input has {x.Size(1)}");
        if (sizes.Size(0) == space) sizes = Whole(e, window, x, filter, sizes, space);
        var full = e.Node("ConvTranspose", [x, weights], type, Full(x, filter, window), window.Attributes);
        var (from, to, missing) = (new List<Value>(), new List<Value>(), new List<Value>());
        for (var i = 0; i < space; i++)
        {
            var (size, whole) = (e.Slice(sizes, window.Axis(i), window.Axis(i) + 1, axis: 0), e.SizeOf(full, 2 + i));
            var before = window.IsSame
                ? e.Div(e.Max(e.Sub(whole, size), e.Row(0)), e.Row(2))
                : e.Row(window.Explicit(i).Before);
            from.Add(before);
            to.Add(e.Add(before, size));
            missing.Add(e.Max(e.Sub(e.Add(before, size), whole), e.Row(0)));
        }

        var after = e.Sizes([e.Row(0, 0), .. missing]);
        if (!after.IsKnown || after.Known.Any(count => count > 0))
        {
            var zeros = e.Row([.. Enumerable.Repeat(0L, space + 2)]);
            full = e.Node("Pad", [full, e.Sizes(zeros, after), e.Scalar(0, type)], type, ShapeNodes.Open(space + 2));
        }

        long[] axes = [.. Enumerable.Range(2, space)];
        return window.Out(e.Slice(full, e.Sizes([.. from]), e.Sizes([.. to]), [.. axes], [.. axes.Select(_ => 1L)]));
    }

    // Newer writers give the sizes of space alone.
    static Value Whole(Emitter e, Window window, Value x, Value filter, Value sizes, int space)
    {
        var (batch, channels) = (e.SizeOf(x, 0), e.SizeOf(filter, space));
        return window.Channels == 1 ? e.Sizes(batch, channels, sizes) : e.Sizes(batch, sizes, channels);
    }

    static ImmutableArray<long> Full(Value x, Value filter, Window window)
    {
        var shape = new long[window.Space + 2];
        (shape[0], shape[1]) = (x.Size(0), filter.Size(window.Space));
        for (var i = 0; i < window.Space; i++)
        {
            var (size, kernel) = (x.Size(2 + i), filter.Size(i));
            shape[2 + i] = size < 0 || kernel < 0 ? -1 : (size - 1) * window.Steps[i] + (kernel - 1) * window.Dilations[i] + 1;
        }

        return [.. shape];
    }
}
