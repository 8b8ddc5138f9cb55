using System.Text;
using Millrace.Sandbox;

namespace Millrace.Flows.Tests;

public sealed class WriteTests
{
    static async Task<(RunDetail Run, TestPlatform Test)> RunAsync(string operation, params Weather[] weather)
    {
        // Looking for a write may take twice as long: a busy machine must not make a second round of it.
        var test = new TestPlatform { SendDeadline = TimeSpan.FromSeconds(1) };
        test.Outside.Expect(weather);
        await test.OpenAsync();
        await test.DeployAsync(door =>
        {
            var result = door.Call(operation, """{"text":"a"}""");
            door.Write(Encoding.UTF8.GetString(result.Head.Span));
            return (int)result.State;
        });
        return (await test.RunAsync(), test);
    }

    /// <summary>A run that waits for somebody to say what became of its write.</summary>
    static async Task<(string Id, TestPlatform Test)> UnknownAsync(Weather weather)
    {
        var test = new TestPlatform();
        test.Outside.Expect(weather);
        await test.OpenAsync();
        await test.DeployAsync(door => (int)door.Call("outside.blind", """{"text":"a"}""").State);
        var id = await test.SendAsync();
        await UntilAsync(test, id, run => run.Operations is [{ State: OperationState.Unknown }]);
        return (id, test);
    }

    [Theory]
    [InlineData(Weather.AppliesThenFails)]
    [InlineData(Weather.AppliesThenHangs)]
    public async Task A_write_that_was_applied_and_got_no_answer_is_found(Weather weather)
    {
        var (run, test) = await RunAsync("outside.post", weather);
        await using var _ = test;

        Assert.Equal(RunOutcome.Completed, run.Summary.Outcome);
        Assert.Single(test.Outside.Applied);
        Assert.Equal("""{"id":7}""", await test.OutputAsync(run.Summary.Id));
        Assert.Equal(1, run.Operations[0].Rounds);
        Assert.Equal([RunOutcome.Lost, RunOutcome.Completed], run.Operations[0].Children.Select(c => c.Summary.Outcome!.Value));
    }

    [Fact]
    public async Task A_write_in_doubt_that_is_not_found_is_sent_again()
    {
        var (run, test) = await RunAsync("outside.post", Weather.Fails);
        await using var _ = test;

        Assert.Equal(RunOutcome.Completed, run.Summary.Outcome);
        Assert.Single(test.Outside.Applied);
        Assert.Equal(2, run.Operations[0].Asks);
    }

    [Fact]
    public async Task A_write_in_doubt_waits_out_the_send_deadline_before_it_is_looked_for()
    {
        await using var test = new TestPlatform { SendDeadline = TimeSpan.FromMilliseconds(300) };
        test.Outside.Expect(Weather.Fails);
        await test.OpenAsync();
        await test.DeployAsync(door => (int)door.Call("outside.post", """{"text":"a"}""").State);
        var times = new List<(string Request, long At)>();
        test.Outside.Arrived = request =>
        {
            times.Add((request, Environment.TickCount64));
            return Task.CompletedTask;
        };

        await test.RunAsync();

        var sent = times.First(t => t.Request == "POST /posts").At;
        var looked = times.First(t => t.Request == "GET /posts").At;
        Assert.True(looked - sent >= 280, $"looked after {looked - sent} ms");
    }

    [Theory]
    [InlineData(Weather.NoConnection)]
    [InlineData(Weather.Limits)]
    public async Task A_write_that_surely_was_not_applied_is_sent_again_at_once(Weather weather)
    {
        var (run, test) = await RunAsync("outside.blind", weather, weather);
        await using var _ = test;

        Assert.Equal(RunOutcome.Completed, run.Summary.Outcome);
        Assert.Single(test.Outside.Applied);
        Assert.Equal(0, run.Operations[0].Rounds);
    }

    [Fact]
    public async Task A_write_that_may_be_repeated_is_sent_again_with_the_same_bytes()
    {
        var (run, test) = await RunAsync("outside.put", Weather.AppliesThenFails);
        await using var _ = test;

        Assert.Equal(RunOutcome.Completed, run.Summary.Outcome);
        Assert.Equal(["a", "a"], test.Outside.Applied.Select(applied => applied.Body));
    }

    [Fact]
    public async Task A_paid_call_is_asked_again_and_its_asks_are_counted()
    {
        var (run, test) = await RunAsync("outside.charge", Weather.Fails, Weather.Fails);
        await using var _ = test;

        Assert.Equal(RunOutcome.Completed, run.Summary.Outcome);
        Assert.Equal(3, run.Operations[0].Children[0].Operations[0].Asks);
    }

    [Fact]
    public async Task A_second_request_of_a_write_is_denied()
    {
        var (run, test) = await RunAsync("outside.twice");
        await using var _ = test;

        Assert.Equal(RunOutcome.Failed, run.Summary.Outcome);
        Assert.Equal("first", Assert.Single(test.Outside.Applied).Body);
        Assert.Contains("denied", run.Operations[0].Result);
    }

