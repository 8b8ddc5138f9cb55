using System.Collections.Immutable;
using System.Text.Json.Nodes;
using Millrace.Flows.Triggers;

namespace Millrace.Flows.Manifests;

/// <summary>A function as deployed: checked, immutable.</summary>
sealed record Flow
{
    public required string Name { get; init; }

    /// <summary>Path of the module in the package.</summary>
    public required string Module { get; init; }

    public ImmutableArray<Trigger> Triggers { get; init; } = [];

    public Grants Grants { get; init; } = Grants.None;

    /// <summary>Values of the settings: defaults and what the owner set; MILLRACE_SETTINGS for the guest.</summary>
    public JsonObject Settings { get; init; } = [];

    public FlowLimits Limits { get; init; } = new();

    public bool OnFailure { get; init; }
}

/// <summary>Limits of one run.</summary>
sealed record FlowLimits
{
    public TimeSpan Wall { get; init; } = TimeSpan.FromMinutes(10);
    public TimeSpan Cpu { get; init; } = TimeSpan.FromSeconds(60);
    public long MemoryBytes { get; init; } = 64L << 20;
    public long Tokens { get; init; } = 200_000;
}

/// <summary>What a flow may ask.</summary>
sealed record Grants
{
    public static readonly Grants None = new();

    /// <summary>By integration: the connection and the operations' short names.</summary>
    public ImmutableDictionary<string, IntegrationGrant> Integrations { get; init; } =
        ImmutableDictionary<string, IntegrationGrant>.Empty;

    /// <summary>Model name patterns; empty: no <c>llm.*</c>.</summary>
    public ImmutableArray<string> Models { get; init; } = [];

    /// <summary>For <c>http.fetch</c>; null: none.</summary>
    public HttpGrant? Http { get; init; }
}

sealed record IntegrationGrant(string Connection, ImmutableHashSet<string> Operations);

sealed record HttpGrant(ImmutableArray<string> Hosts, ImmutableArray<string> Methods);
