using Millrace.Sandbox;

namespace Millrace.Flows.Door;

/// <summary>An operation that the host answers itself.</summary>
/// <param name="Name"><c>noun.verb</c>.</param>
/// <param name="Kind">Its kind, by request: <c>http.fetch</c> is a read or a write.</param>
/// <param name="Execute">One attempt; throws only <see cref="OperationCanceledException"/>.</param>
sealed record BuiltIn(
    string Name,
    Func<OperationRequest, OperationKind> Kind,
    Func<OperationContext, OperationRequest, CancellationToken, Task<OperationOutcome>> Execute)
{
    /// <summary>Tokens to reserve: those of the prompt and <c>max_tokens</c>; null for none.</summary>
    public Func<OperationContext, OperationRequest, CancellationToken, ValueTask<long>>? Reserve { get; init; }
}
