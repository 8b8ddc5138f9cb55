using System.Globalization;

namespace Millrace.Bench;

/// <summary>Resident memory over deploys, as a line from zero up.</summary>
static class MemoryPlot
{
    const int Width = 720;
    const int Height = 280;
    const int Edge = 40;

    public static string Svg(string title, int deploys, IReadOnlyList<double> resident)
    {
        var top = Math.Ceiling(resident.Max() / 50) * 50;
        double X(int i) => Edge + ((Width - (2.0 * Edge)) * (i + 1) / resident.Count);
        double Y(double value) => Height - Edge - ((Height - (2.0 * Edge)) * value / top);
        var line = string.Join(' ', resident.Select((value, i) => string.Create(
            CultureInfo.InvariantCulture, $"{X(i):0.#},{Y(value):0.#}")));
        return string.Create(CultureInfo.InvariantCulture, $"""
            <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {Width} {Height}" font-family="sans-serif" font-size="12">
              <rect width="100%" height="100%" fill="white"/>
              <text x="{Edge}" y="20">{title}</text>
              <path d="M{Edge} {Edge} V{Height - Edge} H{Width - Edge}" fill="none" stroke="black"/>
              <text x="{Edge - 6}" y="{Edge + 4}" text-anchor="end">{top:0}</text>
              <text x="{Edge - 6}" y="{Height - Edge + 4}" text-anchor="end">0</text>
              <text x="{Width - Edge}" y="{Height - 20}" text-anchor="end">{deploys:#,0}</text>
              <polyline points="{line}" fill="none" stroke="#0a62a9" stroke-width="2"/>
            </svg>
            """);
    }
}
