using Millrace.Inference.TensorFlowLite.Execution;

namespace Millrace.Inference.TensorFlowLite.Kernels;

/// <summary>How a window moves along one axis.</summary>
readonly record struct Stride(int Step, int Dilation, bool IsSame)
{
    /// <summary>Positions, and how many elements before the first one are padding.</summary>
    public (int Count, int Before) Place(Call call, int size, int window)
    {
        call.Require(Step > 0 && Dilation > 0 && window > 0, "a stride, dilation or window is not positive");
        var reach = checked((window - 1) * Dilation + 1);
        var count = IsSame ? (size + Step - 1) / Step : (size + Step - reach) / Step;
        call.Require(count >= 0, "the window is larger than the image");
        var padding = Math.Max(0, checked((count - 1) * Step + reach - size));
        return (count, IsSame ? padding / 2 : 0);
    }

    public static bool SameOf(Node node) => node.Options.Byte(0) switch
    {
        0 => true,
        1 => false,
        var other => throw node.Refuse($"with the padding {other}"),
    };
}

/// <summary>Windows over an image of three axes; one of two has a depth of one.</summary>
sealed record Windows
{
    public required int Batches { get; init; }

    public required Axis Depth { get; init; }

    public required Axis Height { get; init; }

    public required Axis Width { get; init; }

    /// <summary>Channels of the image.</summary>
    public required int Channels { get; init; }

    /// <summary>Channels that a window sees.</summary>
    public required int GroupChannels { get; init; }

    public int Count => Sizes.Product([Batches, Depth.Count, Height.Count, Width.Count]);

    public int Length => Sizes.Product([Depth.Window, Height.Window, Width.Window, GroupChannels]);

    /// <summary>Whether each window is one element with all its channels, and every element has one.</summary>
    public bool ArePoints => Depth.IsPoint && Height.IsPoint && Width.IsPoint && GroupChannels == Channels;

    /// <summary>Copies the window at a position, channels of a group only; what lies outside is left out.</summary>
    public void Read<T>(ReadOnlySpan<T> image, int position, int group, Span<T> into)
    {
        var (x, rest) = (position % Width.Count, position / Width.Count);
        var (y, above) = (rest % Height.Count, rest / Height.Count);
        var (z, batch) = (above % Depth.Count, above / Depth.Count);
        var first = group * GroupChannels;
        var isWhole = GroupChannels == Channels && Width.Dilation == 1;
        for (var i = 0; i < Depth.Window; i++)
        {
            if (Depth.At(z, i) is not (>= 0 and var slice)) continue;
            for (var j = 0; j < Height.Window; j++)
            {
                if (Height.At(y, j) is not (>= 0 and var row)) continue;
                var line = ((batch * Depth.Size + slice) * Height.Size + row) * Width.Size;
                var at = (i * Height.Window + j) * Width.Window * GroupChannels;
                if (isWhole)
                {
                    // Neighbours lie side by side, in the image as in the window.
                    var start = Width.From(x);
                    var (skip, end) = (Math.Max(0, -start), Math.Min(Width.Window, Width.Size - start));
                    if (end > skip)
                        image.Slice((line + start + skip) * Channels, (end - skip) * Channels).CopyTo(into[(at + skip * Channels)..]);
                    continue;
                }

                for (var k = 0; k < Width.Window; k++)
                {
                    if (Width.At(x, k) is >= 0 and var column)
                        image.Slice((line + column) * Channels + first, GroupChannels).CopyTo(into[(at + k * GroupChannels)..]);
                }
            }
        }
    }

    /// <summary>One axis of the image and of the window.</summary>
    public readonly record struct Axis(int Size, int Window, int Step, int Dilation, int Before, int Count)
    {
        public static readonly Axis None = new(1, 1, 1, 1, 0, 1);

        public static Axis Of(Call call, int size, int window, Stride stride)
        {
            var (count, before) = stride.Place(call, size, window);
            return new Axis(size, window, stride.Step, stride.Dilation, before, count);
        }

        public bool IsPoint => Window == 1 && Step == 1;

        /// <summary>Whether a window that begins there has no padding.</summary>
        public bool IsInside(int from) => from >= 0 && from + (Window - 1) * Dilation < Size;

        /// <summary>Where the window at a position begins.</summary>
        public int From(int position) => position * Step - Before;

        /// <summary>The element under one of the window; -1 where that is padding.</summary>
        public int At(int position, int element)
        {
            var at = position * Step - Before + element * Dilation;
            return at < Size ? Math.Max(at, -1) : -1;
        }
    }
}

/// <summary>Windows as rows of a matrix.</summary>
readonly ref struct WindowRows<T>(Windows windows, ReadOnlySpan<T> image, int group) : IRows<T>
{
    readonly ReadOnlySpan<T> _image = image;

    readonly bool _arePoints = windows.ArePoints;

    public int Count => windows.Count;

    public void Read(int row, Span<T> into)
    {
        if (_arePoints) _image.Slice(row * into.Length, into.Length).CopyTo(into);
        else windows.Read(_image, row, group, into);
    }
}

/// <summary>A matrix's own rows.</summary>
readonly ref struct MatrixRows<T>(ReadOnlySpan<T> matrix, int depth, int count) : IRows<T>
{
    readonly ReadOnlySpan<T> _matrix = matrix;

    public int Count => count;

    public void Read(int row, Span<T> into) => _matrix.Slice(row * depth, depth).CopyTo(into);
}
