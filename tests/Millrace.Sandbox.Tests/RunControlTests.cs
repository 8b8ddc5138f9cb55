using Millrace.Sandbox.Limits;
using Millrace.Wasm;

namespace Millrace.Sandbox.Tests;

public sealed class RunControlTests : IDisposable
{
    readonly FakeTimeProvider _time = new(Runs.StartedAtNs);
    readonly Store _store = new(Wat.Engine);
    readonly CancellationTokenSource _stop = new();
    readonly RunControl _control;

    public RunControlTests()
    {
        _control = new(new() { Wall = TimeSpan.FromMinutes(10) }, _time);
        _control.Begin(_store, _stop);
    }

    public void Dispose()
    {
        _store.Dispose();
        _stop.Dispose();
    }

    [Fact]
    public void Gives_re_execution_a_time_of_its_own()
    {
        Advance(9);
        Assert.Null(_control.Ended);
        _control.GoLive();
        Advance(9);
        Assert.Null(_control.Ended);
        _control.GoLive();
        Advance(2);

        Assert.Equal(new EndReason(RunEndKind.TimedOut, "the wall time of 600 s is used up"), _control.Ended);
    }

    [Fact]
    public void Ends_a_re_execution_that_takes_too_long()
    {
        Advance(11);

        Assert.Equal("the wall time of re-execution of 600 s is used up", _control.Ended?.Message);
    }

    [Fact]
    public void Ends_once()
    {
        _control.End(RunEndKind.Stopped, "first");
        _control.End(RunEndKind.TimedOut, "second");

        Assert.Equal("first", _control.Ended?.Message);
    }

    [Fact]
    public void Leaves_a_run_alone_that_is_over()
    {
        _control.Finish();
        Advance(100);

        Assert.Null(_control.Ended);
    }

    void Advance(int minutes)
    {
        _time.Elapsed += TimeSpan.FromMinutes(minutes);
        _control.CheckTime();
    }
}
