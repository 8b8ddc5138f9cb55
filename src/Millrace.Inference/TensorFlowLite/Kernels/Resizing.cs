using System.Numerics;
using Millrace.Inference.TensorFlowLite.Execution;
using Millrace.Inference.TensorFlowLite.Format;

namespace Millrace.Inference.TensorFlowLite.Kernels;

/// <summary>Images of other sizes. Where an output's element lies in the input follows one of three rules.</summary>
static class Resizing
{
    // Fractions of integer images are kept in so many bits.
    const int Bits = 10;

    public static Kernel Nearest(Node node)
    {
        node.RequireSameType(node.Input(0), node.Output(0));
        var (alignsCorners, isCentered) = (node.Options.Bool(0), node.Options.Bool(1));
        return call =>
        {
            var (input, output) = Place(call);
            var bytes = ElementTypes.Bytes(input.Type) * input.Shape[3];
            var (rows, columns) = (
                Nearest(input.Shape[1], output.Shape[1], alignsCorners, isCentered),
                Nearest(input.Shape[2], output.Shape[2], alignsCorners, isCentered));
            var x = input.Bytes;
            var y = output.Bytes;
            var at = 0;
            for (var batch = 0; batch < input.Shape[0]; batch++)
            {
                foreach (var row in rows)
                {
                    var line = x.Slice((batch * input.Shape[1] + row) * input.Shape[2] * bytes, input.Shape[2] * bytes);
                    foreach (var column in columns)
                    {
                        line.Slice(column * bytes, bytes).CopyTo(y[at..]);
                        at += bytes;
                    }
                }
            }
        };
    }

    public static Kernel Bilinear(Node node)
    {
        node.RequireSameType(node.Input(0), node.Output(0));
        var (alignsCorners, isCentered) = (node.Options.Bool(2), node.Options.Bool(3));
        node.Require(!alignsCorners || !isCentered, "it aligns corners and centres at once");
        return node.Type switch
        {
            LiteType.Float32 => call => Reals<float>(call, alignsCorners, isCentered, 0),
            LiteType.UInt8 => call => Reals<byte>(call, alignsCorners, isCentered, 0.5f),
            LiteType.Int8 => call => Whole<sbyte>(call, alignsCorners, isCentered),
            LiteType.Int16 => call => Whole<short>(call, alignsCorners, isCentered),
            _ => throw node.Refuse($"of {node.Type}"),
        };
    }

    static (LiteTensor Input, LiteTensor Output) Place(Call call)
    {
        var (input, size) = (call.Input(0), Sizes.Ints(call.Input(1)));
        call.Require(input.Rank == 4 && size.Length == 2 && size.All(static side => side > 0), "its input is no image, or its size none");
        call.Require(input.Shape[1] > 0 && input.Shape[2] > 0, "its image is empty");
        return (input, call.Output(0, input.Shape[0], size[0], size[1], input.Shape[3]));
    }

    static int[] Nearest(int from, int to, bool alignsCorners, bool isCentered)
    {
        var scale = alignsCorners && to > 1 ? (from - 1) / (float)(to - 1) : from / (float)to;
        var offset = isCentered ? 0.5f : 0;
        var places = new int[to];
        for (var i = 0; i < to; i++)
        {
            var place = (i + offset) * scale;
            var at = (int)(alignsCorners ? MathF.Round(place, MidpointRounding.AwayFromZero) : MathF.Floor(place));
            places[i] = Math.Max(0, Math.Min(at, from - 1));
        }

        return places;
    }

    /// <summary>Two neighbours and how far the place is from the first.</summary>
    readonly record struct Between(int Low, int High, float Part);

    static Between[] Places(int from, int to, bool alignsCorners, bool isCentered)
    {
        var scale = alignsCorners && to > 1 ? (from - 1) / (float)(to - 1) : from / (float)to;
        var places = new Between[to];
        for (var i = 0; i < to; i++)
        {
            var place = isCentered ? (i + 0.5f) * scale - 0.5f : i * scale;
            var low = Math.Max((int)MathF.Floor(place), 0);
            places[i] = new Between(low, Math.Min((int)MathF.Ceiling(place), from - 1), place - low);
        }

        return places;
    }

