using System.Globalization;
using System.Text;

namespace Millrace.Fuzz.Hostile;

/// <summary>How soon each hostile module that must be stopped has stopped.</summary>
static class HostileStops
{
    const int Rounds = 10;

    /// <summary>A table, as Markdown.</summary>
    public static string Table()
    {
        var text = new StringBuilder($"| module | by the clock: median of {Rounds} | longest | of the CPU: median | longest |\n|---|---:|---:|---:|---:|\n");
        foreach (var name in HostileCase.Names)
        {
            var attack = HostileCase.Read(name);
            if (attack.Expected != "stopped") continue;
            var times = Enumerable.Range(0, Rounds)
                .Select(_ => HostileRun.TimeToStop(attack) ?? throw new InvalidOperationException($"{name} ended by itself"))
                .ToArray();
            text.Append(CultureInfo.InvariantCulture,
                $"| {name} | {Shown(times.Select(time => time.Wall))} | {Shown(times.Select(time => time.Cpu))} |\n");
        }

        return text.ToString();
    }

    static string Shown(IEnumerable<TimeSpan> times)
    {
        var sorted = times.Order().ToArray();
        return string.Create(CultureInfo.InvariantCulture,
            $"{sorted[Rounds / 2].TotalMilliseconds:0.0} ms | {sorted[^1].TotalMilliseconds:0.0} ms");
    }
}
