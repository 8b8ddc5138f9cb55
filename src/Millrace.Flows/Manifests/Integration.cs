using System.Collections.Immutable;

namespace Millrace.Flows.Manifests;

/// <summary>A module that connects one outside system: checked, immutable.</summary>
sealed record Integration
{
    public required string Name { get; init; }

    /// <summary>Path of the module in the package.</summary>
    public required string Module { get; init; }

    /// <summary>Where its requests may go, unless the connection says otherwise.</summary>
    public ImmutableArray<HostPattern> Hosts { get; init; } = [];

    public Webhook? Webhook { get; init; }

    /// <summary>Path below the base URL that answers whoever may use it; for <c>connections test</c>.</summary>
    public string Check { get; init; } = "";

    public Grants Grants { get; init; } = Grants.None;

    /// <summary>Settings that a connection may give.</summary>
    public ImmutableArray<Setting> Settings { get; init; } = [];

    public FlowLimits Limits { get; init; } = new();

    /// <summary>By short name.</summary>
    public ImmutableDictionary<string, IntegrationOperation> Operations { get; init; } =
        ImmutableDictionary<string, IntegrationOperation>.Empty;
}

/// <summary>One operation of an integration.</summary>
sealed record IntegrationOperation
{
    /// <summary>Short name: <c>create_comment</c>.</summary>
    public required string Name { get; init; }

    public required OperationKind Kind { get; init; }

    /// <summary>The read operation that looks for this write's effect.</summary>
    public string? Find { get; init; }

    /// <summary>Sending again changes nothing.</summary>
    public bool IsRepeatSafe { get; init; }

    /// <summary>The write that takes it back.</summary>
    public string? Undo { get; init; }

    /// <summary>One sentence that says what is wrong with a request's head; null when it is right.</summary>
    public Func<ReadOnlyMemory<byte>, string?> CheckRequest { get; init; } = _ => null;

    /// <summary>The same for a result's head.</summary>
    public Func<ReadOnlyMemory<byte>, string?> CheckResult { get; init; } = _ => null;
}
