using System.Runtime.CompilerServices;

namespace Millrace.Wasm.Tests.Suite;

/// <summary>Scripts of our own in <c>scripts/</c>, for what the official suite leaves out.</summary>
public sealed class OwnScriptsTests
{
    public static TheoryData<string> Scripts => [.. WastScript.FilesIn(Folder()).Select(file => Path.GetFileName(file))];

    [Theory]
    [MemberData(nameof(Scripts))]
    public void A_script_of_our_own_holds(string script)
    {
        using var engine = new Engine();

        var report = WastScript.Run(engine, Path.Combine(Folder(), script));

        Assert.Empty(report.Findings);
        Assert.Empty(report.Exclusions);
        Assert.NotEqual(0, report.Executed);
    }

    static string Folder([CallerFilePath] string source = "") =>
        Path.Combine(Path.GetDirectoryName(source)!, "..", "scripts");
}
