using System.Collections.Immutable;
using Millrace.Flows.Door;
using Millrace.Flows.Manifests;

namespace Millrace.Flows.Operations;

/// <summary>The run has no right to this; the message is for the guest.</summary>
sealed class DeniedException(string message) : Exception(message);

/// <summary>Where one request may go, and whose secret goes along.</summary>
sealed record FetchPermission
{
    public required ImmutableArray<HostPattern> Origins { get; init; }

    public required bool AllowsPrivate { get; init; }

    /// <summary>Whose secret is put in; null for none.</summary>
    public Connection? Account { get; init; }

    /// <summary>Whose secrets are taken out of the answer.</summary>
    public required SecretScrubber Scrubber { get; init; }

    /// <exception cref="DeniedException">The run may not ask this.</exception>
    public static FetchPermission Of(
        OperationContext context, FetchRequest request, Func<string, Connection?> connections,
        Func<string, Integration?> integrations)
    {
        var permission = context.Integration is { } integration
            ? OfIntegration(context.Connection!, integration, request.Auth)
            : OfFunction(context.Flow!.Grants.Http, request, connections, integrations);
        permission.Check(request.Url);
        return permission;
    }

    static FetchPermission OfIntegration(Connection connection, Integration integration, FetchAuth? auth)
    {
        if (auth?.Connection is { } other && other != connection.Name)
            throw new DeniedException($"An integration uses its own connection only, not '{other}'.");
        return new FetchPermission
        {
            Origins = connection.Origins(integration),
            AllowsPrivate = connection.AllowsPrivate,
            Account = auth is null ? null : connection,
            Scrubber = new SecretScrubber(connection.SecretValues),
        };
    }

    static FetchPermission OfFunction(
        HttpGrant? grant, FetchRequest request, Func<string, Connection?> connections,
        Func<string, Integration?> integrations)
    {
        if (grant is null) throw new DeniedException("'http.fetch' is not granted.");
        if (!grant.Methods.Contains(request.Method))
            throw new DeniedException($"The method {request.Method} is not granted.");
        if (request.Auth is not { } auth)
        {
            return new FetchPermission
            {
                Origins = grant.Hosts,
                AllowsPrivate = grant.AllowsPrivate,
                Scrubber = new SecretScrubber([]),
            };
        }
        if (auth.Connection is not { } name)
            throw new InvalidRequestException("'auth' of a function names its 'connection'.");
        if (!grant.Connections.Contains(name))
            throw new DeniedException($"The connection '{name}' is not granted to 'http'.");
        var account = connections(name) ?? throw new DeniedException($"The connection '{name}' does not exist.");
        var bound = account.Origins(integrations(account.Integration));
        if (!bound.Any(origin => origin.Matches(request.Url)))
            throw new DeniedException($"The secret of '{name}' is not bound to {Origin(request.Url)}.");
        return new FetchPermission
        {
            Origins = grant.Hosts,
            AllowsPrivate = grant.AllowsPrivate,
            Account = account,
            Scrubber = new SecretScrubber(account.SecretValues),
        };
    }

    /// <exception cref="DeniedException">The address is not among the allowed ones.</exception>
    public void Check(Uri url)
    {
        if (!Origins.Any(origin => origin.Matches(url)))
            throw new DeniedException($"Requests to {Origin(url)} are not granted.");
    }

    static string Origin(Uri url) => HostPattern.Of(url).ToString();
}
