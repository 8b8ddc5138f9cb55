using System.Collections.Immutable;

namespace Millrace.Wasm;

/// <summary>Something in a script that went wrong.</summary>
/// <param name="Line">The command's line in the file.</param>
/// <param name="Text">What was done, what came of it, what was expected.</param>
public sealed record WastFailure(int Line, string Text);

/// <summary>An assertion that could not be executed.</summary>
/// <param name="Line">The assertion's line in the file.</param>
/// <param name="Reason">Why: <c>debt: </c> and a feature that the module uses and this engine lacks. Or the module uses
/// none, but its assertion fails and a module with that feature would have written to its memory, table or globals.
/// </param>
public sealed record WastExclusion(int Line, string Reason);

/// <summary>What came of running one script. Every assertion is counted once: passed, failed or excluded.</summary>
/// <param name="File">The script's path as given.</param>
/// <param name="Passed">Assertions that held.</param>
/// <param name="Failures">Assertions that did not hold.</param>
/// <param name="Exclusions">Assertions about a module that uses a feature this engine lacks.</param>
/// <param name="Faults">Commands that are no assertions and went wrong: a module that was refused, a call that
/// trapped.</param>
public sealed record WastReport(
    string File,
    int Passed,
    ImmutableArray<WastFailure> Failures,
    ImmutableArray<WastExclusion> Exclusions,
    ImmutableArray<WastFailure> Faults)
{
    /// <summary>Assertions executed.</summary>
    public int Executed => Passed + Failures.Length;

    /// <summary>Whether nothing went wrong.</summary>
    public bool IsGood => Failures.IsEmpty && Faults.IsEmpty;

    /// <summary>Failures and faults in the order of the file, as <c>file:line: text</c>.</summary>
    public IEnumerable<string> Findings =>
        Failures.Concat(Faults).OrderBy(static finding => finding.Line)
            .Select(finding => $"{File}:{finding.Line}: {finding.Text}");
}
