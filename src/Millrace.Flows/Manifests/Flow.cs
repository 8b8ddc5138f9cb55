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

/// <summary>Limits of one run. Tokens and wall time are shared with its child runs.</summary>
sealed record FlowLimits
{
    public TimeSpan Wall { get; init; } = TimeSpan.FromMinutes(10);
    public TimeSpan Cpu { get; init; } = TimeSpan.FromSeconds(60);
    public long MemoryBytes { get; init; } = 64L << 20;
    public long Tokens { get; init; } = 200_000;
}
