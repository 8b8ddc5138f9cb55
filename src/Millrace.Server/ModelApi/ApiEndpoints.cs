using System.Collections.Immutable;
using System.Net;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Logging;
using Millrace.Server.Gateway;

namespace Millrace.Server.ModelApi;

/// <summary>
/// The models of this machine behind the API that OpenAI's clients speak, on the public listener. Every request needs a
/// key with the right scope, unless the server was started open; then a page of a stranger's in a browser gets nothing.
/// </summary>
sealed class ApiEndpoints(ApiState state, ILogger log)
{
    const int InFlightMax = 512;
    const string Scheme = "Bearer ";
    const string MetricsPath = "/metrics";

    static readonly ImmutableArray<string> Methods = ["GET", "POST", "OPTIONS"];

    readonly Dictionary<string, string> _paths = [];

    public void Map(WebApplication application)
    {
        Map(application, "POST", "/v1/chat/completions", ApiScopes.Chat, ChatEndpoint.AnswerAsync);
        Map(application, "POST", "/v1/completions", ApiScopes.Chat, CompletionEndpoint.AnswerAsync);
        Map(application, "POST", "/v1/responses", ApiScopes.Chat, ResponseEndpoint.AnswerAsync);
        Map(application, "POST", "/v1/embeddings", ApiScopes.Embeddings, EmbeddingEndpoint.AnswerAsync);
        Map(application, "GET", "/v1/models", ApiScopes.Models, ListModelsAsync);
        Map(application, "GET", "/v1/models/{name}", ApiScopes.Models, ShowModelAsync);
        Map(application, "GET", MetricsPath, ApiScopes.Metrics, call => call.Context.Response.WriteAsync(state.Metrics.Text()));
        application.MapFallback("/v1/{**path}", context => GuardAsync(context, "other", null, _ => throw Unknown(context)));
    }

    void Map(WebApplication application, string method, string path, string scope, Func<ApiCall, Task> answer)
    {
        _paths[path] = method;
        application.MapMethods(path, [method], context => GuardAsync(context, path, scope, answer));
    }

    ApiException Unknown(HttpContext context)
    {
        var path = context.Request.Path.Value!;
        return _paths.TryGetValue(path, out var method)
            ? new(405, ApiException.InvalidRequest, "method_not_allowed", $"{path} takes {method}.")
            : new(404, ApiException.InvalidRequest, "unknown_url",
                $"There is nothing at {path}; there are: {string.Join(", ", _paths.Keys)}.");
    }

    async Task GuardAsync(HttpContext context, string path, string? scope, Func<ApiCall, Task> answer)
    {
        var inFlight = state.Metrics.Enter();
        try
        {
            context.Response.Headers["x-request-id"] = context.TraceIdentifier;
            AllowOrigin(context);
            if (HttpMethods.IsOptions(context.Request.Method)) AnswerPreflight(context);
            else if (inFlight > InFlightMax) throw ApiException.Overloaded();
            else await answer(new(context, state, Authenticate(context.Request, scope)));
        }
        catch (ApiException e)
        {
            if (e.Cause is { } cause) ServerLog.Refused(log, path, cause);
            await e.WriteAsync(context);
        }
        catch (ProblemException e)
        {
            await new ApiException(e.Status, ApiException.InvalidRequest, e.Type.Replace('-', '_'), e.Message).WriteAsync(context);
        }
        catch (OperationCanceledException) when (context.RequestAborted.IsCancellationRequested)
        {
            // Nobody is there to be answered.
        }
        // The edge of a request: what nobody foresaw is logged whole and told as one sentence.
        catch (Exception e)
        {
            ServerLog.Failed(log, e, path);
            await ApiException.Internal().WriteAsync(context);
        }
        finally
        {
            state.Metrics.Leave(path, context.Response.StatusCode);
        }
    }

    /// <summary>Who asks; null where everybody may.</summary>
    ApiKey? Authenticate(HttpRequest request, string? scope)
    {
        if (state.IsOpen) return null;
        var given = request.Headers.Authorization.ToString();
        var key = given.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase) ? state.Keys.Find(given[Scheme.Length..].Trim()) : null;
        if (key is null)
        {
            throw new ApiException(401, ApiException.InvalidRequest, "invalid_api_key", given.Length == 0
                ? "A key is needed: send 'Authorization: Bearer KEY'; 'millrace keys add NAME' makes one."
                : "There is no such key, or it was revoked; 'millrace keys list' shows their names.");
        }

        return scope is null || key.Scopes.Contains(scope) ? key
            : throw new ApiException(403, ApiException.InvalidRequest, "insufficient_permissions",
                $"The key '{key.Name}' lacks the scope '{scope}'; it has: {string.Join(", ", key.Scopes)}.");
    }

    /// <summary>
    /// With keys any page may ask: it has to have one. Without, a page on another machine must not use the models of
    /// whoever looks at it, nor by a name that it lets point here.
    /// </summary>
    void AllowOrigin(HttpContext context)
    {
        var origin = context.Request.Headers.Origin.ToString();
        var headers = context.Response.Headers;
        headers.AccessControlExposeHeaders = "retry-after, x-request-id";
        if (!state.IsOpen)
        {
            headers.AccessControlAllowOrigin = "*";
            return;
        }

        var isOwn = IsLoopback(context.Request.Host.Host)
            && (origin.Length == 0 || (Uri.TryCreate(origin, UriKind.Absolute, out var page) && IsLoopback(page.Host)));
        if (!isOwn)
        {
            throw new ApiException(403, ApiException.InvalidRequest, "foreign_origin",
                "This server takes requests without a key from this machine alone; make a key: millrace keys add NAME");
        }

        headers.Vary = "Origin";
        if (origin.Length > 0) headers.AccessControlAllowOrigin = origin;
    }

    static bool IsLoopback(string host) => host is "localhost"
        || (IPAddress.TryParse(host.Trim('[', ']'), out var address) && IPAddress.IsLoopback(address));

    static void AnswerPreflight(HttpContext context)
    {
        var headers = context.Response.Headers;
        headers.AccessControlAllowMethods = string.Join(", ", Methods);
        headers.AccessControlAllowHeaders = context.Request.Headers.AccessControlRequestHeaders;
        headers.AccessControlMaxAge = "600";
        context.Response.StatusCode = StatusCodes.Status204NoContent;
    }

    Task ListModelsAsync(ApiCall call) => call.WriteAsync(new()
    {
        ["object"] = "list",
        ["data"] = new JsonArray([.. state.Usable().Files().Select(ModelJson)]),
    });

    Task ShowModelAsync(ApiCall call)
    {
        var name = (string)call.Context.GetRouteValue("name")!;
        var model = state.Usable().Files().FirstOrDefault(file => file.Name == name) ?? throw ApiCall.NoModel(name);
        return call.WriteAsync(ModelJson(model));
    }

    static JsonObject ModelJson(ModelFile file) => new()
    {
        ["id"] = file.Name,
        ["object"] = "model",
        ["created"] = new DateTimeOffset(File.GetLastWriteTimeUtc(file.Path)).ToUnixTimeSeconds(),
        ["owned_by"] = "millrace",
    };
}
