namespace Millrace.Wasm.Tests.Suite;

public sealed class SuiteTests(SuiteRun run) : IClassFixture<SuiteRun>
{
    /// <summary>What the root folder holds. A search of its text finds one more: exports.wast has one in a comment.
    /// </summary>
    const int RootAssertions = 62_498;

    static readonly TimeSpan ScriptTime = TimeSpan.FromMinutes(2);
    static readonly HandExclusions ByHand = HandExclusions.Read();

    public static TheoryData<string> Scripts
    {
        get
        {
            var names = SuiteFolder.Scripts().ToArray();
            return names.Length == 0 ? ["(the suite)"] : new TheoryData<string>(names);
        }
    }

    [SkippableTheory]
    [MemberData(nameof(Scripts))]
    public void Script_holds(string script)
    {
        SuiteFolder.Require();

        using var timeout = new CancellationTokenSource(ScriptTime);
        var (report, needless) = ByHand.Apply(
            script, WastScript.Run(run.Engine, SuiteFolder.PathOf(script), timeout.Token));
        run.Add(report with { File = script });

        var findings = report.Findings.Concat(needless).ToArray();
        Assert.True(
            findings.Length == 0,
            $"{WastTotals.Line(report)}\n{string.Join('\n', findings.Take(20))}");
        Assert.Equal(SuiteFolder.CountAssertions(script), report.Executed + report.Exclusions.Length);
    }

    [SkippableFact]
    public void The_root_folder_holds_the_assertions_that_we_think_it_does()
    {
        SuiteFolder.Require();

        var count = SuiteFolder.Scripts().Where(static script => Path.GetDirectoryName(script)!.Length == 0)
            .Sum(SuiteFolder.CountAssertions);

        Assert.Equal(RootAssertions, count);
    }
}
