using Millrace.Cli.Pulling;

namespace Millrace.Cli.Tests;

public sealed class PullMeterTests
{
    [Fact]
    public void A_pull_is_told_with_its_share_rate_and_rest()
    {
        var clock = new StepClock();
        var meter = new PullMeter(clock);

        var first = meter.Line(new(0, 100 << 20));
        clock.Seconds = 2;
        var second = meter.Line(new(50 << 20, 100 << 20));
        var waiting = meter.Line(new(50 << 20, 100 << 20, "the connection broke off"));
        var unknown = meter.Line(new(1 << 20, null));

        Assert.Equal("──────────────────────── 0 %  0 B of 100.0 MiB", first);
        Assert.Equal("━━━━━━━━━━━━──────────── 50 %  50.0 MiB of 100.0 MiB  25.0 MiB/s  2.0 s left", second);
        Assert.Equal(("the connection broke off", "1.0 MiB"), (waiting, unknown));
    }

    sealed class StepClock : TimeProvider
    {
        public long Seconds { get; set; }

        public override long GetTimestamp() => Seconds * TimestampFrequency;
    }
}
