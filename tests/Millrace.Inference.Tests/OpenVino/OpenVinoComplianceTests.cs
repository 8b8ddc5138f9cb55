using System.Text;
using Millrace.Inference.OpenVino;
using Millrace.Inference.Tests.Backends;
using Millrace.Nn;

namespace Millrace.Inference.Tests.OpenVino;

public sealed class OpenVinoComplianceTests : BackendCompliance
{
    protected override INnBackend Backend { get; } = new OpenVinoBackend();

    protected override BackendSample MakeSample() => new(
        new NnModel([Encoding.UTF8.GetBytes(IrText.AddAndMultiply), Tensors.Of<float>(TensorType.F32, [2], 10, 100).Data]),
        [Tensors.Of<float>(TensorType.F32, [1, 2], 1, 2)],
        [Tensors.Of<float>(TensorType.F32, [1, 2], 11, 102), Tensors.Of<float>(TensorType.F32, [1, 2], 11, 204)]);
}
