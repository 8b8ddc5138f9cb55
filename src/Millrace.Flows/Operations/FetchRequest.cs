using System.Collections.Frozen;
using System.Collections.Immutable;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace Millrace.Flows.Operations;

/// <summary>How a secret is put into a request.</summary>
/// <param name="Connection">Null in an integration's run: its own connection.</param>
/// <param name="As">One of <see cref="FetchRequest.AuthForms"/>.</param>
/// <param name="Name">Of the header or query parameter; for basic, the user's.</param>
sealed record FetchAuth(string? Connection, string As, string? Name);

/// <summary>The content of a request is wrong; the message is for the guest.</summary>
sealed class InvalidRequestException(string message) : Exception(message);

/// <summary>The head of <c>http.fetch</c>, checked.</summary>
sealed partial record FetchRequest
{
    public static readonly ImmutableArray<string> AuthForms = ["bearer", "header", "query", "basic", "hmac"];

    const int UrlCharactersMax = 8192;
    const int HeadersMax = 64;
    const int HeaderCharactersMax = 8192;
    const long BytesDefault = 8 << 20;
    const long BytesMax = 32 << 20;

    static readonly TimeSpan TimeoutDefault = TimeSpan.FromSeconds(30);
    static readonly TimeSpan TimeoutMax = TimeSpan.FromMinutes(10);

    static readonly FrozenSet<string> Methods =
        new[] { "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS" }.ToFrozenSet();

    /// <summary>
    /// What frames the message or goes to a proxy belongs to the host. Authorization and cookies go by <c>auth</c>
    /// alone, so that no secret ever stands in a guest's text. A compressed answer could not be scrubbed, so the host
    /// asks for encodings itself.
    /// </summary>
    static readonly FrozenSet<string> HostHeaders = new[]
    {
        "host", "content-length", "transfer-encoding", "connection", "keep-alive", "upgrade", "te", "trailer", "expect",
        "proxy-authorization", "proxy-connection", "authorization", "cookie", "accept-encoding", "content-encoding",
    }.ToFrozenSet(StringComparer.OrdinalIgnoreCase);

    public required string Method { get; init; }
    public required Uri Url { get; init; }
    public required ImmutableArray<KeyValuePair<string, string>> Headers { get; init; }
    public FetchAuth? Auth { get; init; }
    public TimeSpan Timeout { get; init; } = TimeoutDefault;
    public long ResponseBytesMax { get; init; } = BytesDefault;

    public static bool IsRead(string method) => method is "GET" or "HEAD";

    /// <exception cref="InvalidRequestException">It is not as the contract says.</exception>
    public static FetchRequest Read(ReadOnlyMemory<byte> head)
    {
        using var document = HeadJson.Object(head, "http.fetch");
        var fields = document.RootElement;
        HeadJson.RefuseOthers(fields, ["method", "url", "headers", "auth", "timeout_ms", "max_bytes"]);
        var method = HeadJson.Text(fields, "method") ?? throw new InvalidRequestException("'method' is missing.");
        if (!Methods.Contains(method))
            throw new InvalidRequestException($"'method' is one of {string.Join(", ", Methods.Order())}.");
        var timeout = HeadJson.Integer(fields, "timeout_ms", 1, (long)TimeoutMax.TotalMilliseconds);
        var bytes = HeadJson.Integer(fields, "max_bytes", 1, BytesMax);
        return new FetchRequest
        {
            Method = method,
            Url = ReadUrl(HeadJson.Text(fields, "url") ?? throw new InvalidRequestException("'url' is missing.")),
            Headers = ReadHeaders(fields),
            Auth = ReadAuth(fields),
            Timeout = timeout is { } ms ? TimeSpan.FromMilliseconds(ms) : TimeoutDefault,
            ResponseBytesMax = bytes ?? BytesDefault,
        };
    }

    /// <exception cref="InvalidRequestException">It is no address that can be asked.</exception>
    public static Uri ReadUrl(string text)
    {
        if (text.Length > UrlCharactersMax) throw new InvalidRequestException("'url' is too long.");
        if (!Uri.TryCreate(text, UriKind.Absolute, out var url) || url.Scheme is not ("http" or "https"))
            throw new InvalidRequestException("'url' is not an absolute http or https address.");
        if (url.UserInfo.Length > 0)
            throw new InvalidRequestException("'url' holds a user or password; name a connection in 'auth' instead.");
        return url.Fragment.Length == 0 ? url : new UriBuilder(url) { Fragment = "" }.Uri;
    }

    static ImmutableArray<KeyValuePair<string, string>> ReadHeaders(JsonElement fields)
    {
        if (!fields.TryGetProperty("headers", out var map) || map.ValueKind == JsonValueKind.Null) return [];
        if (map.ValueKind != JsonValueKind.Object)
            throw new InvalidRequestException("'headers' is an object of texts.");
        var headers = ImmutableArray.CreateBuilder<KeyValuePair<string, string>>();
        foreach (var header in map.EnumerateObject())
        {
            if (header.Value.ValueKind != JsonValueKind.String)
                throw new InvalidRequestException("'headers' is an object of texts.");
            var value = header.Value.GetString()!;
            CheckHeader(header.Name, value);
            headers.Add(new(header.Name, value));
        }
        if (headers.Count > HeadersMax)
            throw new InvalidRequestException($"'headers' has at most {HeadersMax} entries.");
        return headers.ToImmutable();
    }

    static void CheckHeader(string name, string value)
    {
        if (!Token().IsMatch(name)) throw new InvalidRequestException("A header's name is not one.");
        if (HostHeaders.Contains(name))
        {
            throw new InvalidRequestException(name.ToLowerInvariant() is "authorization" or "cookie"
                ? $"The header '{name}' is not a guest's to set; name a connection in 'auth'."
                : $"The header '{name}' is the host's to set.");
        }
        if (value.Length > HeaderCharactersMax || value.Any(c => c is < ' ' or > '~'))
            throw new InvalidRequestException($"The value of the header '{name}' is too long or not plain ASCII.");
    }

    static FetchAuth? ReadAuth(JsonElement fields)
    {
        if (!fields.TryGetProperty("auth", out var auth) || auth.ValueKind == JsonValueKind.Null) return null;
        if (auth.ValueKind != JsonValueKind.Object) throw new InvalidRequestException("'auth' is an object.");
        HeadJson.RefuseOthers(auth, ["connection", "as", "name"]);
        var form = HeadJson.Text(auth, "as") ?? throw new InvalidRequestException("'auth' needs 'as'.");
        if (!AuthForms.Contains(form))
            throw new InvalidRequestException($"'auth.as' is one of {string.Join(", ", AuthForms)}.");
        var name = HeadJson.Text(auth, "name");
        if (form is "header" or "hmac")
        {
            // Not checked against the host's own headers: `authorization` in a form of its own is what it is for.
            if (name is null || !Token().IsMatch(name) || name.Equals("host", StringComparison.OrdinalIgnoreCase))
                throw new InvalidRequestException($"'auth' as {form} needs 'name', the header's name.");
        }
        else if (form is "query" or "basic" && name is not { Length: > 0 })
        {
            throw new InvalidRequestException(form == "query"
                ? "'auth' as query needs 'name', the parameter's name."
                : "'auth' as basic needs 'name', the user's name.");
        }
        return new FetchAuth(HeadJson.Text(auth, "connection"), form, name);
    }

    [GeneratedRegex(@"\A[!#$%&'*+.^_`|~0-9A-Za-z-]{1,100}\z", RegexOptions.CultureInvariant)]
    private static partial Regex Token();
}
