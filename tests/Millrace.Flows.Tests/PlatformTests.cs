using System.Text;
using Millrace.Sandbox;

namespace Millrace.Flows.Tests;

public sealed class PlatformTests
{
    [Theory]
    [InlineData("kv.get", """{"key":"\ud83d"}""")]
    [InlineData("outside.read", """{"text":"\ud83d"}""")]
    [InlineData("outside.read", """{"\ud83d":1}""")]
    [InlineData("outside.read", "no JSON")]
    public async Task A_head_that_cannot_be_read_is_an_error_result(string operation, string head)
    {
        await using var test = new TestPlatform();
        await test.OpenAsync();
        await test.DeployAsync(door => (int)door.Call(operation, head).State);

        var run = await test.RunAsync();

        Assert.Equal(RunOutcome.Failed, run.Summary.Outcome);
        Assert.Contains("invalid", run.Operations[0].Result);
    }

    [Fact]
    public async Task An_event_reaches_stdin_and_stdout_is_stored()
    {
        await using var test = new TestPlatform();
        await test.OpenAsync();
        await test.DeployAsync(door =>
        {
            door.Write("Hello, " + door.Input);
            return 0;
        });

        var run = await test.RunAsync("world");

        Assert.Equal(RunOutcome.Completed, run.Summary.Outcome);
        Assert.Equal("Hello, world", await test.OutputAsync(run.Summary.Id));
    }

    [Fact]
    public async Task A_delivery_that_comes_twice_makes_one_run()
    {
        await using var test = new TestPlatform();
        await test.OpenAsync();
        await test.DeployAsync(_ => 0);

        var first = await test.Platform.AcceptAsync(TestPlatform.Event(delivery: "one"));
        var second = await test.Platform.AcceptAsync(TestPlatform.Event(delivery: "one"));

        Assert.False(first.IsDuplicate);
        Assert.True(second.IsDuplicate);
        Assert.Equal(first.Runs[0], Assert.Single(second.Runs));
        Assert.Single(await test.Platform.RunsAsync());
    }

    [Theory]
    [InlineData(3, RunOutcome.Failed)]
    [InlineData(-1, RunOutcome.Trapped)]
    public async Task An_end_of_the_guest_is_the_runs_outcome(int code, RunOutcome outcome)
    {
        await using var test = new TestPlatform();
        await test.OpenAsync();
        await test.DeployAsync(_ => code < 0 ? throw new GuestTrapException() : code);

        var run = await test.RunAsync();

        Assert.Equal(outcome, run.Summary.Outcome);
    }

    [Fact]
    public async Task Keys_are_the_flows_and_seen_by_the_next_run()
    {
        await using var test = new TestPlatform();
        await test.OpenAsync();
        await test.DeployAsync(door =>
        {
            var before = Text(door.Call("kv.get", """{"key":"n"}""").Body);
            door.Call("kv.set", """{"key":"n"}""", before + "x");
            door.Write(Text(door.Call("kv.get", """{"key":"n"}""").Body));
            return 0;
        });

        var first = await test.RunAsync();
        var second = await test.RunAsync();

        Assert.Equal("x", await test.OutputAsync(first.Summary.Id));
        Assert.Equal("xx", await test.OutputAsync(second.Summary.Id));
    }

    [Fact]
    public async Task Compare_and_set_refuses_another_version()
    {
        await using var test = new TestPlatform();
        await test.OpenAsync();
        await test.DeployAsync(door =>
        {
            door.Call("kv.set", """{"key":"n","if_version":0}""", "a");
            door.Write(Text(door.Call("kv.set", """{"key":"n","if_version":0}""", "b").Head));
            return 0;
        });

        var run = await test.RunAsync();

        Assert.Contains("conflict", await test.OutputAsync(run.Summary.Id));
    }

    [Fact]
    public async Task What_is_not_granted_is_denied_and_journaled()
    {
        await using var test = new TestPlatform();
        await test.OpenAsync();
        await test.DeployAsync(door =>
        {
            door.Write(Text(door.Call("github.create_comment").Head));
            door.Write(Text(door.Call("kv.frob").Head));
            return 0;
        });

        var run = await test.RunAsync();

        Assert.Equal(["github.create_comment", "kv.frob"], run.Operations.Select(o => o.Name));
        Assert.All(run.Operations, operation => Assert.Equal(OperationState.Error, operation.State));
        Assert.Contains("\"denied\"", run.Operations[0].Result);
        Assert.Contains("\"unknown-operation\"", run.Operations[1].Result);
    }

    [Fact]
    public async Task The_guest_chooses_status_and_headers_before_the_first_byte()
    {
        await using var test = new TestPlatform();
        await test.OpenAsync();
        await test.DeployAsync(door =>
        {
            door.Call("http.respond", """{"status":201,"headers":{"content-type":"text/html"}}""");
            door.Write("made");
            Assert.Equal(ResultState.Error, door.Call("http.respond", """{"status":500}""").State);
            return 0;
        });

        var id = await test.SendAsync();
        var answer = await test.Platform.AnswerAsync(id);

        Assert.Equal(201, answer.Status);
        Assert.Equal("text/html", answer.Headers["content-type"]);
        Assert.Equal("made", await test.OutputAsync(id));
    }

    [Fact]
    public async Task The_log_has_standard_error_and_log_write()
    {
        await using var test = new TestPlatform();
        await test.OpenAsync();
        await test.DeployAsync(door =>
        {
            door.Call("log.write", """{"level":"warn","message":"look","fields":{"n":1}}""");
            door.Write("oops", OutputStream.Log);
            return 0;
        });

        var run = await test.RunAsync();
        var log = await test.Platform.LogAsync(run.Summary.Id);

        Assert.Contains(log, entry => entry is { Level: "warn", Text: """look {"n":1}""" });
        Assert.Contains(log, entry => entry is { Level: "stderr", Text: "oops" });
    }

    [Fact]
    public async Task A_guest_that_waits_holds_no_slot()
    {
        await using var test = new TestPlatform { Slots = 1 };
        var release = new TaskCompletionSource();
        test.Outside.Arrived = _ => release.Task;
        await test.OpenAsync();
        await test.DeployAsync(door => (int)door.Call("http.fetch", """{"method":"GET","url":"/a"}""").State);
        await test.DeployAsync(_ => 0, name: "other");

        var waiting = await test.SendAsync();
        var other = await test.EndAsync(await test.SendAsync(flow: "other"));
        release.SetResult();

        Assert.Equal(RunOutcome.Completed, other.Summary.Outcome);
        Assert.Equal(RunOutcome.Completed, (await test.EndAsync(waiting)).Summary.Outcome);
    }

    [Fact]
    public async Task A_package_deployed_again_unchanged_keeps_its_version()
    {
        await using var test = new TestPlatform();
        await test.OpenAsync();
        const string Manifest = "millrace: 1\nname: f\nmodule: f.wasm\n";

        var first = await test.DeployFilesAsync("flow.yaml", Manifest, "f.wasm");
        var same = await test.DeployFilesAsync("flow.yaml", Manifest, "f.wasm");
        var other = await test.DeployFilesAsync("flow.yaml", Manifest + "on_failure: true\n", "f.wasm");

        Assert.Equal((1, true), (first.Version, first.IsNew));
        Assert.Equal((1, false), (same.Version, same.IsNew));
        Assert.Equal((2, true), (other.Version, other.IsNew));
    }

    static string Text(ReadOnlyMemory<byte> bytes) => Encoding.UTF8.GetString(bytes.Span);
}
