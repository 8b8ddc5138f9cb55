using Millrace.Wasm.Tests.Suite;

namespace Millrace.Wasm.Tests.Ahead;

/// <summary>
/// Scripts of the official suite with all modules compiled ahead of time: each costs a process, so a few that have
/// many assertions to a module. MILLRACE_LONG=1 runs them all.
/// </summary>
public sealed class AheadSuiteTests
{
    static readonly string[] Chosen =
    [
        "call_indirect.wast", "conversions.wast", "f64.wast", "ref_test.wast", "i64.wast",
        "return_call_indirect.wast", "simd_f32x4_pmin_pmax.wast", "simd_i16x8_arith2.wast", "struct.wast",
        "try_table.wast",
    ];

    public static TheoryData<string> Scripts
    {
        get
        {
            var isLong = Environment.GetEnvironmentVariable("MILLRACE_LONG") == "1";
            var names = SuiteFolder.Scripts().Where(name => isLong || Chosen.Contains(name)).ToArray();
            return names.Length == 0 ? ["(the suite)"] : new TheoryData<string>(names);
        }
    }

    [SkippableTheory]
    [MemberData(nameof(Scripts))]
    public void Script_holds_in_code_that_was_compiled_ahead(string script)
    {
        SuiteFolder.Require();
        using var folder = new CacheFolder();
        using var engine = folder.Engine(new() { Features = WasmFeatures.All });

        var (report, _) = HandExclusions.Read().Apply(script, WastScript.Run(engine, SuiteFolder.PathOf(script)));

        Assert.Equal("", string.Join('\n', report.Findings.Take(20)));
        Assert.Equal(SuiteFolder.CountAssertions(script), report.Executed + report.Exclusions.Length);
    }
}
