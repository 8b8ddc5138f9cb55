using System.Diagnostics;
using System.Security.Cryptography;
using Millrace.Wasm;

namespace Millrace.Wasi.Calls;

/// <summary>The machine's clocks and randomness.</summary>
sealed class MachineSystem(TimeProvider time, CancellationToken stop = default) : IWasiSystem
{
    const long NanosecondsPerSecond = 1_000_000_000;

    public long ReadClock(WasiClock clock) => clock switch
    {
        WasiClock.Realtime => (time.GetUtcNow() - DateTimeOffset.UnixEpoch).Ticks * TimeSpan.NanosecondsPerTick,
        WasiClock.Monotonic => (long)((Int128)time.GetTimestamp() * NanosecondsPerSecond / time.TimestampFrequency),
        // .NET knows no CPU time of one thread; a guest is one thread, so the process' is the nearest truth.
        _ => (long)Process.GetCurrentProcess().TotalProcessorTime.TotalNanoseconds,
    };

    public long ClockResolution(WasiClock clock) => clock == WasiClock.Monotonic
        ? Math.Max(1, NanosecondsPerSecond / time.TimestampFrequency)
        : TimeSpan.NanosecondsPerTick;

    public void FillRandom(Span<byte> buffer) => RandomNumberGenerator.Fill(buffer);

    public bool Sleep(ulong nanoseconds)
    {
        using var elapsed = new ManualResetEventSlim();
        const ulong LongestMs = uint.MaxValue - 1;
        var ms = Math.Min(LongestMs, nanoseconds / 1_000_000 + (nanoseconds % 1_000_000 == 0 ? 0UL : 1));
        using var timer = time.CreateTimer(
            static state => ((ManualResetEventSlim)state!).Set(), elapsed, TimeSpan.FromMilliseconds(ms),
            Timeout.InfiniteTimeSpan);
        try
        {
            elapsed.Wait(stop);
            return true;
        }
        catch (OperationCanceledException)
        {
            throw new TrapException(TrapCode.Interrupted);
        }
    }
}
