namespace Millrace.Sandbox.Tests;

/// <summary>Time that stands still; its timers ring as soon as they can.</summary>
sealed class FakeTimeProvider(long nowNs) : TimeProvider
{
    public override DateTimeOffset GetUtcNow() => DateTimeOffset.UnixEpoch.AddTicks(nowNs / TimeSpan.NanosecondsPerTick);

    /// <summary>How much of time has gone by.</summary>
    public TimeSpan Elapsed { get; set; }

    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    public override long GetTimestamp() => Elapsed.Ticks;

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) =>
        base.CreateTimer(callback, state, TimeSpan.Zero, period);
}
