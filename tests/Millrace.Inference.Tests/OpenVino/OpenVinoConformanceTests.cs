using Millrace.Inference.OpenVino;
using Millrace.Inference.Tests.Backends;
using Xunit.Abstractions;

namespace Millrace.Inference.Tests.OpenVino;

public sealed class OpenVinoConformanceTests(ITestOutputHelper output)
{
    [SkippableFact]
    public void Nine_of_ten_given_cases_are_computed_and_none_wrongly() =>
        ConformanceRun.Of("openvino", new OpenVinoBackend(), output).AssertPassed(0.9);
}
