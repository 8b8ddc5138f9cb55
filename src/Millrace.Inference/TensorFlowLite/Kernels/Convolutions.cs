using System.Numerics;
using Millrace.Inference.TensorFlowLite.Execution;
using Millrace.Inference.TensorFlowLite.Format;

namespace Millrace.Inference.TensorFlowLite.Kernels;

/// <summary>Convolutions over two and three axes: windows become rows of a matrix, filters its other factor.</summary>
static class Convolutions
{
    public static Kernel Conv2D(Node node)
    {
        var (input, filter, bias) = (node.Input(0), node.Input(1), node.Optional(2));
        var isSame = Stride.SameOf(node);
        var options = node.Options;
        var width = new Stride(options.Int(1), options.Int(4, 1), isSame);
        var height = new Stride(options.Int(2), options.Int(5, 1), isSame);
        var activation = Activation.Of(node, 3);
        Func<Call, Windows> place = call => Place(call, height, width);
        if (input.Type != LiteType.Float32) return Quantized(node, place, activation);
        node.RequireType(node.Output(0), LiteType.Float32);
        if (filter.Type is LiteType.Int8 or LiteType.UInt8) return Hybrid(node, place, activation);
        node.RequireType(filter, LiteType.Float32);
        if (bias is not null) node.RequireType(bias, LiteType.Float32);
        return Real(node, place, activation);
    }

    public static Kernel Conv3D(Node node)
    {
        node.RequireType(node.Input(0), LiteType.Float32);
        node.RequireType(node.Input(1), LiteType.Float32);
        var isSame = Stride.SameOf(node);
        var options = node.Options;
        var depth = new Stride(options.Int(1), options.Int(5, 1), isSame);
        var width = new Stride(options.Int(2), options.Int(6, 1), isSame);
        var height = new Stride(options.Int(3), options.Int(7, 1), isSame);
        var activation = Activation.Of(node, 4);
        // Filters lie with their channels last here.
        var weights = new Weights<RealPanels>(node, 1, static filter =>
        {
            var values = filter.Read<float>().ToArray();
            var columns = filter.Shape[^1];
            return new RealPanels(values.Length / Math.Max(columns, 1), columns, (row, column) => values[row * columns + column]);
        });
        return call =>
        {
            var (x, filter) = (call.Input(0), call.Input(1));
            call.Require(x.Rank == 5 && filter.Rank == 5 && x.Shape[4] == filter.Shape[3], "its tensors do not have five fitting axes");
            var windows = new Windows
            {
                Batches = x.Shape[0],
                Depth = Windows.Axis.Of(call, x.Shape[1], filter.Shape[0], depth),
                Height = Windows.Axis.Of(call, x.Shape[2], filter.Shape[1], height),
                Width = Windows.Axis.Of(call, x.Shape[3], filter.Shape[2], width),
                Channels = x.Shape[4],
                GroupChannels = x.Shape[4],
            };
            var y = call.Output(0, x.Shape[0], windows.Depth.Count, windows.Height.Count, windows.Width.Count, filter.Shape[4]);
            Products.Multiply(
                call, new WindowRows<float>(windows, x.Read<float>(), 0), weights.Of(call),
                new RealSums(y.Write<float>(), filter.Shape[4], 0, filter.Shape[4], Arrangement.RealBias(call.Optional(2)), activation));
        };
    }

    static Windows Place(Call call, Stride height, Stride width)
    {
        var (x, filter) = (call.Input(0), call.Input(1));
        call.Require(x.Rank == 4 && filter.Rank == 4, "its tensors do not have four axes");
        var (channels, seen) = (x.Shape[3], filter.Shape[3]);
        call.Require(
            seen > 0 && channels % seen == 0 && filter.Shape[0] % Math.Max(1, channels / seen) == 0,
            "its channels do not fall into groups");
        return new Windows
        {
            Batches = x.Shape[0],
            Depth = Windows.Axis.None,
            Height = Windows.Axis.Of(call, x.Shape[1], filter.Shape[1], height),
            Width = Windows.Axis.Of(call, x.Shape[2], filter.Shape[2], width),
            Channels = channels,
            GroupChannels = seen,
        };
    }

    // How many groups there are shows at the input's channels, which are known beforehand in all but odd models.
    static int Groups(Node node)
    {
        var (input, filter) = (node.Input(0), node.Input(1));
        node.Require(input.Shape.Length == 4 && filter.Shape.Length == 4, "its tensors do not have four axes");
        node.Require(
            filter.Shape[3] > 0 && input.Shape[3] > 0 && input.Shape[3] % filter.Shape[3] == 0, "its channels do not fall into groups");
        var groups = input.Shape[3] / filter.Shape[3];
        node.Require(filter.Shape[0] % groups == 0, "its filters do not fall into groups");
        return groups;
    }

