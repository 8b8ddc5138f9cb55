using System.Globalization;

namespace Millrace.Cli;

/// <summary>Amounts as options take them.</summary>
static class Amounts
{
    // Timers count milliseconds in 32 bits.
    const double LongestMs = uint.MaxValue - 1;

    static readonly (string Suffix, double Ms)[] Times =
        [("ms", 1), ("s", 1000), ("m", 60_000), ("h", 3_600_000), ("", 1000)];

    static readonly (string Suffix, long Bytes)[] Sizes =
    [
        ("KiB", 1L << 10), ("MiB", 1L << 20), ("GiB", 1L << 30),
        ("K", 1L << 10), ("M", 1L << 20), ("G", 1L << 30), ("B", 1), ("", 1),
    ];

    /// <summary>A number of things, none included.</summary>
    public static long Count(string option, string text) =>
        long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var count)
            ? count
            : throw new CommandException($"{option} {text}: write a number, as 1000000");

    /// <summary>A time above zero.</summary>
    public static TimeSpan Time(string option, string text)
    {
        var (suffix, ms) = Times.First(unit => text.EndsWith(unit.Suffix, StringComparison.Ordinal));
        var isNumber = double.TryParse(
            text.AsSpan(0, text.Length - suffix.Length), NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture,
            out var number);
        if (!isNumber || number * ms is not (>= 1 and <= LongestMs))
            throw new CommandException($"{option} {text}: write a time from 1ms to 1000h, as 500ms, 10s or 5m");
        return TimeSpan.FromMilliseconds(number * ms);
    }

    /// <summary>A number of bytes.</summary>
    public static long Bytes(string option, string text)
    {
        var (suffix, bytes) = Sizes.First(unit => text.EndsWith(unit.Suffix, StringComparison.Ordinal));
        var isNumber = long.TryParse(
            text.AsSpan(0, text.Length - suffix.Length), NumberStyles.None, CultureInfo.InvariantCulture,
            out var number);
        if (!isNumber || number > long.MaxValue / bytes)
            throw new CommandException($"{option} {text}: write a number of bytes, or as 64KiB, 256MiB, 2GiB");
        return number * bytes;
    }
}
