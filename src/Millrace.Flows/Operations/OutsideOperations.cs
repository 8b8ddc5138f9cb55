using System.Collections.Immutable;
using System.Net;
using Millrace.Flows.Door;
using Millrace.Flows.Manifests;

namespace Millrace.Flows.Operations;

/// <summary>The built-in operations that reach out of the platform's own store.</summary>
sealed class OutsideOperations : IDisposable
{
    readonly HttpFetch _fetch;
    readonly NnOperations _nn;
    readonly ConnectionStore _connections;
    readonly Func<string, Integration?> _integrations;

    /// <param name="integrations">The newest deployed integration of that name.</param>
    public OutsideOperations(
        ConnectionStore connections, Func<string, Integration?> integrations, PlatformOptions options)
    {
        (_connections, _integrations) = (connections, integrations);
        _fetch = new HttpFetch(
            connections.Find, integrations, (host, cancel) => Dns.GetHostAddressesAsync(host, cancel));
        Routes = new ModelRoutes(
            options.LanguageModel, connections.All, integrations, options.RemoteVerdict, options.PreferredModel);
        var models = new ModelOperations(options.LanguageModel, Routes);
        _nn = new(options.Nn, options.Time);
        BuiltIns = [_fetch.BuiltIn, models.Chat, models.Models, _nn.Load, _nn.Compute];
    }

    public ImmutableArray<BuiltIn> BuiltIns { get; }

    public ModelRoutes Routes { get; }

    /// <summary>Asks a connection's address with its secret; null when there is no such connection.</summary>
    public async Task<ConnectionReport?> TestAsync(string name, TimeProvider time, CancellationToken cancel)
    {
        if (!_connections.Exists(name)) return null;
        if (_connections.List().First(summary => summary.Name == name).Problem is { } problem)
            return new ConnectionReport(false, problem);
        var connection = _connections.Find(name)!;
        return _integrations(connection.Integration) is { } integration
            ? await new ConnectionProbe(_fetch.BuiltIn, time).AskAsync(connection, integration, cancel)
            : new ConnectionReport(false, $"The integration '{connection.Integration}' is not deployed.");
    }

    public void Dispose()
    {
        _fetch.Dispose();
        _nn.Dispose();
    }
}
