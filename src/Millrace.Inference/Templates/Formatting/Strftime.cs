using System.Globalization;
using System.Text;

namespace Millrace.Inference.Templates.Formatting;

/// <summary>C's <c>strftime</c> in the C locale, for a local time without a zone.</summary>
static class Strftime
{
    static readonly DateTimeFormatInfo Names = CultureInfo.InvariantCulture.DateTimeFormat;

    public static string Format(string format, DateTime time)
    {
        var built = new StringBuilder();
        for (var i = 0; i < format.Length; i++)
        {
            if (format[i] != '%' || i + 1 == format.Length)
            {
                built.Append(format[i]);
                continue;
            }

            i++;
            var isBare = format[i] == '-' && i + 1 < format.Length;
            if (isBare) i++;
            var field = Field(format[i], time) ?? (isBare ? "%-" : "%") + format[i];
            built.Append(isBare && field.All(c => char.IsAsciiDigit(c) || c == ' ') ? Bare(field) : field);
        }

        return built.ToString();
    }

    static string Bare(string number) => number.TrimStart('0', ' ') is { Length: > 0 } bare ? bare : "0";

    static string? Field(char letter, DateTime time) => letter switch
    {
        'Y' => time.Year.ToString(CultureInfo.InvariantCulture),
        'y' => Two(time.Year % 100),
        'C' => Two(time.Year / 100),
        'm' => Two(time.Month),
        'd' => Two(time.Day),
        'e' => $"{time.Day,2}",
        'j' => $"{time.DayOfYear:000}",
        'H' => Two(time.Hour),
        'I' => Two((time.Hour + 11) % 12 + 1),
        'k' => $"{time.Hour,2}",
        'l' => $"{(time.Hour + 11) % 12 + 1,2}",
        'M' => Two(time.Minute),
        'S' => Two(time.Second),
        'f' => $"{time.Ticks % TimeSpan.TicksPerSecond / 10:000000}",
        'p' => time.Hour < 12 ? "AM" : "PM",
        'P' => time.Hour < 12 ? "am" : "pm",
        'A' => Names.GetDayName(time.DayOfWeek),
        'a' => Names.GetAbbreviatedDayName(time.DayOfWeek),
        'B' => Names.GetMonthName(time.Month),
        'b' or 'h' => Names.GetAbbreviatedMonthName(time.Month),
        'w' => $"{(int)time.DayOfWeek}",
        'u' => $"{((int)time.DayOfWeek + 6) % 7 + 1}",
        'U' => Two((time.DayOfYear + 6 - (int)time.DayOfWeek) / 7),
        'W' => Two((time.DayOfYear + 6 - ((int)time.DayOfWeek + 6) % 7) / 7),
        'V' => Two(ISOWeek.GetWeekOfYear(time)),
        'G' => ISOWeek.GetYear(time).ToString(CultureInfo.InvariantCulture),
        'g' => Two(ISOWeek.GetYear(time) % 100),
        'c' => Format("%a %b %e %H:%M:%S %Y", time),
        'x' or 'D' => Format("%m/%d/%y", time),
        'X' or 'T' => Format("%H:%M:%S", time),
        'F' => Format("%Y-%m-%d", time),
        'R' => Format("%H:%M", time),
        'r' => Format("%I:%M:%S %p", time),
        'Z' or 'z' => "",
        'n' => "\n",
        't' => "\t",
        '%' => "%",
        _ => null,
    };

    static string Two(int number) => number.ToString("00", CultureInfo.InvariantCulture);
}
