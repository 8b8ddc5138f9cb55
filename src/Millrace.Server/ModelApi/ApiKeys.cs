using System.Buffers.Text;
using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

namespace Millrace.Server.ModelApi;

/// <summary>A key as it is kept: without the key.</summary>
sealed record ApiKey(string Name, string Hash, ImmutableArray<string> Scopes, long? TokensPerDay, DateTimeOffset Created);

/// <summary>
/// The keys of the model API, in a file of the data folder that only its owner can read. Of a key only its hash is kept:
/// keys are 24 random bytes, so that nobody finds one by trying. Thread-safe.
/// </summary>
sealed class ApiKeys
{
    const int KeyBytes = 24;
    const string Prefix = "mr-";
    const int NameCharactersMax = 60;

    readonly string _path;
    readonly TimeProvider _time;
    readonly Lock _lock = new();
    ImmutableArray<ApiKey> _keys;

    ApiKeys(string path, TimeProvider time, ImmutableArray<ApiKey> keys) => (_path, _time, _keys) = (path, time, keys);

    public ImmutableArray<ApiKey> All => _keys;

    /// <exception cref="ServerException">The file is there and cannot be read.</exception>
    public static ApiKeys Open(string folder, TimeProvider time)
    {
        var path = Path.Combine(folder, "api-keys.json");
        if (!File.Exists(path)) return new(path, time, []);
        try
        {
            return new(path, time, JsonSerializer.Deserialize<ImmutableArray<ApiKey>>(File.ReadAllBytes(path), OwnerFile.Json));
        }
        catch (JsonException e)
        {
            throw new ServerException($"{path} is damaged: put back a copy of it, or delete it and make new keys", e);
        }
    }

    /// <summary>Makes a key and answers it; nobody can ask for it again.</summary>
    /// <exception cref="ServerException">The name or a scope is not one, or there is such a key.</exception>
    public string Add(string name, ImmutableArray<string> scopes, long? tokensPerDay)
    {
        if (name.Length is 0 or > NameCharactersMax || name.Any(c => !char.IsAsciiLetterOrDigit(c) && c is not ('-' or '_' or '.')))
            throw new ServerException($"A key's name has 1 to {NameCharactersMax} letters, digits, '-', '_' and '.'.");
        if (scopes.FirstOrDefault(scope => !ApiScopes.All.Contains(scope)) is { } unknown)
            throw new ServerException($"There is no scope '{unknown}'; there are: {string.Join(", ", ApiScopes.All)}.");
        var secret = Prefix + Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(KeyBytes));
        lock (_lock)
        {
            if (_keys.Any(key => key.Name == name))
                throw new ServerException($"There is a key '{name}' already; revoke it first: millrace keys revoke {name}");
            Save(_keys.Add(new(name, Hash(secret), scopes, tokensPerDay, _time.GetUtcNow())));
        }

        return secret;
    }

    /// <summary>False: there is no such key.</summary>
    public bool Revoke(string name)
    {
        lock (_lock)
        {
            var rest = _keys.RemoveAll(key => key.Name == name);
            if (rest.Length == _keys.Length) return false;
            Save(rest);
            return true;
        }
    }

    public ApiKey? Find(string secret)
    {
        // Hashes are compared, so that the time it takes tells nothing of the key.
        var hash = Hash(secret);
        return _keys.FirstOrDefault(key => key.Hash == hash);
    }

    void Save(ImmutableArray<ApiKey> keys)
    {
        OwnerFile.Write(_path, keys);
        _keys = keys;
    }

    static string Hash(string secret) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(secret)));
}

/// <summary>What a key may be for.</summary>
static class ApiScopes
{
    public const string Chat = "chat";
    public const string Embeddings = "embeddings";
    public const string Models = "models";
    public const string Metrics = "metrics";

    public static readonly ImmutableArray<string> All = [Chat, Embeddings, Models, Metrics];
}
