using System.Collections.Immutable;
using Millrace.Flows.Triggers;
using Millrace.Sandbox;

namespace Millrace.Flows.Storage;

/// <summary>Why a run shall start nothing more.</summary>
enum StopReason : byte
{
    None = 0,
    Cancelled = 1,
    Superseded = 2,
}

enum PackageKind : byte
{
    Flow = 0,
    Integration = 1,
}

/// <summary>A package about to be deployed.</summary>
sealed record NewPackage(
    string Name, PackageKind Kind, ImmutableSortedDictionary<string, ReadOnlyMemory<byte>> Files);

/// <summary>One version of a package.</summary>
sealed record PackageRow(string Name, int Version, PackageKind Kind, byte[] Digest, long DeployedMs)
{
    /// <summary>Hash of each file's bytes, by path.</summary>
    public required ImmutableSortedDictionary<string, byte[]> Files { get; init; }
}

/// <summary>An event as it arrived. <paramref name="Envelope"/> is JSON.</summary>
sealed record NewEvent(
    string Source, string DeliveryId, string Type, string Envelope, ReadOnlyMemory<byte> Body, long ReceivedMs);

/// <summary>A run that an event makes.</summary>
sealed record NewRun(string Id, string Flow, int Version, string? Partition, Concurrency Concurrency, byte[] Seed);

/// <summary>What accepting an event did.</summary>
/// <param name="IsDuplicate">The same source and delivery id were accepted before; the runs are those of then.</param>
/// <param name="Runs">Ids of the event's runs.</param>
/// <param name="Superseded">Ids of runs that now have to end, being executed.</param>
sealed record Accepted(bool IsDuplicate, ImmutableArray<string> Runs, ImmutableArray<string> Superseded);

/// <summary>A run's row.</summary>
sealed record RunRow
{
    public required long Number { get; init; }
    public required string Id { get; init; }
    public long? Event { get; init; }
    public long? Parent { get; init; }
    public long? ParentSequence { get; init; }

    /// <summary>Name of the flow or, in a child run, of the integration.</summary>
    public required string Name { get; init; }
    public required int Version { get; init; }

    /// <summary>In a child run the short name of what it answers.</summary>
    public string? Operation { get; init; }
    public string? Connection { get; init; }
    public int Branch { get; init; }
    public string? Partition { get; init; }
    public required RunState State { get; init; }
    public StopReason Stop { get; init; }
    public RunOutcome? Outcome { get; init; }
    public int ExitCode { get; init; }
    public string Message { get; init; } = "";
    public int Attempts { get; init; }

    /// <summary>Attempts in a row that were lost without a new journal row.</summary>
    public int Lost { get; init; }

    /// <summary>Until when the node that had it before may have sent something; null when nobody had it.</summary>
    public long? FormerLeaseMs { get; init; }
    public required byte[] Seed { get; init; }
    public required long CreatedMs { get; init; }
    public long? StartedNs { get; init; }
    public long WallUsedMs { get; init; }
    public long? EndedMs { get; init; }
    public int? RespondStatus { get; init; }
    public string? RespondHeaders { get; init; }

    /// <summary>The run whose failure this one answers.</summary>
    public string? FailureOf { get; init; }
    public long CpuMs { get; init; }
    public long MemoryBytesPeak { get; init; }
    public string? EventType { get; init; }
    public bool IsChild => Parent is not null;
}

/// <summary>A child run about to start; its input is made from the caller's operation.</summary>
sealed record NewChild(
    string Id, long ParentSequence, string Integration, int Version, string Operation, string Connection, byte[] Seed,
    long StartedNs);

/// <summary>A journaled operation.</summary>
sealed record OperationRow
{
    public required long Sequence { get; init; }
    public required string Name { get; init; }
    public required byte[] Digest { get; init; }
    public required OperationKind Kind { get; init; }
    public required OperationState State { get; init; }
    public required ReadOnlyMemory<byte> Head { get; init; }
    public ReadOnlyMemory<byte> Body { get; init; }
    public OperationResult? Result { get; init; }
    public long Tokens { get; init; }
    public long Reserved { get; init; }

    /// <summary>How often it was asked outside.</summary>
    public int Asks { get; init; }

    /// <summary>How often a write in doubt was looked into.</summary>
    public int Rounds { get; init; }
    public long StartedNs { get; init; }
    public long DurationMs { get; init; }
}

/// <summary>A run's journal.</summary>
sealed record JournalRows(
    ImmutableArray<OperationRow> Operations, ImmutableArray<Delivery> Deliveries, long ResultBytes, long LogBytes);

/// <summary>A part of a run's output.</summary>
readonly record struct OutputRow(OutputStream Stream, long Offset, byte[] Bytes, long AtMs);

/// <summary>A run's end, and in the same transaction the run that answers its failure.</summary>
sealed record RunEnding
{
    public required RunOutcome Outcome { get; init; }
    public int ExitCode { get; init; }
    public string Message { get; init; } = "";
    public long CpuMs { get; init; }
    public long MemoryBytesPeak { get; init; }
    public required long EndedMs { get; init; }
    public NewEvent? FailureEvent { get; init; }
    public NewRun? FailureRun { get; init; }
}
