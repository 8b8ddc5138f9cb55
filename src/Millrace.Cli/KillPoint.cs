using System.Diagnostics;
using System.Globalization;

namespace Millrace.Cli;

/// <summary>
/// For the kill test: ends this process by SIGKILL when a point of an operation is reached for the nth time, so that
/// nothing is flushed and nobody is told.
/// </summary>
sealed class KillPoint
{
    static readonly string[] Points = ["before-intent", "after-intent", "after-reply", "after-commit"];

    readonly string _point;
    readonly string _operation;
    readonly int _nth;
    int _hits;

    KillPoint(string point, string operation, int nth) => (_point, _operation, _nth) = (point, operation, nth);

    /// <summary>Reads <c>point:operation:nth</c>.</summary>
    public static KillPoint Parse(string text)
    {
        var parts = text.Split(':');
        var isPoint = parts is [var point, _, _] && Points.Contains(point);
        var nth = 0;
        if (isPoint) _ = int.TryParse(parts[2], NumberStyles.None, CultureInfo.InvariantCulture, out nth);
        if (nth < 1)
        {
            throw new CommandException(
                $"MILLRACE_FAILPOINT={text}: write POINT:OPERATION:NTH; points are {string.Join(", ", Points)}");
        }

        return new(parts[0], parts[1], nth);
    }

    public void Hit(string point, string operation)
    {
        if (point != _point || operation != _operation || Interlocked.Increment(ref _hits) != _nth) return;
        using var self = Process.GetCurrentProcess();
        self.Kill();
    }
}
