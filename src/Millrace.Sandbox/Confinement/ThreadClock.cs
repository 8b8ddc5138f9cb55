using System.Diagnostics;
using System.Runtime.InteropServices;

namespace Millrace.Sandbox.Confinement;

/// <summary>
/// CPU time of one thread, readable from any other. Where the system does not tell it, the time in which the thread
/// was not waiting at the door stands in.
/// </summary>
sealed unsafe partial class ThreadClock
{
    // The kernel's clock of another thread: its id inverted, with the bits "one thread" and "as scheduled".
    const int PerThread = 4;
    const int Scheduled = 2;

    readonly int? _clock;
    long _waitedSince;
    long _waited;
    readonly long _startedAt = Stopwatch.GetTimestamp();

    ThreadClock(int? clock) => _clock = clock;

    struct Timespec
    {
        public long Seconds;
        public long Nanoseconds;
    }

    /// <summary>The clock of the calling thread.</summary>
    public static ThreadClock OfThisThread()
    {
        if (!OperatingSystem.IsLinux()) return new(null);
        var clock = (~Gettid() << 3) | PerThread | Scheduled;
        Timespec now;
        return new(ClockGettime(clock, &now) == 0 ? clock : null);
    }

    public TimeSpan Read()
    {
        if (_clock is not { } clock) return ReadBusy();
        Timespec now;
        return ClockGettime(clock, &now) == 0
            ? TimeSpan.FromTicks(now.Seconds * TimeSpan.TicksPerSecond + now.Nanoseconds / TimeSpan.NanosecondsPerTick)
            : ReadBusy();
    }

    /// <summary>Told by the thread itself before it waits and after.</summary>
    public void Wait(bool isWaiting)
    {
        var now = Stopwatch.GetTimestamp();
        if (isWaiting) Volatile.Write(ref _waitedSince, now);
        else _waited += now - Interlocked.Exchange(ref _waitedSince, 0);
    }

    TimeSpan ReadBusy()
    {
        var since = Volatile.Read(ref _waitedSince);
        var until = since == 0 ? Stopwatch.GetTimestamp() : since;
        return Stopwatch.GetElapsedTime(_startedAt + _waited, until);
    }

    [LibraryImport("libc", EntryPoint = "gettid")]
    private static partial int Gettid();

    [LibraryImport("libc", EntryPoint = "clock_gettime")]
    private static partial int ClockGettime(int clock, Timespec* time);
}
