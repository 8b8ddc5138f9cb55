using Millrace.Flows;

namespace Millrace.Cli.Tests.Kill;

/// <summary>SIGTERM in the middle of work.</summary>
public sealed class PlannedStopTests
{
    [Fact]
    public async Task Stopped_in_a_model_call_the_review_goes_on_at_the_next_start()
    {
        await using var bench = await ReviewBench.StartAsync();
        var asked = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var gone = bench.Server.Exited;
        bench.Model.Answered = async _ =>
        {
            asked.TrySetResult();
            await gone;
        };

        var pull = await bench.OpenPullAsync();
        await asked.Task.WaitAsync(ReviewBench.Patience);
        await bench.Server.TerminateAsync(ReviewBench.Patience);
        bench.Model.Answered = null;
        await bench.RestartAsync();
        var run = await bench.EndAsync(pull);

        Assert.Equal(RunOutcome.Completed, run.Summary.Outcome);
        Assert.Null(bench.Fault(pull));
        Assert.Single(bench.Updates(pull));
        // The answer never came: it is asked for again, and the timeline says so.
        Assert.Equal(2, bench.Prompts(pull));
        Assert.Equal(2, run.Operations.Single(operation => operation.Name == "llm.chat").Asks);
    }
}
