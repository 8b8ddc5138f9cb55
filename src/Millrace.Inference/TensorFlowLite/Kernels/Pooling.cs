using System.Numerics;
using Millrace.Inference.TensorFlowLite.Execution;
using Millrace.Inference.TensorFlowLite.Format;

namespace Millrace.Inference.TensorFlowLite.Kernels;

/// <summary>Averages, maxima and norms of windows; padding counts for nothing.</summary>
static class Pooling
{
    public static Kernel Average(Node node)
    {
        var activation = Check(node);
        var (min, max) = Steps(node, activation);
        return node.Type switch
        {
            LiteType.Float32 => Over(node, (Window<float> window, Span<float> y) => Average(window, y, activation)),
            LiteType.Int8 => Over(node, (Window<sbyte> window, Span<sbyte> y) => Average(window, y, min, max)),
            LiteType.UInt8 => Over(node, (Window<byte> window, Span<byte> y) => Average(window, y, min, max)),
            _ => Over(node, (Window<short> window, Span<short> y) => Average(window, y, min, max)),
        };
    }

    public static Kernel Max(Node node)
    {
        var activation = Check(node);
        var (min, max) = Steps(node, activation);
        return node.Type switch
        {
            LiteType.Float32 =>
                Over(node, (Window<float> window, Span<float> y) => Max(window, y, activation.Min, activation.Max, float.MinValue)),
            LiteType.Int8 => Over(node, (Window<sbyte> window, Span<sbyte> y) => Max(window, y, (sbyte)min, (sbyte)max, sbyte.MinValue)),
            LiteType.UInt8 => Over(node, (Window<byte> window, Span<byte> y) => Max(window, y, (byte)min, (byte)max, byte.MinValue)),
            _ => Over(node, (Window<short> window, Span<short> y) => Max(window, y, (short)min, (short)max, short.MinValue)),
        };
    }

    public static Kernel Norm(Node node)
    {
        node.RequireType(node.Input(0), LiteType.Float32);
        var activation = Check(node);
        return Over(node, (Window<float> window, Span<float> y) =>
        {
            y.Clear();
            foreach (var tap in window.Taps)
            {
                var x = window.Image.Slice(tap, y.Length);
                for (var i = 0; i < y.Length; i++) y[i] += x[i] * x[i];
            }

            foreach (ref var value in y) value = activation.Apply(MathF.Sqrt(value / window.Taps.Length));
        });
    }

    /// <summary>A window: the places of its first channels in the image.</summary>
    readonly ref struct Window<T>(ReadOnlySpan<T> image, ReadOnlySpan<int> taps)
    {
        public ReadOnlySpan<T> Image { get; } = image;

        public ReadOnlySpan<int> Taps { get; } = taps;
    }

    delegate void Pool<T>(Window<T> window, Span<T> y);

    static Activation Check(Node node)
    {
        node.RequireType(node.Input(0), LiteType.Float32, LiteType.Int8, LiteType.UInt8, LiteType.Int16);
        node.RequireSameType(node.Input(0), node.Output(0));
        if (node.Type == LiteType.Float32) return Activation.Of(node, 5);
        var (x, y) = (node.QuantizedInput(0), node.QuantizedOutput());
        if (Math.Abs(x.Scale - y.Scale) > 1e-6 || x.ZeroPoint != y.ZeroPoint) throw node.Refuse("between unequal quantizations");
        return Activation.Of(node, 5);
    }

    static (int Min, int Max) Steps(Node node, Activation activation) =>
        node.Type == LiteType.Float32 ? default : activation.Steps(node.Type, node.QuantizedOutput());

    static Kernel Over<T>(Node node, Pool<T> pool) where T : unmanaged
    {
        var isSame = Stride.SameOf(node);
        var width = new Stride(node.Options.Int(1), 1, isSame);
        var height = new Stride(node.Options.Int(2), 1, isSame);
        var (windowWidth, windowHeight) = (node.Options.Int(3), node.Options.Int(4));
        return call =>
        {
            var x = call.Input(0);
            call.Require(x.Rank == 4, "its input does not have four axes");
            var rows = Windows.Axis.Of(call, x.Shape[1], windowHeight, height);
            var columns = Windows.Axis.Of(call, x.Shape[2], windowWidth, width);
            var channels = x.Shape[3];
            var y = call.Output(0, x.Shape[0], rows.Count, columns.Count, channels).Write<T>();
            var image = x.Read<T>();
            // No more of a window than there is of the image.
            var taps = call.Scratch<int>(checked(Math.Min(windowHeight, x.Shape[1]) * Math.Min(windowWidth, x.Shape[2])));
            for (int at = 0, position = 0; at < y.Length; at += channels, position++)
            {
                if (position % 256 == 0) call.Cancel.ThrowIfCancellationRequested();
                var (column, rest) = (position % columns.Count, position / columns.Count);
                var (row, batch) = (rest % rows.Count, rest / rows.Count);
                var (top, left) = (rows.From(row), columns.From(column));
                var count = 0;
                for (var i = Math.Max(top, 0); i < Math.Min(top + windowHeight, x.Shape[1]); i++)
                {
                    for (var j = Math.Max(left, 0); j < Math.Min(left + windowWidth, x.Shape[2]); j++)
                        taps[count++] = ((batch * x.Shape[1] + i) * x.Shape[2] + j) * channels;
                }

                call.Require(count > 0, "a window lies in the padding");
                pool(new Window<T>(image, taps[..count]), y.Slice(at, channels));
            }
        };
    }

    static void Average(Window<float> window, Span<float> y, Activation activation)
    {
        y.Clear();
        foreach (var tap in window.Taps) Vectors.Add(window.Image.Slice(tap, y.Length), y);
        foreach (ref var value in y) value = activation.Apply(value / window.Taps.Length);
    }

    static void Average<T>(Window<T> window, Span<T> y, int min, int max) where T : unmanaged, INumber<T>
    {
        var count = window.Taps.Length;
        for (var i = 0; i < y.Length; i++)
        {
            var sum = 0;
            foreach (var tap in window.Taps) sum += int.CreateTruncating(window.Image[tap + i]);
            var average = sum > 0 ? (sum + count / 2) / count : (sum - count / 2) / count;
            y[i] = T.CreateTruncating(Math.Clamp(average, min, max));
        }
    }

    static void Max<T>(Window<T> window, Span<T> y, T min, T max, T least) where T : unmanaged, INumber<T>
    {
        y.Fill(least);
        foreach (var tap in window.Taps) Vectors.Max(window.Image.Slice(tap, y.Length), y);
        foreach (ref var value in y) value = value < min ? min : value > max ? max : value;
    }
}
