using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Json.Nodes;
using Millrace.Flows.Manifests;

namespace Millrace.Flows.Operations;

/// <summary>How a connection lies in its file.</summary>
sealed record ConnectionFile
{
    public static readonly JsonSerializerOptions Indented = new() { WriteIndented = true };

    public required string Integration { get; init; }
    public required string BaseUrl { get; init; }
    public required ImmutableArray<HostPattern> Hosts { get; init; }
    public required bool AllowsPrivate { get; init; }
    public required JsonObject Settings { get; init; }
    public required ImmutableSortedDictionary<string, string> Secrets { get; init; }

    /// <exception cref="ConnectionException">It is not one.</exception>
    public static ConnectionFile From(NewConnection connection, Integration integration)
    {
        if (!Names.IsName(connection.Name))
        {
            throw new ConnectionException(
                $"'{connection.Name}' is not a connection's name: small letters, digits and '-', a letter first.");
        }
        var baseUrl = BaseUrlOf(connection.BaseUrl ?? "");
        var hosts = connection.Hosts.Select(HostOf).ToImmutableArray();
        if (baseUrl.Length == 0 && integration.Hosts.IsEmpty && hosts.IsEmpty)
            throw new ConnectionException($"'{integration.Name}' names no host: give the connection a base URL.");
        if (baseUrl.Length > 0 && !hosts.IsEmpty && !hosts.Any(host => host.Matches(new Uri(baseUrl))))
            throw new ConnectionException("The base URL is not at one of the hosts that were given.");
        var secrets = ImmutableSortedDictionary.CreateBuilder<string, string>(StringComparer.Ordinal);
        if (connection.Token is { } token) secrets.Add(Connection.Token, token);
        if (connection.WebhookSecret is { } webhook) secrets.Add(Connection.WebhookSecret, webhook);
        return new ConnectionFile
        {
            Integration = integration.Name,
            BaseUrl = baseUrl,
            Hosts = hosts,
            AllowsPrivate = connection.AllowsPrivate,
            Settings = SettingsOf(connection, integration),
            Secrets = secrets.ToImmutable(),
        };
    }

    static JsonObject SettingsOf(NewConnection connection, Integration integration)
    {
        try
        {
            return Manifests.Settings.Apply(integration.Settings, connection.Settings, integration.Name);
        }
        catch (ManifestException e)
        {
            throw new ConnectionException(e.Message);
        }
    }

    static string BaseUrlOf(string text)
    {
        if (text.Length == 0) return "";
        if (!Uri.TryCreate(text, UriKind.Absolute, out var url) || url.Scheme is not ("http" or "https")
            || url.UserInfo.Length > 0 || url.Query.Length > 0 || url.Fragment.Length > 0)
        {
            throw new ConnectionException(
                $"'{text}' is no base URL: it begins with https:// or http:// and has no user, query or fragment.");
        }
        return text.TrimEnd('/');
    }

    static HostPattern HostOf(string text) => HostPattern.TryParse(text, out var pattern)
        ? pattern
        : throw new ConnectionException($"'{text}' is no host: a name with an optional port, like api.example.com.");

    public JsonObject ToJson() => new()
    {
        ["integration"] = Integration,
        ["base_url"] = BaseUrl,
        ["hosts"] = new JsonArray([.. Hosts.Select(host => (JsonNode)host.ToString())]),
        ["allow_private"] = AllowsPrivate,
        ["settings"] = Settings.DeepClone(),
        ["secrets"] = new JsonObject(Secrets.Select(s => KeyValuePair.Create(s.Key, (JsonNode?)s.Value))),
    };

    /// <exception cref="ConnectionException">The file is not as it was written.</exception>
    public static Connection Read(string name, string path)
    {
        try
        {
            var json = JsonNode.Parse(File.ReadAllBytes(path))!.AsObject();
            var secrets = json["secrets"]!.AsObject().ToDictionary(s => s.Key, s => s.Value!.GetValue<string>());
            return new Connection
            {
                Name = name,
                Integration = json["integration"]!.GetValue<string>(),
                BaseUrl = BaseUrlOf(json["base_url"]!.GetValue<string>()),
                Hosts = [.. json["hosts"]!.AsArray().Select(host => HostOf(host!.GetValue<string>()))],
                AllowsPrivate = json["allow_private"]!.GetValue<bool>(),
                Settings = json["settings"]!.DeepClone().AsObject(),
                Secret = secret => secrets.GetValueOrDefault(secret),
            };
        }
        catch (Exception e) when (e is JsonException or NullReferenceException or InvalidOperationException
            or FormatException or IOException or UnauthorizedAccessException)
        {
            throw new ConnectionException(
                $"The connection '{name}' is not used: its file cannot be read. Add it again.");
        }
    }
}
