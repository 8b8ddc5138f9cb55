using System.Collections.Immutable;
using Millrace.Inference.Onnx;
using Millrace.Nn;

namespace Millrace.Inference.OpenVino;

/// <summary>Operators that move elements between batch, channels and space.</summary>
static class Layouts
{
    public static readonly ImmutableArray<Operator> Rows =
    [
        new("DepthToSpace", 1, DepthToSpace), new("SpaceToDepth", 1, SpaceToDepth), new("ShuffleChannels", 1, ShuffleChannels),
        new("SpaceToBatch", 2, SpaceToBatch), new("BatchToSpace", 2, BatchToSpace), new("ReorgYolo", 2, ReorgYolo),
        new("ExtractImagePatches", 3, ExtractImagePatches), new("Col2Im", 15, Col2Im),
    ];

    static string DepthToSpace(Conversion c)
    {
        var (sizes, block, isBlocksFirst) = (Sizes(c), c.Int("block_size", 1), IsBlocksFirst(c));
        var space = sizes.Length - 2;
        var depth = sizes[1] / (long)Math.Pow(block, space);
        long[] blocks = [.. Enumerable.Repeat(block, space)];
        var parts = isBlocksFirst
            ? c.Reshape(c.In(0), [sizes[0], .. blocks, depth, .. sizes[2..]])
            : c.Reshape(c.In(0), [sizes[0], depth, .. blocks, .. sizes[2..]]);
        // Each axis of space is followed by its part of the block.
        var order = new List<long> { 0, isBlocksFirst ? space + 1 : 1 };
        for (var i = 0; i < space; i++) order.AddRange([space + 2 + i, isBlocksFirst ? 1 + i : 2 + i]);
        return c.Reshape(c.Transpose(parts, [.. order]), [sizes[0], depth, .. sizes[2..].Select(size => size * block)]);
    }

    static string SpaceToDepth(Conversion c)
    {
        var (sizes, block, isBlocksFirst) = (Sizes(c), c.Int("block_size", 1), IsBlocksFirst(c));
        var space = sizes.Length - 2;
        var parts = c.Reshape(c.In(0), [sizes[0], sizes[1], .. sizes[2..].SelectMany(size => new[] { size / block, block })]);
        long[] inner = [.. Enumerable.Range(0, space).Select(i =>
            3L + 2 * i)], outer = [.. Enumerable.Range(0, space).Select(i => 2L + 2 * i)];
        var ordered = isBlocksFirst ? c.Transpose(parts, [0, .. inner, 1, .. outer]) : c.Transpose(parts, [0, 1, .. inner, .. outer]);
        return c.Reshape(ordered, [sizes[0], sizes[1] * (long)Math.Pow(block, space), .. sizes[2..].Select(size => size / block)]);
    }

    static bool IsBlocksFirst(Conversion c) => c.Text("mode", "") switch
    {
        "blocks_first" => true,
        "depth_first" => false,
        var mode => throw c.Layer.Malformed($"mode is {mode}"),
    };

    static string ShuffleChannels(Conversion c)
    {
        var axis = c.Axis(c.Int("axis", 1), c.RankOf(0));
        var (size, group) = (c.SizesOf(0)[axis], c.Int("group", 1));
        if (size < 0) throw c.Layer.Refused("along an open size");
        if (group < 1 || size % group != 0) throw c.Layer.Malformed($"{size} channels in {group} groups");
        var rank = c.RankOf(0);
        var shape = c.Shape(c.In(0));
        var (before, after) = (c.Slice(shape, 0, 0, axis), c.Slice(shape, 0, axis + 1, long.MaxValue));
        var parts = c.Op("Reshape", [c.In(0), c.Concat(0, before, c.Ints(group, size / group), after)]);
        long[] order = [.. Enumerable.Range(0, rank + 1).Select(at => (long)at)];
        (order[axis], order[axis + 1]) = (order[axis + 1], order[axis]);
        return c.Op("Reshape", [c.Transpose(parts, order), shape]);
    }

    static string SpaceToBatch(Conversion c)
    {
        var (sizes, blocks, begin, end) = (c.StaticSizes(0), c.IntsOf(1), c.IntsOf(2), c.IntsOf(3));
        CheckBlocks(c, sizes, blocks, begin, end);
        for (var i = 0; i < sizes.Length; i++) sizes[i] += begin[i] + end[i];
        if (sizes.Where((size, i) => size % blocks[i] != 0).Any()) throw c.Layer.Malformed("a padded size is no multiple of its block");
        var padded = begin.Concat(end).All(pad => pad == 0) ? c.In(0) : c.Op("Pad", [c.In(0), c.Ints([.. begin, .. end])]);
        var rank = sizes.Length;
        var parts = c.Reshape(padded, [sizes[0], .. Enumerable.Range(1, rank - 1).SelectMany(i =>
            new[] { sizes[i] / blocks[i], blocks[i] })]);
        long[] order =
        [
            .. Enumerable.Range(1, rank - 1).Select(i => 2L * i), 0, .. Enumerable.Range(1, rank - 1).Select(i => 2L * i - 1),
        ];
        var product = blocks.Aggregate(1L, (all, block) => all * block);
        return c.Reshape(c.Transpose(parts, order), [sizes[0] * product, .. Enumerable.Range(1, rank - 1).Select(i =>
            sizes[i] / blocks[i])]);
    }

