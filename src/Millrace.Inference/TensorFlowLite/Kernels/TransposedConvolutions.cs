using System.Numerics;
using Millrace.Inference.TensorFlowLite.Execution;
using Millrace.Inference.TensorFlowLite.Format;

namespace Millrace.Inference.TensorFlowLite.Kernels;

/// <summary>Convolutions run backwards: every input position adds its filter to a window of the output.</summary>
static class TransposedConvolutions
{
    public static Kernel Conv2D(Node node)
    {
        var (filter, input) = (node.Input(1), node.Input(2));
        node.RequireType(node.Input(0), LiteType.Int32);
        var isSame = Stride.SameOf(node);
        var width = new Stride(node.Options.Int(1), 1, isSame);
        var height = new Stride(node.Options.Int(2), 1, isSame);
        var activation = Activation.Of(node, 3);
        Func<Call, Windows> place = call => Place(call, height, width);
        if (input.Type == LiteType.Float32)
        {
            node.RequireType(filter, LiteType.Float32);
            node.RequireType(node.Output(0), LiteType.Float32);
            var reals = new Weights<RealPanels>(node, 1, RealColumns);
            return call => Real(call, place(call), reals.Of(call), activation);
        }

        node.RequireType(input, LiteType.Int8, LiteType.UInt8, LiteType.Int16);
        Scaling.Check(node, input, filter, node.Optional(3), weightAxis: 0);
        var x = node.QuantizedInput(2);
        var scale = Scaling.Of(node, x, node.Quantized(filter), activation, isReduced: input.Type == LiteType.Int16);
        var zero = node.Quantized(filter).ZeroPoint;
        var steps = new Weights<PairPanels>(node, 1, tensor => StepColumns(tensor, zero));
        return input.Type switch
        {
            LiteType.Int8 => call => Quantized<sbyte>(call, place(call), steps.Of(call), x.ZeroPoint, scale),
            LiteType.UInt8 => call => Quantized<byte>(call, place(call), steps.Of(call), x.ZeroPoint, scale),
            _ => call => Quantized<short>(call, place(call), steps.Of(call), 0, scale),
        };
    }

    // The windows of the convolution that this one turns round: its image is our output.
    static Windows Place(Call call, Stride height, Stride width)
    {
        var (filter, x) = (call.Input(1), call.Input(2));
        var shape = Sizes.Ints(call.Input(0));
        call.Require(shape.Length == 4 && filter.Rank == 4 && x.Rank == 4, "its tensors do not have four axes");
        call.Require(filter.Shape[3] == x.Shape[3] && shape[0] == x.Shape[0] && shape[3] == filter.Shape[0], "its channels do not fit");
        var windows = new Windows
        {
            Batches = shape[0],
            Depth = Windows.Axis.None,
            Height = Windows.Axis.Of(call, shape[1], filter.Shape[1], height),
            Width = Windows.Axis.Of(call, shape[2], filter.Shape[2], width),
            Channels = shape[3],
            GroupChannels = shape[3],
        };
        // An output may have rows to spare, which no window reaches.
        return windows with
        {
            Height = windows.Height with { Count = x.Shape[1] },
            Width = windows.Width with { Count = x.Shape[2] },
        };
    }

    // A row for each input channel, a column for each element of the window and output channel.
    static RealPanels RealColumns(LiteTensor filter)
    {
        var values = filter.Read<float>().ToArray();
        var (outputs, depth, window) = (filter.Shape[0], filter.Shape[3], filter.Shape[1] * filter.Shape[2]);
        return new RealPanels(
            depth, outputs * window, (row, column) => values[(column % outputs * window + column / outputs) * depth + row]);
    }

    static PairPanels StepColumns(LiteTensor filter, int zero)
    {
        var values = Arrangement.Shifted(filter, zero);
        var (outputs, depth, window) = (filter.Shape[0], filter.Shape[3], filter.Shape[1] * filter.Shape[2]);
        return new PairPanels(
            depth, outputs * window, (row, column) => values[(column % outputs * window + column / outputs) * depth + row]);
    }

    static void Real(Call call, Windows windows, RealPanels weights, Activation activation)
    {
        var x = call.Input(2);
        var y = Output(call, windows).Write<float>();
        var channels = windows.Channels;
        var contributions = call.Scratch<float>(checked(windows.Count * weights.Columns));
        Products.Multiply(
            call, new MatrixRows<float>(x.Read<float>(), weights.Rows, windows.Count), weights,
            new RawSums<float>(contributions, weights.Columns));
        y.Clear();
        Scatter<float>(windows, contributions, y);
        var bias = Arrangement.RealBias(call.Optional(3));
        for (var i = 0; i < y.Length; i++) y[i] = activation.Apply(y[i] + (bias.IsEmpty ? 0 : bias[i % channels]));
    }

    static void Quantized<T>(Call call, Windows windows, PairPanels weights, int zeroPoint, Requantization scale)
        where T : unmanaged, INumber<T>
    {
        var x = call.Input(2);
        var steps = call.Scratch<short>(x.Count);
        Arrangement.Shift(x, zeroPoint, steps);
        var y = Output(call, windows).Write<T>();
        var channels = windows.Channels;
        var contributions = call.Scratch<long>(checked(windows.Count * weights.Columns));
        Products.Multiply(
            call, new MatrixRows<short>(steps, weights.Rows, windows.Count), weights, new RawSums<long>(contributions, weights.Columns),
            isWide: scale.IsReduced);
        var sums = call.Scratch<long>(y.Length);
        sums.Clear();
        Scatter<long>(windows, contributions, sums);
        var bias = Arrangement.Bias(call, call.Optional(3));
        for (var i = 0; i < y.Length; i++)
            y[i] = T.CreateTruncating(scale.Apply(sums[i] + (bias.IsEmpty ? 0 : bias[i % channels]), i % channels));
    }

    static LiteTensor Output(Call call, Windows windows) =>
        call.Output(0, windows.Batches, windows.Height.Size, windows.Width.Size, windows.Channels);

    static void Scatter<T>(Windows windows, ReadOnlySpan<T> contributions, Span<T> sums) where T : unmanaged, INumber<T>
    {
        var channels = windows.Channels;
        var at = 0;
        for (var position = 0; position < windows.Count; position++)
        {
            var (x, rest) = (position % windows.Width.Count, position / windows.Width.Count);
            var (y, batch) = (rest % windows.Height.Count, rest / windows.Height.Count);
            for (var j = 0; j < windows.Height.Window; j++)
            {
                for (var k = 0; k < windows.Width.Window; k++, at += channels)
                {
                    var (row, column) = (windows.Height.At(y, j), windows.Width.At(x, k));
                    if (row < 0 || column < 0) continue;
                    var into = sums.Slice(((batch * windows.Height.Size + row) * windows.Width.Size + column) * channels, channels);
                    var from = contributions.Slice(at, channels);
                    for (var i = 0; i < into.Length; i++) into[i] += from[i];
                }
            }
        }
    }
}
