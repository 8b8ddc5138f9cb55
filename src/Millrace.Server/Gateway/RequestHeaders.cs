using System.Collections.Immutable;
using Microsoft.AspNetCore.Http;

namespace Millrace.Server.Gateway;

/// <summary>Headers of a request as the envelope of its event carries them.</summary>
static class RequestHeaders
{
    const int Max = 64;

    /// <param name="without">The signature: of no use to a guest.</param>
    public static ImmutableSortedDictionary<string, string> Of(HttpRequest request, string? without = null) =>
        request.Headers
            .Where(header => !header.Key.Equals(without, StringComparison.OrdinalIgnoreCase))
            .Take(Max)
            .ToImmutableSortedDictionary(
                header => header.Key.ToLowerInvariant(), header => header.Value.ToString(), StringComparer.Ordinal);

    /// <summary>A header that names something; null when it is missing.</summary>
    /// <exception cref="ProblemException">It is no name.</exception>
    public static string? Name(HttpRequest request, string header, int charactersMax)
    {
        var value = request.Headers[header].ToString();
        if (value.Length == 0) return null;
        return value.Length <= charactersMax && !value.Any(c => c is <= ' ' or > '~')
            ? value
            : throw new ProblemException(400, "header", "Bad header",
                $"The header {header} is not a name of at most {charactersMax} characters.");
    }
}
