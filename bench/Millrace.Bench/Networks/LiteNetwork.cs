using System.Runtime.InteropServices;
using Millrace.Inference.Tests.TensorFlowLite;

namespace Millrace.Bench.Networks;

/// <summary>The network as a .tflite file.</summary>
sealed class LiteNetwork
{
    const int Float = 0;
    const int Int = 2;
    const int Relu6 = 3;

    // The schema's numbers of operators, and of the kinds of their options.
    static readonly (int Operator, int Options)[] Kinds = [(3, 1), (4, 2), (40, 27), (9, 8), (25, 9)];

    readonly FlatWriter _file;
    readonly List<Func<int>> _tensors = [];
    readonly List<Func<int>> _buffers = [];
    readonly List<Func<int>> _operators = [];

    LiteNetwork(FlatWriter file) => (_file, _buffers) = (file, [file.Table()]);

    public static byte[] Write(MobileNet network) => FlatWriter.File(file => new LiteNetwork(file).Root(network));

    Func<int> Root(MobileNet network)
    {
        var side = MobileNet.Size;
        var input = Tensor([1, side, side, MobileNet.Channels]);
        var value = input;
        foreach (var each in network.Convolutions)
        {
            side /= each.Step;
            var weights = each.IsDepthwise
                ? Constant([1, each.Window, each.Window, each.Outputs], ChannelsLast(each))
                : Constant([each.Outputs, each.Window, each.Window, each.Inputs], each.Weights);
            var bias = Constant([each.Outputs], each.Bias);
            var options = each.IsDepthwise
                ? _file.Table((1, each.Step), (2, each.Step), (3, 1), (4, Relu6))
                : _file.Table((1, each.Step), (2, each.Step), (3, Relu6));
            value = Add(each.IsDepthwise ? 1 : 0, [value, weights, bias], [1, side, side, each.Outputs], options);
        }

        var axes = Tensor([2], Int, MemoryMarshal.AsBytes<int>([1, 2]).ToArray());
        value = Add(2, [value, axes], [1, network.Features], _file.Table());
        var (matrix, offset) = (Constant([MobileNet.Classes, network.Features], network.ClassWeights), Constant([MobileNet.Classes], network.ClassBias));
        value = Add(3, [value, matrix, offset], [1, MobileNet.Classes], _file.Table());
        value = Add(4, [value], [1, MobileNet.Classes], _file.Table((0, BitConverter.SingleToInt32Bits(1))));
        var graph = _file.Table(
            (0, _file.Tables([.. _tensors])), (1, _file.Vector(input)), (2, _file.Vector(value)), (3, _file.Tables([.. _operators])));
        var codes = Kinds.Select(kind => _file.Table((0, kind.Operator), (2, 1), (3, kind.Operator)));
        return _file.Table((0, 3), (1, _file.Tables([.. codes])), (2, _file.Tables(graph)), (4, _file.Tables([.. _buffers])));
    }

    // The filters of all channels side by side.
    static float[] ChannelsLast(Convolution each)
    {
        var taps = each.Window * each.Window;
        return [.. Enumerable.Range(0, each.Weights.Length).Select(i => each.Weights[(i % each.Outputs * taps) + (i / each.Outputs)])];
    }

    int Add(int kind, int[] inputs, int[] shape, Func<int> options)
    {
        var output = Tensor(shape);
        _operators.Add(_file.Table(
            (0, kind), (1, _file.Vector(inputs)), (2, _file.Vector(output)), (3, Kinds[kind].Options), (4, options)));
        return output;
    }

    int Constant(int[] shape, float[] values) => Tensor(shape, Float, MemoryMarshal.AsBytes(values.AsSpan()).ToArray());

    int Tensor(int[] shape, int type = Float, byte[]? bytes = null)
    {
        var buffer = 0;
        if (bytes is not null)
        {
            buffer = _buffers.Count;
            _buffers.Add(_file.Table((0, _file.Bytes(bytes))));
        }

        _tensors.Add(_file.Table((0, _file.Vector(shape)), (1, type), (2, buffer), (3, _file.Text($"t{_tensors.Count}"))));
        return _tensors.Count - 1;
    }
}
