using System.Diagnostics;
using System.Globalization;

namespace Millrace.Inference.Worker;

/// <summary>How many cores other processes leave to this one: those that idle, and what it uses itself.</summary>
sealed class FreeCores
{
    // The kernel counts idle time in hundredths of a second; what was long ago says nothing of now.
    static readonly TimeSpan WindowMin = TimeSpan.FromMilliseconds(300);
    static readonly TimeSpan WindowMax = TimeSpan.FromSeconds(5);
    const double TicksPerSecond = 100;

    // Of the first line of /proc/stat: "cpu", user, nice, system, idle.
    const int IdleField = 4;
    const int HeadBytes = 256;

    readonly byte[] _head = new byte[HeadBytes];
    long _stamp;
    double _used;

    /// <summary>On the average since it was looked at before; null while that is not known, or the system does not tell.</summary>
    public double? Count { get; private set; }

    /// <summary>Looks anew where enough time has passed.</summary>
    public void Look()
    {
        if (!OperatingSystem.IsLinux()) return;
        var took = Stopwatch.GetElapsedTime(_stamp);
        if (_stamp != 0 && took < WindowMin) return;
        if (Idle() is not { } idle) return;
        var used = idle + Environment.CpuUsage.TotalTime.TotalSeconds;
        Count = _stamp != 0 && took < WindowMax ? (used - _used) / took.TotalSeconds : null;
        (_stamp, _used) = (Stopwatch.GetTimestamp(), used);
    }

    /// <summary>Seconds that the cores idled since the system's start, all together.</summary>
    double? Idle()
    {
        try
        {
            using var file = new FileStream("/proc/stat", FileMode.Open, FileAccess.Read, FileShare.ReadWrite, bufferSize: 0);
            var text = System.Text.Encoding.ASCII.GetString(_head, 0, file.Read(_head));
            var fields = text.Split('\n')[0].Split(' ', StringSplitOptions.RemoveEmptyEntries);
            return long.Parse(fields[IdleField], CultureInfo.InvariantCulture) / TicksPerSecond;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or FormatException or IndexOutOfRangeException)
        {
            // A sandbox without /proc: as on systems that have none.
            return null;
        }
    }
}
