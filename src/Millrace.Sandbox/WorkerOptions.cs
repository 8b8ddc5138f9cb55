using System.Collections.Immutable;
using Millrace.Wasm;

namespace Millrace.Sandbox;

/// <summary>How worker processes are started, and how long they live.</summary>
public sealed record WorkerOptions
{
    /// <summary>
    /// Starts a worker: program and arguments; the socket's path is added. A launcher that confines what it starts
    /// stands in front here.
    /// </summary>
    public required ImmutableArray<string> Command { get; init; }

    /// <summary>Workers that are started and serve nobody yet.</summary>
    public int Spares { get; init; } = 1;

    /// <summary>How long after a spare was taken the next one is started: the run that took it goes first.</summary>
    public TimeSpan SpareDelay { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>What a worker may take for its first word.</summary>
    public TimeSpan StartTimeout { get; init; } = TimeSpan.FromSeconds(20);

    /// <summary>What a worker may take to compile a module.</summary>
    public TimeSpan LoadTimeout { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>What a worker may take to end a run that it was told to end; then it is killed.</summary>
    public TimeSpan StopGrace { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>A worker that takes nothing from its socket for so long is killed.</summary>
    public TimeSpan SendTimeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>After so many runs a worker is replaced.</summary>
    public int RunsMax { get; init; } = 1000;

    /// <summary>After so many modules a worker is replaced: old versions of a flow stay in it until then.</summary>
    public int ModulesMax { get; init; } = 16;

    /// <summary>At this age a worker is replaced.</summary>
    public TimeSpan AgeMax { get; init; } = TimeSpan.FromHours(4);

    /// <summary>A worker that is larger when a run ends is replaced.</summary>
    public long MemoryBytesMax { get; init; } = 256L << 20;

    /// <summary>
    /// A worker without a run for so long is ended. Until then its modules are compiled, which takes longer than many
    /// a run; after that its memory is somebody else's.
    /// </summary>
    public TimeSpan IdleMax { get; init; } = TimeSpan.FromMinutes(30);

    /// <summary>Where machine code of modules lies, which workers load; null: the JIT compiles all.</summary>
    public CodeCache? Cache { get; init; }

    /// <summary>
    /// Whether modules that the cache lacks are compiled ahead of time, beside the runs; until they are, the JIT serves
    /// them.
    /// </summary>
    public bool IsAheadOfTime { get; init; }

    /// <summary>The clock of ages and time-outs.</summary>
    public TimeProvider Time { get; init; } = TimeProvider.System;

    /// <summary>Takes one sentence about something a person should know.</summary>
    public Action<string> Notice { get; init; } = _ => { };
}

/// <summary>A worker as it is now.</summary>
/// <param name="ProcessId">Of its process.</param>
/// <param name="Group">The trust group that it serves; empty: none yet.</param>
/// <param name="Runs">Runs that it executes now.</param>
/// <param name="MemoryBytes">What it said last of its size; 0: nothing yet.</param>
public sealed record WorkerState(int ProcessId, string Group, int Runs, long MemoryBytes);
