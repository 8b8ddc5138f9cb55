using System.Runtime.InteropServices;
using Millrace.Inference.Onnx;

namespace Millrace.Bench.Networks;

/// <summary>The network as ONNX, which has channels before rows and columns.</summary>
sealed class OnnxNetwork
{
    const int Opset = 21;
    const int IrVersion = 10;
    const int Float = 1;
    const int AttributeInt = 2;
    const int AttributeInts = 7;

    readonly ProtoMessage _nodes = new();
    readonly ProtoMessage _constants = new();
    int _values;

    public static byte[] Write(MobileNet network) => new OnnxNetwork().Model(network);

    byte[] Model(MobileNet network)
    {
        var (least, most) = (Constant([], [0]), Constant([], [6]));
        var value = "input";
        foreach (var each in network.Convolutions)
        {
            var taps = each.Window * each.Window;
            var channels = each.IsDepthwise ? 1 : each.Inputs;
            var weights = Constant([each.Outputs, channels, each.Window, each.Window],
                [.. Enumerable.Range(0, each.Weights.Length).Select(i => each.Weights[
                    (i / (channels * taps) * channels * taps) + (i % taps * channels) + (i / taps % channels)])]);
            value = Node("Conv", [value, weights, Constant([each.Outputs], each.Bias)],
                Ints("kernel_shape", each.Window, each.Window), Ints("strides", each.Step, each.Step),
                // TensorFlow's SAME on an even picture.
                each.Window == 1 ? Ints("pads", 0, 0, 0, 0) : each.Step == 1 ? Ints("pads", 1, 1, 1, 1) : Ints("pads", 0, 0, 1, 1),
                Number("group", each.IsDepthwise ? each.Outputs : 1));
            value = Node("Clip", [value, least, most]);
        }

        value = Node("Flatten", [Node("GlobalAveragePool", [value])]);
        value = Node(
            "Gemm", [value, Constant([MobileNet.Classes, network.Features], network.ClassWeights), Constant([MobileNet.Classes], network.ClassBias)],
            Number("transB", 1));
        value = Node("Softmax", [value]);
        var graph = new ProtoMessage().Append(_nodes).Text(2, "main").Append(_constants)
            .Message(11, Port("input", 1, MobileNet.Channels, MobileNet.Size, MobileNet.Size))
            .Message(12, Port(value, 1, MobileNet.Classes));
        return new ProtoMessage().Number(1, IrVersion).Message(7, graph)
            .Message(8, new ProtoMessage().Text(1, "").Number(2, Opset)).ToArray();
    }

    string Node(string op, string[] inputs, params ProtoMessage[] attributes)
    {
        var node = new ProtoMessage();
        foreach (var input in inputs) node.Text(1, input);
        var output = $"v{_values++}";
        node.Text(2, output).Text(4, op);
        foreach (var attribute in attributes) node.Message(5, attribute);
        _nodes.Message(1, node);
        return output;
    }

    string Constant(long[] shape, float[] values)
    {
        var name = $"c{_values++}";
        _constants.Message(5, new ProtoMessage()
            .Numbers(1, shape).Number(2, Float).Text(8, name).Bytes(9, MemoryMarshal.AsBytes(values.AsSpan()).ToArray()));
        return name;
    }

    static ProtoMessage Number(string name, long value) => new ProtoMessage().Text(1, name).Number(3, value).Number(20, AttributeInt);

    static ProtoMessage Ints(string name, params long[] values)
    {
        var message = new ProtoMessage().Text(1, name);
        foreach (var value in values) message.Number(8, value);
        return message.Number(20, AttributeInts);
    }

    static ProtoMessage Port(string name, params long[] shape)
    {
        var sizes = new ProtoMessage();
        foreach (var size in shape) sizes.Message(1, new ProtoMessage().Number(1, size));
        return new ProtoMessage().Text(1, name).Message(2, new ProtoMessage().Message(1, new ProtoMessage().Number(1, Float).Message(2, sizes)));
    }
}
