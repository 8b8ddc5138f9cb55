using Millrace.Inference.Tests.Backends;
using Millrace.Inference.TensorFlow;
using Xunit.Abstractions;

namespace Millrace.Inference.Tests.TensorFlow;

public sealed class TensorFlowConformanceTests(ITestOutputHelper output)
{
    [SkippableFact]
    public void At_least_nine_of_ten_cases_are_computed_and_none_wrongly()
    {
        var run = ConformanceRun.Of("graphdef", new TensorFlowBackend(), output);

        run.AssertPassed(0.9);
    }
}