    static LiteTensor Output(Call call, Windows windows, int channels) =>
        call.Output(0, windows.Batches, windows.Height.Count, windows.Width.Count, channels);

    static Kernel Real(Node node, Func<Call, Windows> place, Activation activation)
    {
        var groups = Groups(node);
        var weights = new Weights<RealPanels[]>(node, 1, filter => Arrangement.Reals(filter, groups));
        return call =>
        {
            var windows = place(call);
            var panels = weights.Of(call);
            var channels = call.Input(1).Shape[0];
            call.Require(windows.Channels == windows.GroupChannels * groups, "its channels are not those it was converted with");
            var x = call.Input(0).Read<float>();
            var y = Output(call, windows, channels).Write<float>();
            var bias = Arrangement.RealBias(call.Optional(2));
            for (var group = 0; group < groups; group++)
            {
                var each = channels / groups;
                Products.Multiply(
                    call, new WindowRows<float>(windows, x, group), panels[group],
                    new RealSums(y, channels, group * each, each, bias, activation));
            }
        };
    }

    static Kernel Quantized(Node node, Func<Call, Windows> place, Activation activation)
    {
        var (input, filter) = (node.Input(0), node.Input(1));
        node.RequireType(input, LiteType.Int8, LiteType.UInt8, LiteType.Int16);
        Scaling.Check(node, input, filter, node.Optional(2), weightAxis: 0);
        var isWide = input.Type == LiteType.Int16;
        var x = node.QuantizedInput(0);
        var scale = Scaling.Of(node, x, node.Quantized(filter), activation, isReduced: isWide);
        var (groups, zeros) = (Groups(node), Arrangement.ZeroPoints(filter));
        var weights = new Weights<PairPanels[]>(node, 1, tensor => Arrangement.Steps(tensor, groups, zeros));
        return input.Type switch
        {
            LiteType.Int8 => call => Run<sbyte>(call, place(call), weights.Of(call), x.ZeroPoint, scale, isWide),
            LiteType.UInt8 => call => Run<byte>(call, place(call), weights.Of(call), x.ZeroPoint, scale, isWide),
            _ => call => Run<short>(call, place(call), weights.Of(call), 0, scale, isWide),
        };
    }

    static void Run<T>(Call call, Windows windows, PairPanels[] panels, int zeroPoint, Requantization scale, bool isWide)
        where T : unmanaged, INumber<T>
    {
        var image = call.Scratch<short>(call.Input(0).Count);
        Arrangement.Shift(call.Input(0), zeroPoint, image);
        var channels = call.Input(1).Shape[0];
        call.Require(windows.Channels == windows.GroupChannels * panels.Length, "its channels are not those it was converted with");
        var y = Output(call, windows, channels).Write<T>();
        var bias = Arrangement.Bias(call, call.Optional(2));
        var each = channels / panels.Length;
        for (var group = 0; group < panels.Length; group++)
        {
            Products.Multiply(
                call, new WindowRows<short>(windows, image, group), panels[group],
                new QuantizedSums<T>(y, channels, group * each, each, bias, scale), isWide);
        }
    }

    static Kernel Hybrid(Node node, Func<Call, Windows> place, Activation activation)
    {
        var filter = node.Input(1);
        var quantization = node.Quantized(filter);
        if (quantization.IsPerChannel && quantization.Axis != 0) throw node.Refuse($"with scales along axis {quantization.Axis}");
        var (groups, zeros) = (Groups(node), Arrangement.ZeroPoints(filter));
        var weights = new Weights<PairPanels[]>(node, 1, tensor => Arrangement.Steps(tensor, groups, zeros));
        return call =>
        {
            var windows = place(call);
            var panels = weights.Of(call);
            var x = call.Input(0);
            var image = call.Scratch<short>(x.Count);
            var scales = call.Scratch<float>(windows.Batches);
            var size = x.Count / Math.Max(1, windows.Batches);
            for (var batch = 0; batch < windows.Batches; batch++)
            {
                var reals = x.Read<float>().Slice(batch * size, size);
                var steps = image.Slice(batch * size, size);
                scales[batch] = quantization.IsPerChannel
                    ? RuntimeQuantization.Asymmetric(reals, steps) : RuntimeQuantization.Symmetric(reals, steps);
            }

            var channels = call.Input(1).Shape[0];
            var y = Output(call, windows, channels).Write<float>();
            var each = channels / groups;
            for (var group = 0; group < groups; group++)
            {
                Products.Multiply(
                    call, new WindowRows<short>(windows, image, group), panels[group],
                    new HybridSums(
                        y, channels, group * each, each, Arrangement.RealBias(call.Optional(2)), activation,
                        scales, Math.Max(1, windows.Height.Count * windows.Width.Count), quantization.Scales),
                    isWide: false);
            }
        };
    }
}
