using System.Globalization;
using System.Text.RegularExpressions;

namespace Millrace.Flows.Manifests;

/// <summary>Durations and sizes as manifests write them: one whole number and one unit.</summary>
static partial class Units
{
    public static bool TryDuration(string text, out TimeSpan value)
    {
        value = default;
        var match = DurationPattern().Match(text);
        if (!match.Success) return false;
        var number = long.Parse(match.Groups[1].ValueSpan, CultureInfo.InvariantCulture);
        value = match.Groups[2].Value switch
        {
            "ms" => TimeSpan.FromMilliseconds(number),
            "s" => TimeSpan.FromSeconds(number),
            "m" => TimeSpan.FromMinutes(number),
            "h" => TimeSpan.FromHours(number),
            _ => TimeSpan.FromDays(number),
        };
        return true;
    }

    public static bool TrySize(string text, out long value)
    {
        value = 0;
        var match = SizePattern().Match(text);
        if (!match.Success) return false;
        var shift = match.Groups[2].Value switch { "KiB" => 10, "MiB" => 20, "GiB" => 30, _ => 0 };
        value = long.Parse(match.Groups[1].ValueSpan, CultureInfo.InvariantCulture) << shift;
        return true;
    }

    public static string Text(TimeSpan value) => value switch
    {
        { Milliseconds: not 0 } => Invariant($"{value.TotalMilliseconds:0}ms"),
        { Seconds: not 0 } => Invariant($"{value.TotalSeconds:0}s"),
        { Minutes: not 0 } => Invariant($"{value.TotalMinutes:0}m"),
        { Hours: not 0 } => Invariant($"{value.TotalHours:0}h"),
        _ => Invariant($"{value.TotalDays:0}d"),
    };

    public static string SizeText(long value) => value switch
    {
        > 0 when value % (1 << 30) == 0 => Invariant($"{value >> 30}GiB"),
        > 0 when value % (1 << 20) == 0 => Invariant($"{value >> 20}MiB"),
        > 0 when value % (1 << 10) == 0 => Invariant($"{value >> 10}KiB"),
        _ => Invariant($"{value}B"),
    };

    static string Invariant(FormattableString text) => FormattableString.Invariant(text);

    [GeneratedRegex(@"\A([0-9]{1,9})(ms|s|m|h|d)\z", RegexOptions.CultureInvariant)]
    private static partial Regex DurationPattern();

    [GeneratedRegex(@"\A([0-9]{1,9})(B|KiB|MiB|GiB)\z", RegexOptions.CultureInvariant)]
    private static partial Regex SizePattern();
}
