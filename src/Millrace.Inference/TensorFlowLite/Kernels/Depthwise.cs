using System.Numerics;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using Millrace.Inference.TensorFlowLite.Execution;
using Millrace.Inference.TensorFlowLite.Format;

namespace Millrace.Inference.TensorFlowLite.Kernels;

/// <summary>Convolutions of each channel by itself: channels lie side by side, so vectors run along them.</summary>
static class Depthwise
{
    const int Block = 16;

    public static Kernel Conv2D(Node node)
    {
        var (input, filter, bias) = (node.Input(0), node.Input(1), node.Optional(2));
        var isSame = Stride.SameOf(node);
        var options = node.Options;
        var width = new Stride(options.Int(1), options.Int(5, 1), isSame);
        var height = new Stride(options.Int(2), options.Int(6, 1), isSame);
        var activation = Activation.Of(node, 4);
        Func<Call, Windows> place = call => Place(call, height, width);
        if (input.Type != LiteType.Float32) return Quantized(node, place, activation);
        node.RequireType(node.Output(0), LiteType.Float32);
        if (bias is not null) node.RequireType(bias, LiteType.Float32);
        if (filter.Type == LiteType.Int8) return Hybrid(node, place, activation);
        node.RequireType(filter, LiteType.Float32);
        return call => Real(call, place(call), activation);
    }

    static Windows Place(Call call, Stride height, Stride width)
    {
        var (x, filter) = (call.Input(0), call.Input(1));
        call.Require(x.Rank == 4 && filter.Rank == 4 && filter.Shape[0] == 1, "its tensors do not have four axes");
        call.Require(x.Shape[3] > 0 && filter.Shape[3] % x.Shape[3] == 0, "its filters are no multiple of its channels");
        return new Windows
        {
            Batches = x.Shape[0],
            Depth = Windows.Axis.None,
            Height = Windows.Axis.Of(call, x.Shape[1], filter.Shape[1], height),
            Width = Windows.Axis.Of(call, x.Shape[2], filter.Shape[2], width),
            Channels = x.Shape[3],
            GroupChannels = filter.Shape[3],
        };
    }

    static LiteTensor Output(Call call, Windows windows) =>
        call.Output(0, windows.Batches, windows.Height.Count, windows.Width.Count, windows.GroupChannels);

    static void Real(Call call, Windows windows, Activation activation)
    {
        var x = call.Input(0).Read<float>();
        var w = call.Input(1).Read<float>();
        var bias = Arrangement.RealBias(call.Optional(2));
        var y = Output(call, windows).Write<float>();
        var channels = windows.GroupChannels;
        var taps = new Taps(call, windows);
        var multiplier = channels / windows.Channels;
        for (var position = 0; position < windows.Count; position++)
        {
            if (position % 256 == 0) call.Cancel.ThrowIfCancellationRequested();
            var at = taps.Next();
            var image = x[taps.Start..];
            var sums = y.Slice(position * channels, channels);
            if (bias.IsEmpty) sums.Clear();
            else bias[..channels].CopyTo(sums);
            if (multiplier == 1)
            {
                AddVectors(image, w, at, sums, activation);
                continue;
            }

            AddMultiples(image, w, at, sums, multiplier);
            foreach (ref var sum in sums) sum = activation.Apply(sum);
        }
    }

