using Millrace.Inference.Tests.Backends;
using Millrace.Inference.TensorFlowLite;
using Millrace.Nn;

namespace Millrace.Inference.Tests.TensorFlowLite;

public sealed class TensorFlowLiteComplianceTests : BackendCompliance
{
    protected override INnBackend Backend { get; } = new TensorFlowLiteBackend();

    protected override BackendSample MakeSample() => BackendSample.OfCase("tflite/sub_bcast", Backend);
}
