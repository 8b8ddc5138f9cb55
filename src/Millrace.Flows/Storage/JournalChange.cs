using Millrace.Sandbox;

namespace Millrace.Flows.Storage;

/// <summary>
/// One step of a run's journal; the steps of one <see cref="IStore.AppendAsync"/> are one transaction.
/// </summary>
abstract record JournalChange;

/// <summary>The guest started an operation; its row may hold the result already.</summary>
sealed record OperationAsked(OperationRow Row) : JournalChange;

/// <summary>An operation is asked outside, for the first time or once more.</summary>
sealed record AskCounted(long Sequence, OperationState State, int Asks, long Tokens, long Reserved) : JournalChange;

/// <summary>An operation has come to an end.</summary>
sealed record OperationEnded(
    long Sequence, OperationState State, OperationResult? Result, long Tokens, long DurationMs) : JournalChange;

/// <summary>A write in doubt is looked into.</summary>
sealed record RoundBegun(long Sequence, int Round) : JournalChange;

/// <summary>The guest learned something.</summary>
sealed record Delivered(long Position, Delivery Delivery) : JournalChange;

/// <summary>The guest wrote.</summary>
sealed record Wrote(OutputStream Stream, long Offset, byte[] Bytes, long AtMs) : JournalChange;

/// <summary>The guest chose status and headers of its answer.</summary>
sealed record Responded(int Status, string Headers) : JournalChange;

/// <summary>A child run has ended.</summary>
sealed record ChildEnded(string Id, RunEnding Ending) : JournalChange;

/// <summary>
/// A change of a flow's keys; <paramref name="IfVersion"/> 0: must not exist; null: whatever is there.
/// </summary>
sealed record KvChange(string Scope, string Key, byte[]? Value, long? IfVersion);

/// <summary>What a change of keys did.</summary>
/// <param name="Applied">False on a version mismatch.</param>
/// <param name="Version">The version now there; 0 when there is none.</param>
/// <param name="Existed">Whether there was a value before.</param>
readonly record struct KvAnswer(bool Applied, long Version, bool Existed);

/// <summary>A value of a flow's keys.</summary>
readonly record struct KvValue(long Version, byte[] Bytes);
