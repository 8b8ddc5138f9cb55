using System.Collections.Immutable;
using Millrace.Flows.Operations;

namespace Millrace.Flows.Manifests;

/// <summary>What a package says about others, held against what is deployed and connected.</summary>
/// <param name="Problems">With any of these it is not deployed.</param>
/// <param name="Remarks">What is still to do before it works.</param>
sealed record DeployReport(ImmutableArray<string> Problems, ImmutableArray<string> Remarks);

/// <summary>Checks a package before it is deployed.</summary>
sealed class DeployCheck(Func<string, Integration?> integrations, Func<string, Connection?> connections)
{
    const int DepthMax = 4;

    readonly List<string> _problems = [];
    readonly List<string> _remarks = [];

    public DeployReport Check(Package package)
    {
        if (package.Flow is { } flow)
        {
            foreach (var trigger in flow.Triggers) CheckTrigger(trigger.On, trigger.Connection);
            CheckGrants(flow.Grants);
        }
        if (package.Integration is { } integration)
        {
            CheckGrants(integration.Grants);
            CheckCycles(integration, [integration.Name]);
        }
        return new DeployReport([.. _problems.Distinct()], [.. _remarks.Distinct()]);
    }

    void CheckTrigger(string on, string? connection)
    {
        var dot = on.IndexOf('.', StringComparison.Ordinal);
        if (dot < 0) return;
        var name = on[..dot];
        if (Known(name) is not { } integration) return;
        if (integration.Webhook is null)
            _problems.Add($"'{on}': the integration '{name}' has no webhook, so it emits no events");
        CheckConnection(connection!, name);
    }

    void CheckGrants(Grants grants)
    {
        foreach (var (name, grant) in grants.Integrations)
        {
            if (Known(name) is not { } integration) continue;
            foreach (var operation in grant.Operations.Order(StringComparer.Ordinal))
            {
                if (integration.Operations.ContainsKey(operation)) continue;
                var known = string.Join(", ", integration.Operations.Keys.Order(StringComparer.Ordinal));
                _problems.Add($"the integration '{name}' has no operation '{operation}'; it has {known}");
            }
            CheckConnection(grant.Connection, name);
        }
        foreach (var connection in grants.Http?.Connections ?? []) CheckConnection(connection, null);
    }

    Integration? Known(string name)
    {
        var integration = integrations(name);
        if (integration is null) _problems.Add($"no integration '{name}' is deployed; deploy it first");
        return integration;
    }

    void CheckConnection(string name, string? integration)
    {
        if (connections(name) is not { } connection)
        {
            var of = integration is null ? "" : $" --integration {integration}";
            _remarks.Add($"the connection '{name}' does not exist yet; add it: millrace connections add {name}{of}");
        }
        else if (integration is not null && connection.Integration != integration)
        {
            _problems.Add($"the connection '{name}' is one of '{connection.Integration}', not of '{integration}'");
        }
    }

    void CheckCycles(Integration integration, ImmutableArray<string> path)
    {
        foreach (var name in integration.Grants.Integrations.Keys.Order(StringComparer.Ordinal))
        {
            var longer = path.Add(name);
            if (name == path[0])
                _problems.Add($"the grants go round in a circle: {string.Join(" → ", longer)}");
            else if (longer.Length > DepthMax)
                _problems.Add($"the grants go deeper than {DepthMax}: {string.Join(" → ", longer)}");
            else if (!path.Contains(name) && integrations(name) is { } next)
                CheckCycles(next, longer);
        }
    }
}
