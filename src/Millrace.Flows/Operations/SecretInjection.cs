using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text;

namespace Millrace.Flows.Operations;

/// <summary>Puts a connection's secret into a request, in the one form that <c>auth</c> names.</summary>
static class SecretInjection
{
    /// <summary>
    /// A connection without a token sends the request as it is: a model server on this machine asks for none, and
    /// public repositories can be read without.
    /// </summary>
    public static void Apply(HttpRequestMessage message, FetchAuth auth, Connection account, ReadOnlySpan<byte> body)
    {
        if (account.Secret(Connection.Token) is not { Length: > 0 } token) return;
        switch (auth.As)
        {
            case "bearer":
                message.Headers.Authorization = new AuthenticationHeaderValue("Bearer", token);
                break;
            case "basic":
                var pair = Convert.ToBase64String(Encoding.UTF8.GetBytes($"{auth.Name}:{token}"));
                message.Headers.Authorization = new AuthenticationHeaderValue("Basic", pair);
                break;
            case "header":
                message.Headers.TryAddWithoutValidation(auth.Name!, token);
                break;
            case "hmac":
                var mac = HMACSHA256.HashData(Encoding.UTF8.GetBytes(token), body);
                message.Headers.TryAddWithoutValidation(auth.Name!, "sha256=" + Convert.ToHexStringLower(mac));
                break;
            default:
                message.RequestUri = WithParameter(message.RequestUri!, auth.Name!, token);
                break;
        }
    }

    static Uri WithParameter(Uri url, string name, string value)
    {
        var parameter = $"{Uri.EscapeDataString(name)}={Uri.EscapeDataString(value)}";
        var query = url.Query.Length > 1 ? $"{url.Query}&{parameter}" : parameter;
        return new UriBuilder(url) { Query = query }.Uri;
    }
}
