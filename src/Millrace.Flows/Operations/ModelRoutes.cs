using System.Collections.Immutable;
using System.Text.Json.Nodes;
using Millrace.Flows.Manifests;

namespace Millrace.Flows.Operations;

/// <summary>A model that a flow can name.</summary>
/// <param name="Connection">Who answers for it; null: this machine.</param>
/// <param name="Operation">The integration's operation; null: this machine.</param>
/// <param name="VerdictKey">By which its verdict is remembered; null: this machine knows.</param>
sealed record ModelRoute(
    string Name, int ContextTokens, bool Passed, string Reason, string? Connection = null, string? Operation = null,
    string? VerdictKey = null)
{
    public bool IsRemote => Connection is not null;
}

/// <summary>
/// Which models there are, and who answers for each: those of this machine, and those that a connection lists in its
/// setting <c>models</c>, if its integration has a paid operation <c>chat</c>. A name on both is this machine's.
/// </summary>
sealed class ModelRoutes(
    ILanguageModel? local, Func<IEnumerable<Connection>> connections, Func<string, Integration?> integrations,
    Func<string, ModelVerdict?> verdictOf, string? preferred)
{
    const string ChatVerb = "chat";
    const int RemoteContextTokens = 32768;

    public async Task<ImmutableArray<ModelRoute>> ListAsync(CancellationToken cancel)
    {
        var routes = ImmutableArray.CreateBuilder<ModelRoute>();
        if (local is not null)
        {
            foreach (var model in await local.ListAsync(cancel))
                routes.Add(new ModelRoute(model.Name, model.ContextTokens, model.Passed, model.Reason));
        }
        foreach (var connection in connections())
        {
            if (integrations(connection.Integration) is { } integration && IsChat(integration))
                routes.AddRange(Remote(connection));
        }
        return [.. routes.DistinctBy(route => route.Name)];
    }

    static bool IsChat(Integration integration) =>
        integration.Operations.TryGetValue(ChatVerb, out var chat) && chat.Kind == OperationKind.Paid;

    IEnumerable<ModelRoute> Remote(Connection connection)
    {
        if (connection.Settings["models"] is not JsonArray names) yield break;
        var context = connection.Settings["context_tokens"] is JsonValue value && value.TryGetValue<int>(out var tokens)
            ? tokens : RemoteContextTokens;
        var host = connection.Origins(integrations(connection.Integration)).FirstOrDefault()?.ToString() ?? "";
        foreach (var name in names.OfType<JsonValue>().Select(item => item.ToString()))
        {
            var key = $"{host} {name}";
            var verdict = verdictOf(key);
            yield return new ModelRoute(
                name, context, verdict is { Passed: true },
                verdict?.Reason ?? "It has not been checked yet: millrace models check.",
                connection.Name, $"{connection.Integration}.{ChatVerb}", key);
        }
    }

    /// <summary>
    /// The model of a request that names none: the preferred one, else the first that passed, else the first.
    /// </summary>
    public string? Default(ImmutableArray<ModelRoute> routes) =>
        preferred is { } name && routes.Any(route => route.Name == name)
            ? name
            : (routes.FirstOrDefault(route => route.Passed) ?? routes.FirstOrDefault())?.Name;
}
