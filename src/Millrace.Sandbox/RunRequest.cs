using System.Collections.Immutable;

namespace Millrace.Sandbox;

/// <summary>What a sandbox needs to execute one run, or to execute it again from its journal.</summary>
public sealed record RunRequest
{
    /// <summary>The run's id, for messages.</summary>
    public required string RunId { get; init; }

    /// <summary>Program arguments; the first is the program's name.</summary>
    public ImmutableArray<string> Arguments { get; init; } = [];

    /// <summary>Environment variables.</summary>
    public ImmutableSortedDictionary<string, string> Environment { get; init; } =
        ImmutableSortedDictionary<string, string>.Empty;

    /// <summary>Standard input: the event's body, byte for byte.</summary>
    public ReadOnlyMemory<byte> Input { get; init; }

    /// <summary>Read-only files, by absolute guest path.</summary>
    public ImmutableSortedDictionary<string, ReadOnlyMemory<byte>> Assets { get; init; } =
        ImmutableSortedDictionary<string, ReadOnlyMemory<byte>>.Empty;

    /// <summary>The run's start in nanoseconds since the Unix epoch: the first reading of every clock.</summary>
    public required long StartedAtNs { get; init; }

    /// <summary>32 bytes that key <c>random_get</c>; as secret as the journal.</summary>
    public required ReadOnlyMemory<byte> Seed { get; init; }

    /// <summary>Limits of this execution.</summary>
    public RunLimits Limits { get; init; } = new();

    /// <summary>What the journal already holds; empty for a first execution.</summary>
    public JournalPrefix Journal { get; init; } = JournalPrefix.Empty;
}

/// <summary>Limits of one execution. CPU and wall time count only past the journal's end.</summary>
public sealed record RunLimits
{
    /// <summary>Bytes of linear memory.</summary>
    public long MemoryBytesMax { get; init; } = 64L << 20;

    /// <summary>Wall time past the journal's end.</summary>
    public TimeSpan Wall { get; init; } = TimeSpan.FromMinutes(10);

    /// <summary>CPU time of the guest past the journal's end.</summary>
    public TimeSpan Cpu { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>Bytes of files the guest may write in memory.</summary>
    public long FileBytesMax { get; init; } = 64L << 20;

    /// <summary>Bytes of standard output, and of standard error.</summary>
    public long OutputBytesMax { get; init; } = 16L << 20;
}

/// <summary>The journal of a run as far as it was committed.</summary>
/// <param name="Operations">Operations by sequence, without gaps, from 0.</param>
/// <param name="Deliveries">What the guest learned, in the order in which it learned it.</param>
public sealed record JournalPrefix(
    ImmutableArray<JournaledOperation> Operations, ImmutableArray<Delivery> Deliveries)
{
    /// <summary>Nothing happened yet.</summary>
    public static readonly JournalPrefix Empty = new([], []);
}

/// <summary>One journaled operation.</summary>
/// <param name="Sequence">Order of <c>start</c> in the run, from 0.</param>
/// <param name="Name">The operation, <c>noun.verb</c>.</param>
/// <param name="Digest">SHA-256 of the request (<see cref="OperationRequest.Digest"/>).</param>
/// <param name="Result">The result, or null while there is none.</param>
public sealed record JournaledOperation(
    long Sequence, string Name, ReadOnlyMemory<byte> Digest, OperationResult? Result);

/// <summary>What the guest learned at one point.</summary>
public enum DeliveryKind : byte
{
    /// <summary><c>wait</c> answered with the result of an operation.</summary>
    Result,
    /// <summary><c>wait</c> answered with a part of a stream.</summary>
    Part,
    /// <summary><c>wait</c> timed out.</summary>
    TimeOut,
    /// <summary>The guest cancelled an operation.</summary>
    Cancel,
}

/// <summary>One step of the guest's knowledge.</summary>
/// <param name="Kind">What it learned.</param>
/// <param name="Sequence">Of which operation; -1 for a time-out.</param>
/// <param name="AtNs">Nanoseconds since the Unix epoch: what the guest's clocks read next.</param>
public readonly record struct Delivery(DeliveryKind Kind, long Sequence, long AtNs);
