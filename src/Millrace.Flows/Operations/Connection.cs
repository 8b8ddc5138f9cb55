using System.Collections.Immutable;
using System.Text.Json.Nodes;
using Millrace.Flows.Manifests;

namespace Millrace.Flows.Operations;

/// <summary>An authorised account at an integration. Secrets stay behind <see cref="Secret"/>.</summary>
sealed record Connection
{
    /// <summary>Sent with requests, as their <c>auth</c> says.</summary>
    public const string Token = "token";

    /// <summary>Signs webhooks; never sent.</summary>
    public const string WebhookSecret = "webhook_secret";

    public required string Name { get; init; }

    public required string Integration { get; init; }

    /// <summary>Where its requests begin; empty: the integration's first host.</summary>
    public string BaseUrl { get; init; } = "";

    public JsonObject Settings { get; init; } = [];

    /// <summary>Where its secrets may be sent; empty: the base URL's host, else the integration's hosts.</summary>
    public ImmutableArray<HostPattern> Hosts { get; init; } = [];

    /// <summary>Also addresses that are not public, as a server in the own network or on this machine has.</summary>
    public bool AllowsPrivate { get; init; }

    /// <summary>A secret's value by name; null when it has none. Never reaches a guest, the journal or a log.</summary>
    public Func<string, string?> Secret { get; init; } = _ => null;

    /// <summary>Where its requests and its secrets may go.</summary>
    public ImmutableArray<HostPattern> Origins(Integration? integration)
    {
        if (!Hosts.IsEmpty) return Hosts;
        if (BaseUrl.Length > 0) return [HostPattern.Of(new Uri(BaseUrl))];
        return integration?.Hosts ?? [];
    }

    /// <summary>Every value that must not be seen in an answer.</summary>
    public ImmutableArray<string> SecretValues =>
        [.. new[] { Secret(Token), Secret(WebhookSecret) }.OfType<string>().Where(value => value.Length > 0)];
}
