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
    /// <param name="preferredModel">The model of a request that names none; null for a choice by itself.</param>
    public OutsideOperations(
        ConnectionStore connections, Func<string, Integration?> integrations, ILanguageModel? languageModel,
        ModelVerdicts verdicts, Func<string?> preferredModel)
    {
        _fetch = new HttpFetch(
            connections.Find, integrations, (host, cancel) => Dns.GetHostAddressesAsync(host, cancel));
        Routes = new ModelRoutes(languageModel, connections.All, integrations, verdicts, preferredModel);
        var models = new ModelOperations(languageModel, Routes);
        BuiltIns = [_fetch.BuiltIn, models.Chat, models.Models];
    }

    public ImmutableArray<BuiltIn> BuiltIns { get; }

    public ModelRoutes Routes { get; }

    public void Dispose() => _fetch.Dispose();
}
