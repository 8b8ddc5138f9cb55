using Millrace.Wasi.Abi;

namespace Millrace.Wasi.Calls;

/// <summary><c>clock_*</c> and <c>random_get</c>.</summary>
static class ClockCalls
{
    public static readonly CallEntry[] Entries =
    [
        new("clock_res_get", "ii", Resolution),
        new("clock_time_get", "iIi", Time),
        new("random_get", "ii", Random),
    ];

    public static bool TryClock(uint id, out WasiClock clock)
    {
        clock = (WasiClock)id;
        return id <= (uint)WasiClock.ThreadCpu;
    }

    static Errno Resolution(WasiContext wasi, IGuestMemory memory, Arguments arguments)
    {
        if (!TryClock(arguments.U32(0), out var clock)) return Errno.Inval;
        memory.WriteU64(arguments.U32(1), (ulong)wasi.System.ClockResolution(clock));
        return Errno.Success;
    }

    // The precision asked for is a hint; these clocks are always read at their best.
    static Errno Time(WasiContext wasi, IGuestMemory memory, Arguments arguments)
    {
        if (!TryClock(arguments.U32(0), out var clock)) return Errno.Inval;
        _ = memory.Bytes(arguments.U32(2), 8);
        memory.WriteU64(arguments.U32(2), (ulong)wasi.System.ReadClock(clock));
        return Errno.Success;
    }

    static Errno Random(WasiContext wasi, IGuestMemory memory, Arguments arguments)
    {
        wasi.System.FillRandom(memory.Bytes(arguments.U32(0), arguments.U32(1)));
        return Errno.Success;
    }
}
