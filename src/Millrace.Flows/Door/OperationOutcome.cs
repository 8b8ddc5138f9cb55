using Millrace.Sandbox;

namespace Millrace.Flows.Door;

/// <summary>What a failure says about the request that failed; the door decides what follows from it.</summary>
enum FailureKind : byte
{
    /// <summary>The result stands: done, or an error that asking again would not change.</summary>
    Final,
    /// <summary>Surely not applied (no connection, 429, 403/503 with Retry-After): any kind is asked again.</summary>
    NotSent,
    /// <summary>The far side may have seen it (5xx, reset): a read is asked again, a write is in doubt.</summary>
    Transient,
    /// <summary>As transient, but asking again is no use (time-out): final for a read, a write is in doubt.</summary>
    InDoubt,
}

/// <summary>One attempt at an operation.</summary>
/// <param name="Result">What the guest sees if this attempt was the last.</param>
/// <param name="Failure">What a failure says about the request.</param>
sealed record OperationOutcome(OperationResult Result, FailureKind Failure = FailureKind.Final)
{
    /// <summary>How long the far side asked us to wait.</summary>
    public TimeSpan? RetryAfter { get; init; }

    /// <summary>Tokens used, for <c>llm.chat</c>.</summary>
    public long Tokens { get; init; }
}