    static void AddVectors(
        ReadOnlySpan<float> x, ReadOnlySpan<float> w, ReadOnlySpan<(int Image, int Filter)> taps, Span<float> sums, Activation activation)
    {
        var first = 0;
        for (; first + Block <= sums.Length; first += Block)
        {
            var into = MemoryMarshal.Cast<float, Vector256<float>>(sums.Slice(first, Block));
            var (low, high) = (into[0], into[1]);
            foreach (var (image, filter) in taps)
            {
                var values = MemoryMarshal.Cast<float, Vector256<float>>(x.Slice(image + first, Block));
                var factors = MemoryMarshal.Cast<float, Vector256<float>>(w.Slice(filter + first, Block));
                low = Vector256.MultiplyAddEstimate(values[0], factors[0], low);
                high = Vector256.MultiplyAddEstimate(values[1], factors[1], high);
            }

            (into[0], into[1]) = (activation.Apply(low), activation.Apply(high));
        }

        if (first == sums.Length) return;
        var rest = sums[first..];
        foreach (var (image, filter) in taps)
        {
            var values = x.Slice(image + first, rest.Length);
            var factors = w.Slice(filter + first, rest.Length);
            for (var i = 0; i < rest.Length; i++) rest[i] += values[i] * factors[i];
        }

        foreach (ref var sum in rest) sum = activation.Apply(sum);
    }

    static void AddMultiples(
        ReadOnlySpan<float> x, ReadOnlySpan<float> w, ReadOnlySpan<(int Image, int Filter)> taps, Span<float> sums, int multiplier)
    {
        foreach (var (image, filter) in taps)
        {
            var factors = w.Slice(filter, sums.Length);
            for (int i = 0, at = image; i < sums.Length; at++)
            {
                var value = x[at];
                for (var end = i + multiplier; i < end; i++) sums[i] += value * factors[i];
            }
        }
    }

    static Kernel Quantized(Node node, Func<Call, Windows> place, Activation activation)
    {
        var (input, filter) = (node.Input(0), node.Input(1));
        node.RequireType(input, LiteType.Int8, LiteType.UInt8, LiteType.Int16);
        Scaling.Check(node, input, filter, node.Optional(2), weightAxis: 3);
        var isWide = input.Type == LiteType.Int16;
        var x = node.QuantizedInput(0);
        var scale = Scaling.Of(node, x, node.Quantized(filter), activation, isReduced: isWide);
        var zero = node.Quantized(filter).ZeroPoint;
        var weights = new Weights<int[]>(node, 1, tensor => Wide(Arrangement.Shifted(tensor, zero)));
        return input.Type switch
        {
            LiteType.Int8 => call => Run(call, place(call), weights.Of(call), x.ZeroPoint, new Steps<sbyte>(scale)),
            LiteType.UInt8 => call => Run(call, place(call), weights.Of(call), x.ZeroPoint, new Steps<byte>(scale)),
            _ => call => Run(call, place(call), weights.Of(call), 0, new Steps<short>(scale)),
        };
    }

    static Kernel Hybrid(Node node, Func<Call, Windows> place, Activation activation)
    {
        var quantization = node.Quantized(node.Input(1));
        if (quantization.IsPerChannel && quantization.Axis != 3) throw node.Refuse($"with scales along axis {quantization.Axis}");
        var weights = new Weights<int[]>(node, 1, static tensor => Wide(Arrangement.Shifted(tensor, 0)));
        return call =>
        {
            var windows = place(call);
            var x = call.Input(0);
            var image = call.Scratch<short>(x.Count);
            var size = x.Count / Math.Max(1, windows.Batches);
            var scales = call.Scratch<float>(windows.Batches);
            for (var batch = 0; batch < windows.Batches; batch++)
                scales[batch] = RuntimeQuantization.Asymmetric(x.Read<float>().Slice(batch * size, size), image.Slice(batch * size, size));
            var bias = Arrangement.RealBias(call.Optional(2));
            var y = Output(call, windows).Write<float>();
            var channels = windows.GroupChannels;
            var sums = call.Scratch<long>(channels);
            var perBatch = Math.Max(1, windows.Count / Math.Max(1, windows.Batches));
            var taps = new Taps(call, windows);
            for (var position = 0; position < windows.Count; position++)
            {
                sums.Clear();
                var at = taps.Next();
                Add(image[taps.Start..], weights.Of(call), at, sums, channels / windows.Channels);
                for (var i = 0; i < channels; i++)
                {
                    var factor = scales[position / perBatch] * quantization.Scales[quantization.Scales.Length == 1 ? 0 : i];
                    y[position * channels + i] = activation.Apply(sums[i] * factor + (bias.IsEmpty ? 0 : bias[i]));
                }
            }
        };
    }

