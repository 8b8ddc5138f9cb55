using System.Collections.Immutable;
using System.Text.Json.Nodes;

namespace Millrace.Flows.Manifests;

/// <summary>A module that connects one outside system: checked, immutable.</summary>
sealed record Integration
{
    public required string Name { get; init; }

    /// <summary>Path of the module in the package.</summary>
    public required string Module { get; init; }

    public ImmutableArray<string> Hosts { get; init; } = [];

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

    /// <summary>One sentence that says what is wrong with a request's head; null when it is right.</summary>
    public Func<ReadOnlyMemory<byte>, string?> CheckRequest { get; init; } = _ => null;

    /// <summary>The same for a result's head.</summary>
    public Func<ReadOnlyMemory<byte>, string?> CheckResult { get; init; } = _ => null;
}

/// <summary>An authorised account at an integration. Secrets stay behind <see cref="Secret"/>.</summary>
sealed record Connection
{
    public required string Name { get; init; }

    public required string Integration { get; init; }

    public string BaseUrl { get; init; } = "";

    public JsonObject Settings { get; init; } = [];

    /// <summary>A secret's value by name; null when it has none. Never reaches a guest, the journal or a log.</summary>
    public Func<string, string?> Secret { get; init; } = _ => null;
}
