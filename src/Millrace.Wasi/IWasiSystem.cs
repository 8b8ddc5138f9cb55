namespace Millrace.Wasi;

/// <summary>The clocks of preview 1.</summary>
public enum WasiClock
{
    /// <summary>Time since the Unix epoch.</summary>
    Realtime = 0,
    /// <summary>Time that never goes back.</summary>
    Monotonic = 1,
    /// <summary>CPU time of the process.</summary>
    ProcessCpu = 2,
    /// <summary>CPU time of the thread.</summary>
    ThreadCpu = 3,
}

/// <summary>
/// Time and chance, the part of WASI that differs by mode: the machine's for a program, a run's own in flow mode.
/// Called on the guest's thread.
/// </summary>
public interface IWasiSystem
{
    /// <summary>Reads a clock, in nanoseconds.</summary>
    long ReadClock(WasiClock clock);

    /// <summary>The smallest step of a clock, in nanoseconds.</summary>
    long ClockResolution(WasiClock clock);

    /// <summary>Fills a buffer with random bytes.</summary>
    void FillRandom(Span<byte> buffer);

    /// <summary>Blocks the guest; false when the time could not be waited out.</summary>
    bool Sleep(ulong nanoseconds);
}
