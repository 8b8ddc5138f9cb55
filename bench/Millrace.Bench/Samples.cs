using System.Diagnostics;
using System.Globalization;

namespace Millrace.Bench;

/// <summary>Durations, and what is said of them.</summary>
sealed class Samples
{
    readonly List<TimeSpan> _all = [];

    public int Count => _all.Count;

    public double P50Ms => At(0.5).TotalMilliseconds;

    public void Add(TimeSpan sample) => _all.Add(sample);

    /// <summary>Adds the time since a stamp of <see cref="Stopwatch"/>.</summary>
    public void AddSince(long stamp) => Add(Stopwatch.GetElapsedTime(stamp));

    /// <summary>The smallest sample that at least this part of all does not exceed.</summary>
    public TimeSpan At(double part)
    {
        var sorted = _all.Order().ToArray();
        return sorted[Math.Clamp((int)Math.Ceiling(part * sorted.Length) - 1, 0, sorted.Length - 1)];
    }

    public string Ms(double part) => Number(At(part).TotalMilliseconds, "ms");

    public string Microseconds(double part) => Number(At(part).TotalMicroseconds, "µs");

    public static string Number(double value, string unit) =>
        value.ToString(value < 10 ? "0.00" : "0.0", CultureInfo.InvariantCulture) + (unit.Length > 0 ? $" {unit}" : "");
}
