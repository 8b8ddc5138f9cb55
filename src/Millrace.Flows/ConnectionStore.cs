using System.Buffers;
using System.Collections.Concurrent;
using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Millrace.Flows.Manifests;
using Millrace.Flows.Operations;

namespace Millrace.Flows;

/// <summary>A connection cannot be added, read or used; the message says what to do next.</summary>
public sealed class ConnectionException(string message) : Exception(message);

/// <summary>A connection to be added.</summary>
/// <param name="Name">How flows name it.</param>
/// <param name="Integration">The integration's name.</param>
public sealed record NewConnection(string Name, string Integration)
{
    /// <summary>Where its requests begin; null: the integration's first host.</summary>
    public string? BaseUrl { get; init; }

    /// <summary>Where its requests may go; empty: the base URL's host, else the integration's hosts.</summary>
    public ImmutableArray<string> Hosts { get; init; } = [];

    /// <summary>Also addresses that are not public.</summary>
    public bool AllowsPrivate { get; init; }

    /// <summary>Values of the settings that the integration declares.</summary>
    public JsonObject Settings { get; init; } = [];

    /// <summary>Sent with requests; null for none.</summary>
    public string? Token { get; init; }

    /// <summary>Signs its webhooks; null for none.</summary>
    public string? WebhookSecret { get; init; }
}

/// <summary>A connection as listings show it: without its secrets.</summary>
/// <param name="Name">How flows name it.</param>
/// <param name="Integration">The integration's name.</param>
/// <param name="BaseUrl">Where its requests begin; empty: the integration's first host.</param>
/// <param name="Hosts">Where its requests may go; empty: the base URL's host, else the integration's hosts.</param>
/// <param name="AllowsPrivate">Also addresses that are not public.</param>
/// <param name="Settings">Values of settings, as JSON.</param>
/// <param name="HasToken">Whether requests carry a secret.</param>
/// <param name="HasWebhookSecret">Whether webhooks can be checked.</param>
/// <param name="Problem">Why it cannot be used; null when it can.</param>
public sealed record ConnectionSummary(
    string Name, string Integration, string BaseUrl, ImmutableArray<string> Hosts, bool AllowsPrivate, string Settings,
    bool HasToken, bool HasWebhookSecret, string? Problem);

/// <summary>What a connection's address answered.</summary>
/// <param name="IsGood">Whether the connection can be used.</param>
/// <param name="Detail">One sentence.</param>
public sealed record ConnectionReport(bool IsGood, string Detail);

/// <summary>
/// The connections of a data folder: one file each, readable by its owner only. Secrets are in no listing; what is
/// done with them is done in this project.
/// </summary>
public sealed class ConnectionStore
{
    const int SecretCharactersMin = 8;
    const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    readonly string _folder;
    readonly ConcurrentDictionary<string, Known> _known = new(StringComparer.Ordinal);

    /// <summary>The connections below a data folder.</summary>
    public ConnectionStore(string dataFolder) => _folder = Path.Combine(dataFolder, "connections");

    sealed record Known((DateTime, long, UnixFileMode) State, Connection Connection);

    /// <summary>Adds a connection, or takes the place of the one of that name.</summary>
    /// <exception cref="ConnectionException">It is not one.</exception>
    public void Add(NewConnection connection, Package integration) => Add(connection, integration.Integration!);

    internal void Add(NewConnection connection, Integration integration)
    {
        var file = ConnectionFile.From(connection, integration);
        Refuse(connection.Token, "token");
        Refuse(connection.WebhookSecret, "webhook secret");
        Directory.CreateDirectory(_folder, OwnerOnly | UnixFileMode.UserExecute);
        var path = PathOf(connection.Name);
        var temporary = path + ".new";
        File.Delete(temporary);
        var options = new FileStreamOptions
        {
            Mode = FileMode.CreateNew,
            Access = FileAccess.Write,
            UnixCreateMode = OwnerOnly,
        };
        using (var stream = new FileStream(temporary, options))
        {
            stream.Write(JsonSerializer.SerializeToUtf8Bytes(file.ToJson(), ConnectionFile.Indented));
            stream.Flush(flushToDisk: true);
        }
        File.Move(temporary, path, overwrite: true);
        _known.TryRemove(connection.Name, out _);
    }