    /// <summary>Turns sums of a position into an output's elements.</summary>
    readonly record struct Steps<T>(Requantization Scale) where T : unmanaged, INumber<T>
    {
        public void Write(ReadOnlySpan<int> sums, ReadOnlySpan<long> bias, Span<T> into)
        {
            for (var i = 0; i < into.Length; i++) into[i] = T.CreateTruncating(Scale.Apply(sums[i] + (bias.IsEmpty ? 0 : bias[i]), i));
        }

        public void Write(ReadOnlySpan<long> sums, ReadOnlySpan<long> bias, Span<T> into)
        {
            for (var i = 0; i < into.Length; i++) into[i] = T.CreateTruncating(Scale.Apply(sums[i] + (bias.IsEmpty ? 0 : bias[i]), i));
        }
    }

    static void Run<T>(Call call, Windows windows, int[] weights, int zeroPoint, Steps<T> steps) where T : unmanaged, INumber<T>
    {
        var image = call.Scratch<short>(call.Input(0).Count);
        Arrangement.Shift(call.Input(0), zeroPoint, image);
        var bias = Arrangement.Bias(call, call.Optional(2));
        var y = Output(call, windows).Write<T>();
        var channels = windows.GroupChannels;
        var taps = new Taps(call, windows);
        var isNarrow = !steps.Scale.IsReduced && channels == windows.Channels;
        var narrow = call.Scratch<int>(channels);
        var wide = call.Scratch<long>(channels);
        for (var position = 0; position < windows.Count; position++)
        {
            if (position % 256 == 0) call.Cancel.ThrowIfCancellationRequested();
            var at = taps.Next();
            var seen = image[taps.Start..];
            var into = y.Slice(position * channels, channels);
            if (isNarrow)
            {
                AddVectors(seen, weights, at, narrow);
                steps.Write(narrow, bias, into);
                continue;
            }

            wide.Clear();
            Add(seen, weights, at, wide, channels / windows.Channels);
            steps.Write(wide, bias, into);
        }
    }

    static void AddVectors(ReadOnlySpan<short> x, ReadOnlySpan<int> w, ReadOnlySpan<(int Image, int Filter)> taps, Span<int> sums)
    {
        var first = 0;
        for (; first + Block <= sums.Length; first += Block)
        {
            Vector256<int> low = default, high = default;
            foreach (var (image, filter) in taps)
            {
                var (left, right) = Vector256.Widen(MemoryMarshal.Cast<short, Vector256<short>>(x.Slice(image + first, Block))[0]);
                var factors = MemoryMarshal.Cast<int, Vector256<int>>(w.Slice(filter + first, Block));
                low += left * factors[0];
                high += right * factors[1];
            }

            var into = MemoryMarshal.Cast<int, Vector256<int>>(sums.Slice(first, Block));
            (into[0], into[1]) = (low, high);
        }

        var rest = sums[first..];
        rest.Clear();
        foreach (var (image, filter) in taps)
        {
            for (var i = 0; i < rest.Length; i++) rest[i] += x[image + first + i] * w[filter + first + i];
        }
    }

    static void Add(ReadOnlySpan<short> x, ReadOnlySpan<int> w, ReadOnlySpan<(int Image, int Filter)> taps, Span<long> sums, int multiplier)
    {
        foreach (var (image, filter) in taps)
        {
            for (int i = 0, at = image; i < sums.Length; at++)
            {
                long value = x[at];
                for (var end = i + multiplier; i < end; i++) sums[i] += value * w[filter + i];
            }
        }
    }

    static int[] Wide(short[] values) => Array.ConvertAll(values, static value => (int)value);
}
