namespace Millrace.Flows.Door;

/// <summary>The two readings of the platform's clock.</summary>
static class Clock
{
    /// <summary>Nanoseconds since the Unix epoch.</summary>
    public static long Ns(TimeProvider time) => (time.GetUtcNow() - DateTimeOffset.UnixEpoch).Ticks * 100;

    /// <summary>Milliseconds since the Unix epoch.</summary>
    public static long Ms(TimeProvider time) => time.GetUtcNow().ToUnixTimeMilliseconds();
}
