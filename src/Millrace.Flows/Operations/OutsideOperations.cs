using System.Collections.Immutable;
using System.Net;
using Millrace.Flows.Door;
using Millrace.Flows.Manifests;

namespace Millrace.Flows.Operations;

/// <summary>The built-in operations that reach out of the platform's own store.</summary>
sealed class OutsideOperations : IDisposable
{
    readonly HttpFetch _fetch;

    /// <param name="integrations">The newest deployed integration of that name.</param>
    public OutsideOperations(
        ConnectionStore connections, Func<string, Integration?> integrations, PlatformOptions options)
    {
        _fetch = new HttpFetch(
            connections.Find, integrations, (host, cancel) => Dns.GetHostAddressesAsync(host, cancel));
        Routes = new ModelRoutes(
            options.LanguageModel, connections.All, integrations, options.RemoteVerdict, options.PreferredModel);
        var models = new ModelOperations(options.LanguageModel, Routes);
        BuiltIns = [_fetch.BuiltIn, models.Chat, models.Models];
    }

    public ImmutableArray<BuiltIn> BuiltIns { get; }

    public ModelRoutes Routes { get; }

    public void Dispose() => _fetch.Dispose();
}