    [Theory]
    [InlineData("outside.blind")]
    [InlineData("http.fetch")]
    public async Task An_unknown_write_waits_for_a_person(string operation)
    {
        await using var test = new TestPlatform();
        test.Outside.Expect(Weather.AppliesThenFails);
        await test.OpenAsync();
        await test.DeployAsync(door => (int)door.Call(operation, """{"method":"POST","url":"/posts"}""").State);
        var id = await test.SendAsync();
        await UntilAsync(test, id, run => run.Operations is [{ State: OperationState.Unknown }]);

        await test.Platform.ResolveAsync(id, 0, """{"id":1}""");
        var run = await test.EndAsync(id);

        Assert.Equal(RunOutcome.Completed, run.Summary.Outcome);
        Assert.Equal((OperationState.Done, """{"id":1}"""), (run.Operations[0].State, run.Operations[0].Result));
        Assert.Single(test.Outside.Applied);
    }

    [Fact]
    public async Task An_unknown_write_that_a_person_denies_is_sent_again()
    {
        var (id, test) = await UnknownAsync(Weather.Fails);
        await using var _ = test;

        await test.Platform.ResolveAsync(id, 0, null);
        var run = await test.EndAsync(id);

        Assert.Equal(RunOutcome.Completed, run.Summary.Outcome);
        Assert.Single(test.Outside.Applied);
    }

    [Fact]
    public async Task An_unknown_write_survives_a_crash_and_is_resolved_after_the_end()
    {
        var (id, test) = await UnknownAsync(Weather.AppliesThenFails);
        await using var _ = test;
        await test.CrashAsync();
        await UntilAsync(test, id, run => run is { Summary.Attempts: 2, Operations: [{ State: OperationState.Unknown }] });

        await test.Platform.CancelAsync(id);
        var ended = await test.EndAsync(id);
        await test.Platform.ResolveAsync(id, 0, """{"id":1}""");
        var resolved = await test.EndAsync(id);

        Assert.Equal(RunOutcome.Cancelled, ended.Summary.Outcome);
        Assert.Equal(OperationState.Unknown, ended.Operations[0].State);
        Assert.Equal(OperationState.Done, resolved.Operations[0].State);
        Assert.Single(test.Outside.Applied);
    }

    [Fact]
    public async Task An_unknown_write_whose_connection_is_gone_after_a_crash_stays_unknown()
    {
        var (id, test) = await UnknownAsync(Weather.AppliesThenFails);
        await using var _ = test;

        test.HasConnection = false;
        await test.CrashAsync();
        var ended = await test.EndAsync(id);
        await test.Platform.ResolveAsync(id, 0, """{"id":1}""");
        var resolved = await test.EndAsync(id);

        Assert.Equal(OperationState.Unknown, ended.Operations[0].State);
        Assert.Equal(OperationState.Done, resolved.Operations[0].State);
    }

    [Fact]
    public async Task A_read_that_fails_for_a_while_is_asked_again()
    {
        await using var test = new TestPlatform();
        var failures = 2;
        await test.OpenAsync();
        await test.DeployAsync(door => (int)door.Call("flaky.read").State);
        await test.DisposeAsync();
        test.MoreBuiltIns =
        [
            new("flaky.read", _ => OperationKind.Read, (context, _, _) => Task.FromResult(failures-- > 0
                ? new Door.OperationOutcome(Door.ErrorResult.Of(context.Time, "unavailable", "No."), Door.FailureKind.Transient)
                : new(new(ResultState.Done, "{}"u8.ToArray(), default, Door.Clock.Ns(context.Time))))),
        ];
        await test.OpenAsync();

        var run = await test.RunAsync();

        Assert.Equal(RunOutcome.Completed, run.Summary.Outcome);
        Assert.Equal(3, run.Operations[0].Asks);
    }

    [Fact]
    public async Task Tokens_are_reserved_before_and_settled_after()
    {
        await using var test = new TestPlatform
        {
            MoreBuiltIns =
            [
                new("llm.chat", _ => OperationKind.Paid, (context, _, _) => Task.FromResult(
                    new Door.OperationOutcome(new(ResultState.Done, "{}"u8.ToArray(), default, Door.Clock.Ns(context.Time)))
                    {
                        Tokens = 40,
                    }))
                {
                    Reserve = (_, _, _) => ValueTask.FromResult(60L),
                },
            ],
        };
        await test.OpenAsync();
        await test.DeployFilesAsync("integration.yaml", FakeOutside.Manifest, "outside.wasm");
        await test.DeployAsync(door =>
        {
            for (var i = 0; i < 3; i++)
            {
                if (door.Call("llm.chat").State == ResultState.Error) return 9;
            }
            return 0;
        }, "  llm: {models: [\"*\"]}\nlimits: {tokens: 100}");

        var run = await test.RunAsync();

        Assert.Equal(RunOutcome.OverBudget, run.Summary.Outcome);
        Assert.Equal(80, run.Tokens);
        Assert.Contains("over-budget", run.Operations[2].Result);
    }

    internal static async Task UntilAsync(TestPlatform test, string id, Func<RunDetail, bool> condition)
    {
        var began = Environment.TickCount64;
        while (!condition((await test.Platform.RunAsync(id))!))
        {
            Assert.True(Environment.TickCount64 - began < 20_000, "It never came to pass.");
            await Task.Delay(5);
        }
    }
}
