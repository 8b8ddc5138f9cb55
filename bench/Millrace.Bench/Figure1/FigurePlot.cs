using System.Globalization;
using System.Text;

namespace Millrace.Bench.Figure1;

/// <summary>The figure as a picture: a bar for each row, and the columns as text.</summary>
static class FigurePlot
{
    const int Width = 980, Line = 26, Top = 64, BarsFrom = 300, BarsTo = 560;
    static readonly int[] Columns = [640, 720, 800, 890, 965];
    static readonly string[] Heads = ["time, s", "GFLOPS", "over last", "over Python", "of peak"];

    /// <param name="title">What is measured.</param>
    /// <param name="rows">Name, the columns' texts, GFLOPS, and whether it is ours.</param>
    /// <param name="peak">GFLOPS at the right end.</param>
    public static string Draw(string title, (string Name, string[] Texts, double Gflops, bool IsOurs)[] rows, double peak)
    {
        // From a power of ten below the slowest row; each ten is as wide as the next.
        var from = Math.Floor(Math.Log10(rows.Min(row => row.Gflops)));
        double X(double gflops) => BarsFrom + ((BarsTo - BarsFrom) * (Math.Log10(gflops) - from) / (Math.Log10(peak) - from));
        var height = Top + (rows.Length * Line) + 34;
        var text = new StringBuilder();
        Write($"""
            <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {Width} {height}" font-family="sans-serif" font-size="12">
              <rect width="100%" height="100%" fill="white"/>
              <text x="12" y="24" font-size="15">{title}</text>
              <text x="{BarsFrom}" y="{Top - 12}">GFLOPS; each line is ten times the last</text>
            """);
        for (var i = 0; i < Heads.Length; i++)
            Write($"  <text x=\"{Columns[i]}\" y=\"{Top - 12}\" text-anchor=\"end\" font-weight=\"bold\">{Heads[i]}</text>");
        for (var ten = from; ten <= Math.Log10(peak); ten++)
            Write($"  <path d=\"M{X(Math.Pow(10, ten)):0.#} {Top} V{height - 34}\" stroke=\"#ddd\"/>");
        for (var i = 0; i < rows.Length; i++)
        {
            var (name, texts, gflops, isOurs) = rows[i];
            var y = Top + (i * Line);
            Write($"  <text x=\"{BarsFrom - 8}\" y=\"{y + 17}\" text-anchor=\"end\">{name}</text>");
            var (width, fill) = (X(gflops) - BarsFrom, isOurs ? "#0a62a9" : "#999");
            Write($"  <path d=\"M{BarsFrom} {y + 4} h{width:0.#} v{Line - 8} h{-width:0.#} z\" fill=\"{fill}\"/>");
            for (var column = 0; column < texts.Length; column++)
                Write($"  <text x=\"{Columns[column]}\" y=\"{y + 17}\" text-anchor=\"end\">{texts[column]}</text>");
        }
        Write($"  <path d=\"M{BarsFrom} {Top} V{height - 34} H{BarsTo}\" fill=\"none\" stroke=\"black\"/>");
        Write($"  <text x=\"{BarsTo}\" y=\"{height - 16}\" text-anchor=\"end\">peak: {peak:0} GFLOPS</text>\n</svg>");
        return text.ToString();

        void Write(FormattableString line) => text.AppendLine(line.ToString(CultureInfo.InvariantCulture));
    }
}
