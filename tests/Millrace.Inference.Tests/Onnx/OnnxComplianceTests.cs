using Millrace.Inference.Onnx;
using Millrace.Inference.Tests.Backends;
using Millrace.Nn;

namespace Millrace.Inference.Tests.Onnx;

public sealed class OnnxComplianceTests : BackendCompliance
{
    protected override INnBackend Backend { get; } = new OnnxBackend();

    protected override BackendSample MakeSample() => Sample();

    internal static BackendSample Sample()
    {
        var graph = new OnnxGraphBuilder();
        var x = graph.AddInput("x", TensorType.F32, [-1, 3]);
        var times = graph.AddInput("times", TensorType.I64, [1]);
        var repeated = graph.AddNode("Concat", [times, graph.AddInts(1)], new OnnxAttribute("axis", 0));
        graph.AddOutput("y", graph.AddNode("Tile", [x, repeated]), TensorType.F32, [-1, 3]);
        graph.AddOutput("sum", graph.AddNode("ReduceSum", [x], new OnnxAttribute("keepdims", 0)), TensorType.F32, []);
        return new(
            new NnModel([graph.ToModel().Bytes]),
            [Tensors.Of<float>(TensorType.F32, [1, 3], 1, 2, 4), Tensors.Of<long>(TensorType.I64, [1], 2)],
            [Tensors.Of<float>(TensorType.F32, [2, 3], 1, 2, 4, 1, 2, 4), Tensors.Of<float>(TensorType.F32, [], 7)]);
    }
}
