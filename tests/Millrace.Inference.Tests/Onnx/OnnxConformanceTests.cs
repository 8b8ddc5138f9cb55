using Millrace.Inference.Onnx;
using Millrace.Inference.Tests.Backends;
using Xunit.Abstractions;

namespace Millrace.Inference.Tests.Onnx;

public sealed class OnnxConformanceTests(ITestOutputHelper output)
{
    [SkippableFact]
    public void Every_given_case_is_computed_or_refused_as_it_should_be()
    {
        var run = ConformanceRun.Of("onnx", new OnnxBackend(), output);

        // The border has bool; what becomes of it is for whoever hands it to a guest.
        Assert.Equal(["bool_output"], run.Failed.Select(fault => fault.Split(':')[0]));
        Assert.Empty(run.Refused);
    }
}
