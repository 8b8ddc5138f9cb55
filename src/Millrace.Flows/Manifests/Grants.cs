using System.Collections.Immutable;

namespace Millrace.Flows.Manifests;

/// <summary>What a flow or an integration may ask, besides its own keys and log.</summary>
sealed record Grants
{
    public static readonly Grants None = new();

    /// <summary>By integration: the connection and the operations' short names.</summary>
    public ImmutableDictionary<string, IntegrationGrant> Integrations { get; init; } =
        ImmutableDictionary<string, IntegrationGrant>.Empty;

    /// <summary>Names of models, or beginnings that end in <c>*</c>; empty: no <c>llm.*</c>.</summary>
    public ImmutableArray<string> Models { get; init; } = [];

    /// <summary>For <c>http.fetch</c>; null: none.</summary>
    public HttpGrant? Http { get; init; }

    /// <summary>For <c>nn.*</c>; null: none.</summary>
    public NnGrant? Nn { get; init; }

    public bool AllowsModel(string name) => Allows(Models, name);

    /// <summary>Whether a name is one of these, or begins as one that ends in <c>*</c>.</summary>
    public static bool Allows(ImmutableArray<string> names, string name) => names.Any(model => model.EndsWith('*')
        ? name.StartsWith(model.AsSpan(0, model.Length - 1), StringComparison.Ordinal)
        : name == model);
}

sealed record IntegrationGrant(string Connection, ImmutableHashSet<string> Operations);

/// <param name="Models">Names of models, or beginnings that end in <c>*</c>.</param>
/// <param name="OwnModels">Also models that the guest brings itself.</param>
sealed record NnGrant(ImmutableArray<string> Models, bool OwnModels);

sealed record HttpGrant(ImmutableArray<HostPattern> Hosts, ImmutableArray<string> Methods)
{
    /// <summary>Also addresses that are not public.</summary>
    public bool AllowsPrivate { get; init; }

    /// <summary>Connections whose secrets a request may name, each toward its own hosts.</summary>
    public ImmutableArray<string> Connections { get; init; } = [];
}
