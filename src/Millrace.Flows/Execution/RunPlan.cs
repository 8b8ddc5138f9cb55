using System.Collections.Immutable;
using System.Text.Json.Nodes;
using Millrace.Flows.Door;
using Millrace.Flows.Manifests;
using Millrace.Flows.Operations;
using Millrace.Flows.Storage;
using Millrace.Sandbox;

namespace Millrace.Flows.Execution;

/// <summary>What one execution of a run is given: for a flow's run and for a child run alike.</summary>
sealed record RunPlan
{
    public required RunRow Run { get; init; }
    public required Deployed Deployed { get; init; }
    public Flow? Flow => Deployed.Package.Flow;
    public Integration? Integration => Deployed.Package.Integration;
    public Grants Grants => Flow?.Grants ?? Integration!.Grants;

    /// <summary>A child run's connection.</summary>
    public Connection? Connection { get; init; }

    /// <summary>What a child run answers.</summary>
    public ParentOperation? Parent { get; init; }

    /// <summary>In a child run that answers a write: the caller's operation, which the request belongs to.</summary>
    public OpenOperation? Write { get; init; }

    /// <summary>Envelope of the event, as MILLRACE_EVENT and run.info give it.</summary>
    public required JsonObject Envelope { get; init; }
    public required ReadOnlyMemory<byte> Input { get; init; }
    public required ImmutableSortedDictionary<string, string> Environment { get; init; }
    public required RunLimits Limits { get; init; }
    public required DateTimeOffset Deadline { get; init; }

    /// <summary>Shared with the caller.</summary>
    public required TokenBudget Budget { get; init; }

    /// <summary>Shared with the caller.</summary>
    public required ComputeBudget Computing { get; init; }

    /// <summary>0 for a flow's run.</summary>
    public int Depth { get; init; }

    /// <summary>
    /// Whether its row may lag: requests of a child run add no commit of their own, the caller's row has it.
    /// </summary>
    public bool Lags(OpenOperation operation) => operation.Kind <= OperationKind.Read || IsPartOfCaller(operation);

    /// <summary>
    /// Whether this run settles it: the request by which a child run writes is settled by its caller.
    /// </summary>
    public bool IsOwnWrite(OpenOperation operation) =>
        operation.Kind == OperationKind.Write && !IsPartOfCaller(operation);

    bool IsPartOfCaller(OpenOperation operation) => Parent is not null && operation.Target is BuiltInTarget;

    /// <summary>What operations of this run are called at failpoints: prefix of the name.</summary>
    public string Label { get; init; } = "";
}
