using Millrace.Cli.StandIn;
using Millrace.Flows;

namespace Millrace.Cli.Tests.Kill;

/// <summary>A far side that applies a write and then does not say so.</summary>
public sealed class WriteFaultTests
{
    static readonly FaultKind[] Kinds = [FaultKind.ApplyThenAnswer, FaultKind.ApplyThenReset, FaultKind.ApplyThenHang];

    [Fact]
    public async Task A_write_that_was_applied_and_not_confirmed_leaves_one_comment()
    {
        await using var bench = await ReviewBench.StartAsync();
        var faults = new List<string>();
        foreach (var kind in Kinds)
        {
            foreach (var method in (string[])["POST", "PATCH"])
            {
                var hits = 0;
                bench.GitHub.Faults = request =>
                    request.Method == method && Interlocked.Increment(ref hits) == 1 ? new Fault(kind) : null;
                var pull = await bench.OpenPullAsync();
                var run = await bench.EndAsync(pull);

                Assert.NotEqual(0, hits);
                if (run.Summary.Outcome != RunOutcome.Completed) faults.Add($"{kind} {method}: {run.Summary.Message}");
                if (bench.Fault(pull) is { } fault) faults.Add($"{kind} {method}: {fault}");
            }
        }

        Assert.True(faults.Count == 0, string.Join('\n', faults));
    }
}
