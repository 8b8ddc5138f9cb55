using Millrace.Flows.Door;
using Millrace.Flows.Storage;
using Millrace.Sandbox;

namespace Millrace.Flows.Execution;

/// <summary>From the end of a guest to the outcome of its run.</summary>
static class Outcomes
{
    public static RunEnding Of(TimeProvider time, RunEnd end) => new()
    {
        Outcome = end.Kind switch
        {
            RunEndKind.Exited => end.ExitCode == 0 ? RunOutcome.Completed : RunOutcome.Failed,
            RunEndKind.Trapped => RunOutcome.Trapped,
            RunEndKind.OutOfMemory => RunOutcome.OutOfMemory,
            RunEndKind.OutOfFuel => RunOutcome.OutOfFuel,
            RunEndKind.TimedOut => RunOutcome.TimedOut,
            RunEndKind.Diverged => RunOutcome.Diverged,
            RunEndKind.Stopped => RunOutcome.Lost,
            _ => throw new ArgumentOutOfRangeException(nameof(end), end.Kind, "No such end."),
        },
        ExitCode = end.ExitCode,
        Message = Message(end),
        CpuMs = (long)end.Cpu.TotalMilliseconds,
        MemoryBytesPeak = end.MemoryBytesPeak,
        EndedMs = Clock.Ms(time),
    };

    static string Message(RunEnd end) => end.Backtrace.IsEmpty
        ? end.Message
        : $"{end.Message}\n{string.Join('\n', end.Backtrace.Select(frame => "  at " + frame))}";
}
