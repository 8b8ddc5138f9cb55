using System.Collections.Immutable;

namespace Millrace.Flows.Manifests;

/// <summary>integration.yaml as written.</summary>
sealed record IntegrationManifest(
    string Name,
    string Module,
    ImmutableArray<HostPattern> Hosts,
    Webhook? Webhook,
    string Check,
    Grants Grants,
    ImmutableArray<Setting> Settings,
    FlowLimits Limits,
    ImmutableSortedDictionary<string, OperationManifest> Operations);

/// <param name="Find">The read that looks for this write's own effect.</param>
/// <param name="Undo">The operation that takes it back.</param>
/// <param name="Request">Path of a JSON schema, or null.</param>
/// <param name="Result">Path of a JSON schema, or null.</param>
sealed record OperationManifest(
    Place At, string Name, OperationKind Kind, string? Find, bool IsRepeatSafe, string? Undo,
    YamlScalar? Request, YamlScalar? Result);
