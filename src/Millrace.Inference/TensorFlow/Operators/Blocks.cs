namespace Millrace.Inference.TensorFlow.Operators;

/// <summary>Elements moved between space and batch, and between space and depth. All are a reshape, a transpose, a reshape.</summary>
static class Blocks
{
    public static readonly Operator[] Rows =
    [
        new("SpaceToBatchND", c => SpaceToBatch(c, c.Known(1, "its block shape").AsSpan(), c[2])),
        new("BatchToSpaceND", c => BatchToSpace(c, c.Known(1, "its block shape").AsSpan(), c[2])),
        new("SpaceToBatch", c => SpaceToBatch(c, [c.Int("block_size", 2), c.Int("block_size", 2)], c[1])),
        new("BatchToSpace", c => BatchToSpace(c, [c.Int("block_size", 2), c.Int("block_size", 2)], c[1])),
        new("SpaceToDepth", SpaceToDepth),
        new("DepthToSpace", DepthToSpace),
    ];

    static Value SpaceToBatch(Call c, ReadOnlySpan<long> block, Value paddings)
    {
        var (e, rank, count) = (c.E, c.Rank(0), Checked(c, block));
        var (before, after) = e.Columns(paddings);
        var (zero, rest) = (e.Row(0), e.Row([.. Enumerable.Repeat(0L, rank - 1 - count)]));
        var x = Slicing.Pad(c, e.Sizes(zero, before, rest), e.Sizes(zero, after, rest));
        var split = new List<Value> { e.SizeOf(x, 0) };
        for (var i = 0; i < count; i++) split.AddRange([e.Div(e.SizeOf(x, 1 + i), e.Row(block[i])), e.Row(block[i])]);
        for (var i = 1 + count; i < rank; i++) split.Add(e.SizeOf(x, i));
        var space = Enumerable.Range(0, count);
        long[] order =
            [.. space.Select(i => 2L + 2 * i), 0, .. space.Select(i => 1L + 2 * i), .. Enumerable.Range(1 + 2 * count, rank - 1 - count)];
        var moved = e.Transpose(e.Reshape(x, e.Sizes([.. split])), order);
        var joined = new List<Value> { e.Mul(e.SizeOf(x, 0), e.Row(Product(block))) };
        for (var i = 0; i < count; i++) joined.Add(split[1 + 2 * i]);
        joined.AddRange(split.Skip(1 + 2 * count));
        return e.Reshape(moved, e.Sizes([.. joined]));
    }

    static Value BatchToSpace(Call c, ReadOnlySpan<long> block, Value crops)
    {
        var (e, x, rank, count) = (c.E, c[0], c.Rank(0), Checked(c, block));
        var (before, after) = e.Columns(crops);
        var batch = e.Div(e.SizeOf(x, 0), e.Row(Product(block)));
        var sizes = Enumerable.Range(1, rank - 1).Select(axis => e.SizeOf(x, axis)).ToArray();
        var parts = e.Reshape(x, e.Sizes([e.Row(block), batch, .. sizes]));
        var order = new List<long> { count };
        for (var i = 0; i < count; i++) order.AddRange([count + 1 + i, i]);
        for (var i = count; i < rank - 1; i++) order.Add(count + 1 + i);
        for (var i = 0; i < count; i++) sizes[i] = e.Mul(sizes[i], e.Row(block[i]));
        var joined = e.Reshape(e.Transpose(parts, [.. order]), e.Sizes([batch, .. sizes]));
        long[] axes = [.. Enumerable.Range(1, count)];
        return e.Slice(joined, before, e.Sub(e.Sizes(sizes.AsSpan()[..count]), after), [.. axes], [.. axes.Select(_ => 1L)]);
    }

    static Value SpaceToDepth(Call c)
    {
        var (e, x, block, isFirst) = Square(c);
        var side = e.Row(block);
        var (height, width) = (e.Div(e.SizeOf(x, 1), side), e.Div(e.SizeOf(x, 2), side));
        var (batch, depth) = (e.SizeOf(x, 0), e.SizeOf(x, 3));
        var parts = e.Reshape(x, e.Sizes(batch, height, side, width, side, depth));
        var moved = e.Transpose(parts, 0, 1, 3, 2, 4, 5);
        return Back(e, e.Reshape(moved, e.Sizes(batch, height, width, e.Mul(depth, e.Row(block * block)))), isFirst);
    }

    static Value DepthToSpace(Call c)
    {
        var (e, x, block, isFirst) = Square(c);
        var side = e.Row(block);
        var (batch, height, width) = (e.SizeOf(x, 0), e.SizeOf(x, 1), e.SizeOf(x, 2));
        var depth = e.Div(e.SizeOf(x, 3), e.Row(block * block));
        var parts = e.Reshape(x, e.Sizes(batch, height, width, side, side, depth));
        var moved = e.Transpose(parts, 0, 1, 3, 2, 4, 5);
        return Back(e, e.Reshape(moved, e.Sizes(batch, e.Mul(height, side), e.Mul(width, side), depth)), isFirst);
    }

    // Elements with the channels last, whichever way the node has them.
    static (Emitter E, Value X, long Block, bool IsFirst) Square(Call c)
    {
        var (block, format) = (c.Int("block_size", 2), c.Text("data_format", "NHWC"));
        Checked(c, [block]);
        if (c.Rank(0) != 4 || format is not ("NHWC" or "NCHW")) throw c.Refuse($"the layout {format} of rank {c.Rank(0)} is not supported");
        return (c.E, format == "NCHW" ? c.E.Transpose(c[0], 0, 2, 3, 1) : c[0], block, format == "NCHW");
    }

    static Value Back(Emitter e, Value x, bool isFirst) => isFirst ? e.Transpose(x, 0, 3, 1, 2) : x;

    // The sizes are divided by these.
    static int Checked(Call c, ReadOnlySpan<long> block)
    {
        foreach (var size in block) if (size is < 1 or > short.MaxValue) throw c.Refuse($"a size of its block is {size}");
        return block.Length < c.Rank(0) && block.Length <= 4 ? block.Length : throw c.Refuse($"its block has {block.Length} sizes");
    }

    static long Product(ReadOnlySpan<long> numbers)
    {
        var product = 1L;
        foreach (var number in numbers) product *= number;
        return product;
    }
}