    static void Reals<T>(Call call, bool alignsCorners, bool isCentered, float rounding) where T : unmanaged, INumber<T>
    {
        var (input, output) = Place(call);
        var channels = input.Shape[3];
        var rows = Places(input.Shape[1], output.Shape[1], alignsCorners, isCentered);
        var columns = Places(input.Shape[2], output.Shape[2], alignsCorners, isCentered);
        var x = input.Read<T>();
        var y = output.Write<T>();
        var at = 0;
        for (var batch = 0; batch < input.Shape[0]; batch++)
        {
            var image = x.Slice(batch * input.Shape[1] * input.Shape[2] * channels, input.Shape[1] * input.Shape[2] * channels);
            foreach (var row in rows)
            {
                call.Cancel.ThrowIfCancellationRequested();
                foreach (var column in columns)
                {
                    var (top, bottom) = (row.Low * input.Shape[2], row.High * input.Shape[2]);
                    var a = image.Slice((top + column.Low) * channels, channels);
                    var b = image.Slice((bottom + column.Low) * channels, channels);
                    var c = image.Slice((top + column.High) * channels, channels);
                    var d = image.Slice((bottom + column.High) * channels, channels);
                    for (var i = 0; i < channels; i++)
                    {
                        var value = float.CreateTruncating(a[i]) * (1 - row.Part) * (1 - column.Part)
                            + float.CreateTruncating(b[i]) * row.Part * (1 - column.Part)
                            + float.CreateTruncating(c[i]) * (1 - row.Part) * column.Part
                            + float.CreateTruncating(d[i]) * row.Part * column.Part;
                        y[at++] = T.CreateTruncating(value + rounding);
                    }
                }
            }
        }
    }

    static (int Low, int High, int Part)[] WholePlaces(int from, int to, bool alignsCorners, bool isCentered)
    {
        var scale = alignsCorners && to > 1 ? (((from - 1) << Bits) + (to - 1) / 2) / (to - 1) : ((from << Bits) + to / 2) / to;
        var places = new (int Low, int High, int Part)[to];
        for (var i = 0; i < to; i++)
        {
            var place = isCentered ? i * scale + scale / 2 - (1 << (Bits - 1)) : i * scale;
            var low = Math.Max(place / (1 << Bits), 0);
            places[i] = (low, Math.Min((place + (1 << Bits) - 1) / (1 << Bits), from - 1), place - (low << Bits));
        }

        return places;
    }

    static void Whole<T>(Call call, bool alignsCorners, bool isCentered) where T : unmanaged, INumber<T>
    {
        const int One = 1 << Bits;
        var (input, output) = Place(call);
        var channels = input.Shape[3];
        var rows = WholePlaces(input.Shape[1], output.Shape[1], alignsCorners, isCentered);
        var columns = WholePlaces(input.Shape[2], output.Shape[2], alignsCorners, isCentered);
        var x = input.Read<T>();
        var y = output.Write<T>();
        var at = 0;
        for (var batch = 0; batch < input.Shape[0]; batch++)
        {
            var image = x.Slice(batch * input.Shape[1] * input.Shape[2] * channels, input.Shape[1] * input.Shape[2] * channels);
            foreach (var (top, bottom, down) in rows)
            {
                call.Cancel.ThrowIfCancellationRequested();
                foreach (var (left, right, across) in columns)
                {
                    for (var i = 0; i < channels; i++)
                    {
                        var sum = At(image, top, left, i) * (One - down) * (One - across)
                            + At(image, bottom, left, i) * down * (One - across)
                            + At(image, top, right, i) * (One - down) * across + At(image, bottom, right, i) * down * across;
                        var half = sum > 0 ? 1L << (2 * Bits - 1) : -(1L << (2 * Bits - 1));
                        y[at++] = T.CreateTruncating((int)((sum + half) / (1L << (2 * Bits))));
                    }
                }
            }
        }

        long At(ReadOnlySpan<T> image, int row, int column, int channel) =>
            long.CreateTruncating(image[(row * input.Shape[2] + column) * channels + channel]);
    }
}
