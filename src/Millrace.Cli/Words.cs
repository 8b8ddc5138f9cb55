using System.Globalization;

namespace Millrace.Cli;

/// <summary>Times and amounts as listings write them.</summary>
static class Words
{
    public static string At(DateTimeOffset time) =>
        time.ToLocalTime().ToString("yyyy-MM-dd HH:mm:ss", CultureInfo.InvariantCulture);

    public static string Took(TimeSpan time) => time switch
    {
        { TotalMilliseconds: < 1000 } => Write($"{time.TotalMilliseconds:0} ms"),
        { TotalSeconds: < 60 } => Write($"{time.TotalSeconds:0.0} s"),
        { TotalMinutes: < 60 } => Write($"{time.Minutes} min {time.Seconds} s"),
        _ => Write($"{(int)time.TotalHours} h {time.Minutes} min"),
    };

    public static string Size(long bytes) => bytes switch
    {
        < 1 << 10 => Write($"{bytes} B"),
        < 1 << 20 => Write($"{bytes / 1024.0:0.0} KiB"),
        < 1 << 30 => Write($"{bytes / 1048576.0:0.0} MiB"),
        _ => Write($"{bytes / 1073741824.0:0.0} GiB"),
    };

    public static string Count(long number, string noun) => Write($"{number:N0} {noun}{(number == 1 ? "" : "s")}");

    /// <summary>Words of a stranger's: what could steer a terminal is written out.</summary>
    public static string Plain(string text) => string.Concat(text.Select(
        letter => char.IsControl(letter) ? Write($"\\u{(int)letter:x4}") : letter.ToString()));

    static string Write(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
