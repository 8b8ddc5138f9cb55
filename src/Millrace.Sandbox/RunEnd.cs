using System.Collections.Immutable;
using Millrace.Wasm;

namespace Millrace.Sandbox;

/// <summary>How an execution ended, as the sandbox sees it.</summary>
public enum RunEndKind
{
    /// <summary>The guest returned, or called <c>proc_exit</c>; see the exit code.</summary>
    Exited,
    /// <summary>The guest trapped, or threw an exception that nothing caught.</summary>
    Trapped,
    /// <summary>The guest needed more memory than its limit, from the start or later, and died of it.</summary>
    OutOfMemory,
    /// <summary>The instruction budget is used up.</summary>
    OutOfFuel,
    /// <summary>Wall or CPU time is used up.</summary>
    TimedOut,
    /// <summary>Re-execution did something else than the journal says.</summary>
    Diverged,
    /// <summary>The host stopped it (<see cref="SandboxRun.Stop"/>).</summary>
    Stopped,
}

/// <summary>The end of an execution.</summary>
/// <param name="Kind">How it ended.</param>
/// <param name="ExitCode">For <see cref="RunEndKind.Exited"/>.</param>
/// <param name="Message">One sentence for a person; empty for exit code 0.</param>
public sealed record RunEnd(RunEndKind Kind, int ExitCode, string Message)
{
    /// <summary>For <see cref="RunEndKind.Trapped"/>: why; null for an exception.</summary>
    public TrapCode? Trap { get; init; }

    /// <summary>Guest frames, innermost first.</summary>
    public ImmutableArray<string> Backtrace { get; init; } = [];

    /// <summary>CPU time of the guest.</summary>
    public TimeSpan Cpu { get; init; }

    /// <summary>Most bytes of linear memory at one time.</summary>
    public long MemoryBytesPeak { get; init; }
}
