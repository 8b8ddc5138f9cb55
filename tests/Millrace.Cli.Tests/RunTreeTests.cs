using Millrace.Flows;

namespace Millrace.Cli.Tests;

public sealed class RunTreeTests
{
    static readonly DateTimeOffset Start = new(2026, 3, 1, 12, 0, 0, TimeSpan.Zero);

    [Fact]
    public void Shows_operations_with_their_child_runs_tokens_asks_and_errors()
    {
        var child = new RunDetail(Run("r1.0.1", "github"), "", [Operation(0, "http.fetch")]);
        var comment = Operation(0, "github.create_comment") with { Kind = OperationKind.Write, Rounds = 1 };
        var refused = """{"type":"denied","detail":"no"}""";
        var run = new RunDetail(
            Run("r1", "code-review") with { EventType = "github.pull_request", Partition = "a/b#1" }, "{}",
            [
                comment with { Children = [child] },
                Operation(1, "llm.chat") with { Kind = OperationKind.Paid, Tokens = 1234, Asks = 2 },
                Operation(2, "kv.get") with { State = OperationState.Error, Result = refused },
            ])
        {
            Tokens = 1234,
        };

        var lines = RunTree.Lines(run).ToList();

        Assert.Equal("r1  code-review version 3  Completed  2.5 s  1,234 tokens", lines[0]);
        Assert.EndsWith("partition a/b#1", lines[1], StringComparison.Ordinal);
        Assert.Equal("    0 github.create_comment  write  done           40 ms  looked for 1 time", lines[2]);
        Assert.Equal("     └ github version 3  Completed  2.5 s", lines[3]);
        Assert.Equal("         0 http.fetch  read   done           40 ms", lines[4]);
        Assert.Equal("    1 llm.chat               paid   done           40 ms  1,234 tokens  asked 2 times", lines[5]);
        Assert.Equal("    2 kv.get                 read   error          40 ms  denied: no", lines[6]);
    }

    static RunSummary Run(string id, string flow) => new()
    {
        Id = id,
        Flow = flow,
        Version = 3,
        State = RunState.Ended,
        Outcome = RunOutcome.Completed,
        CreatedAt = Start,
        StartedAt = Start,
        EndedAt = Start.AddSeconds(2.5),
    };

    static OperationDetail Operation(long sequence, string name) => new()
    {
        Sequence = sequence,
        Name = name,
        Kind = OperationKind.Read,
        State = OperationState.Done,
        Head = "{}",
        StartedAt = Start,
        Duration = TimeSpan.FromMilliseconds(40),
        Asks = 1,
    };
}
