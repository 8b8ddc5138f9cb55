using Millrace.Inference.TensorFlowLite.Execution;
using Millrace.Inference.TensorFlowLite.Format;

namespace Millrace.Inference.TensorFlowLite.Kernels;

/// <summary>Blocks of an image to channels or batches, and back.</summary>
static class Blocks
{
    public static Kernel SpaceToDepth(Node node)
    {
        var block = Block(node);
        return call =>
        {
            var input = Image(call);
            var (batches, height, width, channels) = (input.Shape[0], input.Shape[1], input.Shape[2], input.Shape[3]);
            call.Require(height % block == 0 && width % block == 0, "its image does not fall into blocks");
            var output = call.Output(0, batches, height / block, width / block, checked(channels * block * block));
            var row = width * channels;
            View.Copy(
                input, new View(0, [height * row, block * row, block * channels, row, channels, 1]), output,
                View.Whole([batches, height / block, width / block, block, block, channels]),
                [batches, height / block, width / block, block, block, channels]);
        };
    }

    public static Kernel DepthToSpace(Node node)
    {
        var block = Block(node);
        return call =>
        {
            var input = Image(call);
            var (batches, height, width, depth) = (input.Shape[0], input.Shape[1], input.Shape[2], input.Shape[3]);
            call.Require(depth % (block * block) == 0, "its channels do not fall into blocks");
            var channels = depth / (block * block);
            var output = call.Output(0, batches, checked(height * block), checked(width * block), channels);
            var cell = block * channels;
            int[] sizes = [batches, height, block, width, block, channels];
            View.Copy(
                input, new View(0, [height * width * depth, width * depth, cell, depth, channels, 1]), output, View.Whole(sizes), sizes);
        };
    }

    public static Kernel SpaceToBatch(Node node)
    {
        node.RequireSameType(node.Input(0), node.Output(0));
        var zero = Arithmetic.IsQuantized(node) ? node.QuantizedOutput().ZeroPoint : 0;
        return call =>
        {
            var (input, blocks, pads) = (call.Input(0), Sizes.Ints(call.Input(1)), Sizes.Ints(call.Input(2)));
            var count = blocks.Length;
            call.Require(
                input.Rank > count && pads.Length == count * 2 && blocks.All(static block => block > 0),
                "its blocks do not fit its input");
            var shape = (int[])input.Shape.Clone();
            for (var i = 0; i < count; i++)
            {
                var padded = checked(input.Shape[i + 1] + pads[i * 2] + pads[i * 2 + 1]);
                call.Require(pads[i * 2] >= 0 && pads[i * 2 + 1] >= 0 && padded % blocks[i] == 0, "its image does not fall into blocks");
                shape[i + 1] = padded / blocks[i];
                shape[0] = checked(shape[0] * blocks[i]);
            }

            var output = call.Output(0, shape);
            if (output.Type == LiteType.Int16) output.Write<short>().Fill((short)zero);
            else output.Bytes.Fill(unchecked((byte)zero));
            Batches(call, input.Shape, shape, blocks, [.. pads.Where(static (_, i) => i % 2 == 0)], (inside, outside, sizes) =>
                View.Copy(input, inside, output, outside, sizes));
        };
    }

    public static Kernel BatchToSpace(Node node)
    {
        node.RequireSameType(node.Input(0), node.Output(0));
        return static call =>
        {
            var (input, blocks, crops) = (call.Input(0), Sizes.Ints(call.Input(1)), Sizes.Ints(call.Input(2)));
            var count = blocks.Length;
            call.Require(
                input.Rank > count && crops.Length == count * 2 && blocks.All(static block => block > 0),
                "its blocks do not fit its input");
            var shape = (int[])input.Shape.Clone();
            for (var i = 0; i < count; i++)
            {
                call.Require(shape[0] % blocks[i] == 0 && crops[i * 2] >= 0 && crops[i * 2 + 1] >= 0, "its batches do not make up blocks");
                shape[0] /= blocks[i];
                shape[i + 1] = checked(shape[i + 1] * blocks[i] - crops[i * 2] - crops[i * 2 + 1]);
                call.Require(shape[i + 1] >= 0, "it cuts away more than there is");
            }

            var output = call.Output(0, shape);
            Batches(call, shape, input.Shape, blocks, [.. crops.Where(static (_, i) => i % 2 == 0)], (inside, outside, sizes) =>
                View.Copy(input, outside, output, inside, sizes));
        };
    }

    // For each place within a block: what of the image stands there, and the batches that hold it.
    static void Batches(Call call, int[] image, int[] batched, int[] blocks, int[] before, Action<View, View, int[]> copy)
    {
        var (steps, outer) = (Sizes.Strides(image), Sizes.Strides(batched));
        var places = Sizes.Product(blocks);
        for (var place = 0; place < places; place++)
        {
            call.Cancel.ThrowIfCancellationRequested();
            var sizes = (int[])batched.Clone();
            sizes[0] = image[0];
            var (from, to) = ((int[])steps.Clone(), (int[])outer.Clone());
            var (offset, target) = (0, place * image[0] * outer[0]);
            for (int i = blocks.Length - 1, rest = place; i >= 0; rest /= blocks[i--])
            {
                var axis = i + 1;
                // The first position whose element of the block lies in the image, and how many do.
                var within = rest % blocks[i] - before[i];
                var first = within < 0 ? (-within + blocks[i] - 1) / blocks[i] : 0;
                var at = within + first * blocks[i];
                sizes[axis] = Math.Max(0, Math.Min(batched[axis] - first, (image[axis] - at + blocks[i] - 1) / blocks[i]));
                offset += at * steps[axis];
                target += first * outer[axis];
                from[axis] = steps[axis] * blocks[i];
            }

            copy(new View(offset, from), new View(target, to), sizes);
        }
    }

    static int Block(Node node)
    {
        node.RequireSameType(node.Input(0), node.Output(0));
        var block = node.Options.Int(0);
        node.Require(block is > 0 and <= 4096, $"its blocks have the size {block}");
        return block;
    }

    static LiteTensor Image(Call call)
    {
        call.Require(call.Input(0).Rank == 4, "its input does not have four axes");
        return call.Input(0);
    }
}