    /// <summary>All of them, by name.</summary>
    public ImmutableArray<ConnectionSummary> List()
    {
        if (!Directory.Exists(_folder)) return [];
        return [.. Directory.EnumerateFiles(_folder, "*.json")
            .Select(path => Path.GetFileNameWithoutExtension(path))
            .Where(Names.IsName)
            .Order(StringComparer.Ordinal)
            .Select(Summary)];
    }

    /// <summary>Removes it; false when there is none.</summary>
    public bool Remove(string name)
    {
        if (!Names.IsName(name) || !File.Exists(PathOf(name))) return false;
        File.Delete(PathOf(name));
        _known.TryRemove(name, out _);
        return true;
    }

    /// <summary>Whether there is one of that name, usable or not.</summary>
    public bool Exists(string name) => Names.IsName(name) && File.Exists(PathOf(name));

    /// <summary>The integration that it belongs to; null when there is no such connection.</summary>
    /// <exception cref="ConnectionException">Its file cannot be used.</exception>
    public string? IntegrationOf(string name) => Read(name)?.Integration;

    /// <summary>Whether the signature of a webhook is right, in a time that does not tell how much of it is.</summary>
    /// <exception cref="ConnectionException">Its file cannot be used.</exception>
    public bool IsSigned(string name, Webhook webhook, string signature, ReadOnlySpan<byte> body)
    {
        if (Read(name)?.Secret(Connection.WebhookSecret) is not { Length: > 0 } secret) return false;
        if (!signature.StartsWith(webhook.Prefix, StringComparison.Ordinal)) return false;
        Span<byte> given = stackalloc byte[HMACSHA256.HashSizeInBytes];
        var hex = signature.AsSpan(webhook.Prefix.Length);
        if (hex.Length != 2 * given.Length) return false;
        if (Convert.FromHexString(hex, given, out _, out _) != OperationStatus.Done) return false;
        Span<byte> right = stackalloc byte[HMACSHA256.HashSizeInBytes];
        HMACSHA256.HashData(Encoding.UTF8.GetBytes(secret), body, right);
        return CryptographicOperations.FixedTimeEquals(given, right);
    }

    /// <summary>Null when there is none, or its file cannot be used; listings say why.</summary>
    internal Connection? Find(string name)
    {
        try
        {
            return Read(name);
        }
        catch (ConnectionException)
        {
            return null;
        }
    }

    internal IEnumerable<Connection> All() => List().Select(summary => Find(summary.Name)).OfType<Connection>();

    ConnectionSummary Summary(string name)
    {
        try
        {
            if (Read(name) is { } c)
            {
                return new ConnectionSummary(name, c.Integration, c.BaseUrl, [.. c.Hosts.Select(h => h.ToString())],
                    c.AllowsPrivate, c.Settings.ToJsonString(), c.Secret(Connection.Token) is not null,
                    c.Secret(Connection.WebhookSecret) is not null, null);
            }
            return Unusable(name, "its file has just been removed");
        }
        catch (ConnectionException e)
        {
            return Unusable(name, e.Message);
        }
    }

    static ConnectionSummary Unusable(string name, string problem) =>
        new(name, "", "", [], false, "{}", false, false, problem);

    Connection? Read(string name)
    {
        if (!Names.IsName(name)) return null;
        var file = new FileInfo(PathOf(name));
        if (!file.Exists) return null;
        var state = (file.LastWriteTimeUtc, file.Length, file.UnixFileMode);
        if (_known.TryGetValue(name, out var known) && known.State == state) return known.Connection;
        if ((file.UnixFileMode & ~OwnerOnly) != 0)
        {
            throw new ConnectionException(
                $"The connection '{name}' is not used: others may read its file. Run: chmod 600 {file.FullName}");
        }
        var connection = ConnectionFile.Read(name, file.FullName);
        _known[name] = new Known(state, connection);
        return connection;
    }

    static void Refuse(string? secret, string what)
    {
        if (secret is null) return;
        // A shorter one could not be taken out of answers without taking other words along.
        if (secret.Length < SecretCharactersMin)
            throw new ConnectionException($"The {what} is shorter than {SecretCharactersMin} characters.");
        if (secret.Any(c => c is < ' ' or > '~' || char.IsWhiteSpace(c)))
            throw new ConnectionException($"The {what} contains a space or a character that is not plain ASCII.");
    }

    string PathOf(string name) => Path.Combine(_folder, name + ".json");
}
