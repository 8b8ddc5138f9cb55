using System.Collections.Immutable;
using Millrace.Flows.Triggers;

namespace Millrace.Flows.Manifests;

/// <summary>flow.yaml as written: every key is known and of the right type, nothing refers to anything yet.</summary>
sealed record FlowManifest(
    string Name,
    string Module,
    ImmutableArray<TriggerManifest> Triggers,
    Grants Grants,
    ImmutableArray<Setting> Settings,
    FlowLimits Limits,
    bool OnFailure);

/// <param name="On"><c>http</c>, or an integration's event like <c>github.pull_request</c>.</param>
/// <param name="Where">Not looked into yet: its texts may name settings.</param>
sealed record TriggerManifest(
    Place At, string On, string? Connection, YamlMap? Where, YamlScalar? Partition, Concurrency Concurrency,
    HttpAuth Auth);