    static string BatchToSpace(Conversion c)
    {
        var (sizes, blocks, begin, end) = (c.StaticSizes(0), c.IntsOf(1), c.IntsOf(2), c.IntsOf(3));
        CheckBlocks(c, sizes, blocks, begin, end);
        var (rank, product) = (sizes.Length, blocks.Aggregate(1L, (all, block) => all * block));
        if (sizes[0] % product != 0) throw c.Layer.Malformed($"the batch of {sizes[0]} is no multiple of its blocks");
        var parts = c.Reshape(c.In(0), [.. blocks[1..], sizes[0] / product, .. sizes[1..]]);
        var order = new List<long> { rank - 1 };
        for (var i = 1; i < rank; i++) order.AddRange([rank - 1 + i, i - 1]);
        var whole = c.Reshape(c.Transpose(parts, [.. order]), [sizes[0] / product, .. Enumerable.Range(1, rank - 1).Select(i =>
            sizes[i] * blocks[i])]);
        for (var i = 1; i < rank; i++)
        {
            if (begin[i] != 0 || end[i] != 0) whole = c.Slice(whole, i, begin[i], sizes[i] * blocks[i] - end[i]);
        }

        return whole;
    }

    static void CheckBlocks(Conversion c, long[] sizes, long[] blocks, long[] begin, long[] end)
    {
        if (blocks.Length != sizes.Length || begin.Length != sizes.Length || end.Length != sizes.Length || blocks.Any(block => block < 1))
            throw c.Layer.Malformed("its blocks and borders do not fit its input");
        if (blocks[0] != 1 || begin[0] != 0 || end[0] != 0) throw c.Layer.Malformed("it cuts the batch itself into blocks");
    }

    // The rows are read as if the image were larger and had fewer channels, and then cut into blocks.
    static string ReorgYolo(Conversion c)
    {
        var (sizes, stride) = (Sizes(c), c.Int("stride"));
        if (sizes.Length != 4 || stride < 1 || sizes[1] % (stride * stride) != 0)
            throw c.Layer.Malformed($"stride {stride} does not fit its input");
        var parts = c.Reshape(c.In(0), sizes[0], sizes[1] / (stride * stride), sizes[2], stride, sizes[3], stride);
        return c.Reshape(
            c.Transpose(parts, 0, 3, 5, 1, 2, 4), sizes[0], sizes[1] * stride * stride, sizes[2] / stride, sizes[3] / stride);
    }

    // A convolution whose weights pick one place of the window each.
    static string ExtractImagePatches(Conversion c)
    {
        var (sizes, kernel) = (Sizes(c), c.Ints("sizes") ?? throw c.Layer.Malformed("sizes is missing"));
        if (sizes.Length != 4 || kernel.Length != 2) throw c.Layer.Malformed("it is for images");
        var (strides, rates, mode) = (c.Ints("strides"), c.Ints("rates"), c.Text("auto_pad", "valid"));
        if (strides is not { Length: 2 } || rates is not { Length: 2 }) throw c.Layer.Malformed("strides or rates are missing");
        var channels = c.Bounded(sizes[1]);
        var taps = c.Bounded(c.Bounded(kernel[0]) * c.Bounded(kernel[1]));
        var weights = new double[c.Bounded(c.Bounded(taps * channels) * c.Bounded(taps * channels))];
        for (long tap = 0; tap < taps; tap++)
        {
            for (long channel = 0; channel < channels; channel++)
                weights[(((tap * channels) + channel) * channels + channel) * taps + tap] = 1;
        }

        var patches = c.Op(
            "Conv",
            [c.As(c.In(0), c.TypeOf(0), TensorType.F32), c.Constant(TensorType.F32, [taps * channels, channels, .. kernel], weights)],
            new OnnxAttribute("strides", strides), new OnnxAttribute("dilations", rates),
            new OnnxAttribute("auto_pad", mode is "valid" or "same_upper" or "same_lower"
                ? mode.ToUpperInvariant() : throw c.Layer.Malformed($"auto_pad is {mode}")));
        return c.As(patches, TensorType.F32, c.OutputType());
    }

    static string Col2Im(Conversion c)
    {
        var hasBatch = c.RankOf(0) == 3;
        long[] Pair(string name, long otherwise) => c.Ints(name) ?? [otherwise, otherwise];
        var x = hasBatch ? c.In(0) : c.Unsqueeze(c.In(0), 0);
        var image = c.Op(
            "Col2Im", [c.As(x, c.TypeOf(0), TensorType.F32), c.Row(1), c.Row(2)],
            new OnnxAttribute("strides", Pair("strides", 1)), new OnnxAttribute("dilations", Pair("dilations", 1)),
            new OnnxAttribute("pads", [.. Pair("pads_begin", 0), .. Pair("pads_end", 0)]));
        if (!Conversion.IsFloat(c.TypeOf(0))) throw c.Layer.Refused($"on {c.TypeOf(0)}");
        return c.As(hasBatch ? image : c.Squeeze(image, 0), TensorType.F32, c.OutputType());
    }

    // Only the batch may be open.
    static long[] Sizes(Conversion c)
    {
        var sizes = c.SizesOf(0);
        if (sizes.Length < 3) throw c.Layer.Malformed($"its input has {sizes.Length} dimensions");
        return sizes[1..].Contains(-1) ? throw c.Layer.Refused("with open sizes") : [.. sizes];
    }
}
