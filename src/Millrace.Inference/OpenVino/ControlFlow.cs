using System.Collections.Immutable;
using Millrace.Inference.Onnx;
using Millrace.Nn;

namespace Millrace.Inference.OpenVino;

/// <summary>Layers with bodies, as ONNX's <c>Loop</c> and <c>If</c>.</summary>
static class ControlFlow
{
    public static readonly ImmutableArray<Operator> Rows =
    [
        new("TensorIterator", 1, c => new LoopConversion(c).Convert(isLoop: false)),
        new("Loop", 5, c => new LoopConversion(c).Convert(isLoop: true)),
        new("If", 8, If),
    ];

    static string[] If(Conversion c)
    {
        var condition = c.Reshape(c.As(c.In(0), c.TypeOf(0), TensorType.Bool));
        return c.Graph.AddNodes(
            "If", [condition], c.Layer.Outputs.Length,
            new OnnxAttribute("then_branch", Branch(c, "then_body")), new OnnxAttribute("else_branch", Branch(c, "else_body")));
    }

    static OnnxGraphBuilder Branch(Conversion c, string name)
    {
        var body = c.Layer.Bodies.GetValueOrDefault(name) ?? throw c.Layer.Malformed($"{name} is missing");
        var graph = c.Graph.Body();
        var converter = c.Converter.Body(body.Net, graph);
        foreach (var map in body.Inputs) converter.Bind(converter.Layer(map.InternalLayer), c.Converter.Input(c.Layer, InputIndex(c, map)));
        foreach (var port in c.Layer.Outputs)
        {
            var map = body.Outputs.FirstOrDefault(map => map.ExternalPort == port.Id)
                ?? throw c.Layer.Malformed($"{name} has no output {port.Id}");
            var value = converter.Input(converter.Layer(map.InternalLayer), 0);
            graph.AddOutput(port.Id, value.Name, value.Type, value.Dimensions);
        }

        return graph;
    }

    /// <summary>The input of the layer that a body's parameter is.</summary>
    public static int InputIndex(Conversion c, IrPortMap map)
    {
        for (var i = 0; i < c.Layer.Inputs.Length; i++)
        {
            if (c.Layer.Inputs[i].Id == map.ExternalPort) return i;
        }

        throw c.Layer.Malformed($"it has no input port {map.ExternalPort}, which its port map names");
    }
}
