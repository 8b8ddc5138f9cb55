using System.Runtime.InteropServices;

namespace Millrace.Wasm.Tests.Suite;

/// <summary>
/// The official suite where pages guard memories: the scripts about memory; all with MILLRACE_LONG=1. No assertion may
/// be lost but those named here.
/// </summary>
public sealed class GuardedSuiteTests
{
    // What docs/design/engine.md says of accesses across the end.
    static readonly string[] Lost = [];

    static readonly string[] Slice =
    [
        "address.wast", "align.wast", "bulk.wast", "data.wast", "endianness.wast", "float_memory.wast", "load.wast",
        "memory.wast", "memory_copy.wast", "memory_fill.wast", "memory_grow.wast", "memory_init.wast",
        "memory_redundancy.wast", "memory_size.wast", "memory_trap.wast", "start.wast", "store.wast", "traps.wast",
        "unwind.wast",
    ];

    public static TheoryData<string> Scripts
    {
        get
        {
            var isLong = Environment.GetEnvironmentVariable("MILLRACE_LONG") == "1";
            string[] names = [.. SuiteFolder.Scripts().Where(script => isLong || IsInSlice(Path.GetFileName(script)))];
            return names.Length == 0 ? ["(the suite)"] : new TheoryData<string>(names);
        }
    }

    [SkippableTheory]
    [MemberData(nameof(Scripts))]
    public void Script_holds_with_guard_pages(string script)
    {
        SuiteFolder.Require();
        Skip.IfNot(
            OperatingSystem.IsLinux() && RuntimeInformation.ProcessArchitecture == Architecture.X64,
            "pages guard memories on Linux and x64 only");
        using var engine = new Engine(
            new() { Features = WasmFeatures.All, MemoryChecks = MemoryChecks.Guarded });

        var (report, _) = HandExclusions.Read().Apply(
            script, WastScript.Run(engine, SuiteFolder.PathOf(script), default));

        Assert.Equal(
            Lost.Where(place => place.StartsWith(script + ":", StringComparison.Ordinal)),
            report.Failures.Concat(report.Faults).Select(finding => $"{script}:{finding.Line}"));
        Assert.Equal(SuiteFolder.CountAssertions(script), report.Executed + report.Exclusions.Length);
    }

    static bool IsInSlice(string name) => Slice.Contains(name)
        || name.StartsWith("simd_load", StringComparison.Ordinal)
        || name.StartsWith("simd_store", StringComparison.Ordinal)
        || name.StartsWith("memory_trap", StringComparison.Ordinal);
}
