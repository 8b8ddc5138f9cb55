namespace Millrace.Inference.Tests;

/// <summary>What was installed for the tests, so that none may be skipped for want of it: MILLRACE_REQUIRE=torch,vulkan.</summary>
static class Requirements
{
    public static bool Has(string name) =>
        (Environment.GetEnvironmentVariable("MILLRACE_REQUIRE") ?? "").Split(',').Contains(name);
}
