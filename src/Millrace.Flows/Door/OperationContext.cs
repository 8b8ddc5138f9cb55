using Millrace.Flows.Manifests;
using Millrace.Flows.Operations;
using Millrace.Sandbox;

namespace Millrace.Flows.Door;

/// <summary>What a built-in knows of the operation that it answers.</summary>
sealed record OperationContext
{
    /// <summary>The run that asks.</summary>
    public required string RunId { get; init; }

    /// <summary>Its flow; null in a child run.</summary>
    public Flow? Flow { get; init; }

    /// <summary>Its integration; null in a function's own run.</summary>
    public Integration? Integration { get; init; }

    /// <summary>A child run's connection, whose secrets it may use.</summary>
    public Connection? Connection { get; init; }

    /// <summary>What a child run answers; null in a function's own run.</summary>
    public ParentOperation? Parent { get; init; }

    /// <summary>Kind in this run: in a child run a request other than GET and HEAD takes the parent's.</summary>
    public required OperationKind Kind { get; init; }

    /// <summary>hash(run, branch, sequence), hexadecimal: names the effect, also to the far side.</summary>
    public required string Key { get; init; }

    /// <summary>When the run first asked; a resumed sleep counts from it.</summary>
    public required long StartedNs { get; init; }

    /// <summary>No attempt goes on past it.</summary>
    public required DateTimeOffset Deadline { get; init; }

    /// <summary>What the run has left for engines.</summary>
    public required ComputeBudget Computing { get; init; }

    /// <summary>Longest time between a request's first byte and the end of its answer, for a write.</summary>
    public required TimeSpan SendDeadline { get; init; }

    /// <summary>The platform's clock.</summary>
    public required TimeProvider Time { get; init; }

    /// <summary>
    /// Called right before the first byte leaves: checks the lease and that the run was not stopped, and notes that
    /// the request left. Throws <see cref="OperationCanceledException"/> when nothing may be sent any more.
    /// </summary>
    public required Action BeforeSend { get; init; }

    /// <summary>
    /// Answers this operation by an integration's: (connection, operation as <c>noun.verb</c>, request). How
    /// <c>llm.chat</c> reaches <c>openai.chat</c>; it is a child run of this same operation.
    /// </summary>
    public required Func<string, OperationRequest, CancellationToken, Task<OperationOutcome>> CallIntegration
    {
        get; init;
    }
}

/// <summary>The caller's operation that a child run answers.</summary>
/// <param name="Name">Short name: <c>create_comment</c>.</param>
/// <param name="Kind">Its kind.</param>
/// <param name="Key">Its key; for a <c>find</c> that of the write looked for.</param>
sealed record ParentOperation(string Name, OperationKind Kind, string Key);
