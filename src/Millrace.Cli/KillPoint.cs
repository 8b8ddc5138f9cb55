using System.Diagnostics;
using System.Globalization;

namespace Millrace.Cli;

/// <summary>
/// For the kill test: ends this process by SIGKILL when a point of an operation is reached for the nth time, so that
/// nothing is flushed and nobody is told. Of several points each holds the run that reaches it, and the process dies
/// when the last one is reached: one life of a server then stands for as many kills.
/// </summary>
sealed class KillPoint
{
    const char FileMark = '@';

    static readonly string[] Points = ["before-intent", "after-intent", "after-reply", "after-commit"];

    readonly string? _file;
    readonly Lock _lock = new();
    List<Target>? _targets;

    sealed record Target(string Point, string Operation, int Nth)
    {
        public int Hits { get; set; }
    }

    KillPoint(string? file, List<Target>? targets) => (_file, _targets) = (file, targets);

    /// <summary>
    /// Reads <c>point:operation:nth</c>, several with commas between; or <c>@file</c>: from the moment that this file
    /// is there it holds them, so that what goes on from an earlier life is not counted.
    /// </summary>
    public static KillPoint Parse(string text) =>
        text.StartsWith(FileMark) ? new(text[1..], null) : new(null, [.. text.Split(',').Select(Read)]);

    static Target Read(string text)
    {
        var parts = text.Trim().Split(':');
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
        lock (_lock)
        {
            if (_targets is null && File.Exists(_file)) _targets = [.. File.ReadAllText(_file).Split(',').Select(Read)];
            if (_targets?.Find(target => target.Point == point && target.Operation == operation) is not { } target)
                return;
            if (++target.Hits < target.Nth) return;
            _targets.Remove(target);
            if (_targets.Count == 0)
            {
                using var self = Process.GetCurrentProcess();
                self.Kill();
            }
        }

        // Held where it is: the process dies with it.
        Thread.CurrentThread.Join(Timeout.Infinite);
    }
}
