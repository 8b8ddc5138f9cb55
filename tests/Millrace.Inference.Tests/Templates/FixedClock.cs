namespace Millrace.Inference.Tests.Templates;

/// <summary>The moment at which the reference rendered.</summary>
sealed class FixedClock : TimeProvider
{
    public static readonly FixedClock Cases = new();

    public override TimeZoneInfo LocalTimeZone => TimeZoneInfo.Utc;

    public override DateTimeOffset GetUtcNow() => new(2025, 1, 2, 3, 4, 5, TimeSpan.Zero);
}
