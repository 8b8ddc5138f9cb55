using Millrace.Inference.Tests.Backends;
using Millrace.Inference.TensorFlowLite;
using Xunit.Abstractions;

namespace Millrace.Inference.Tests.TensorFlowLite;

public sealed class TensorFlowLiteConformanceTests(ITestOutputHelper output)
{
    [SkippableFact]
    public void Every_given_case_is_computed_as_the_reference_does()
    {
        var run = ConformanceRun.Of("tflite", new TensorFlowLiteBackend(), output);

        run.AssertPassed(1);
    }
}
