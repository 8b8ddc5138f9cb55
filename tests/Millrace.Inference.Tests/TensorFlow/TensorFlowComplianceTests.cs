using Millrace.Inference.TensorFlow;
using Millrace.Inference.Tests.Backends;
using Millrace.Nn;

namespace Millrace.Inference.Tests.TensorFlow;

public sealed class TensorFlowComplianceTests : BackendCompliance
{
    protected override INnBackend Backend { get; } = new TensorFlowBackend();

    protected override BackendSample MakeSample()
    {
        var file = new GraphFile()
            .Input("x", GraphFile.Float, -1, 3)
            .Input("times", GraphFile.Int32, 2)
            .Ints("all", 0, 1)
            .Node("y", "Tile", ["x", "times"])
            .Node("sum", "Sum", ["x", "all"]);
        return new(
            new NnModel([file.Bytes]),
            [Tensors.Of<float>(TensorType.F32, [1, 3], 1, 2, 4), Tensors.Of<int>(TensorType.I32, [2], 2, 1)],
            [Tensors.Of<float>(TensorType.F32, [2, 3], 1, 2, 4, 1, 2, 4), Tensors.Of<float>(TensorType.F32, [], 7)]);
    }
}
