using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Millrace.Flows;
using Millrace.Server.Gateway;

namespace Millrace.Server.Control;

/// <summary>
/// Commands of the data folder's owner, over the Unix socket that only the owner can open. Secrets come in by it and
/// never go out; secret-looking texts of logs are masked.
/// </summary>
sealed class ControlEndpoints(ServerHost host, string dataFolder, ServerKey key, KeyEndpoints keys)
{
    const int RunsMax = 500;

    Platform Platform => host.Platform;

    public void Map(WebApplication application)
    {
        application.MapGet("/status", context => WriteAsync(context, new ServerStatus(
            Environment.ProcessId, host.Url, host.PagesUrl, Path.GetFullPath(dataFolder))));
        application.MapPost("/deploy", DeployAsync);
        application.MapGet("/flows", context => WriteAsync(context, Platform.Flows.Select(Flow)));
        application.MapGet("/integrations", context => WriteAsync(context, Platform.Integrations));
        application.MapPost("/models/ask", AskModelAsync);
        application.MapGet("/models", async context =>
            await WriteAsync(context, await Platform.ModelsAsync(context.RequestAborted)));
        keys.Map(application);
        MapRuns(application);
        MapConnections(application);
    }

    void MapRuns(WebApplication application)
    {
        application.MapGet("/runs", async context =>
        {
            var limit = int.TryParse(context.Request.Query["limit"], out var number) ? number : 50;
            await WriteAsync(context, await Platform.RunsAsync(
                Query(context, "flow"), Query(context, "before"), Math.Clamp(limit, 1, RunsMax)));
        });
        application.MapGet("/runs/{id}", async context => await WriteAsync(context,
            await Platform.RunAsync(Id(context)) ?? throw NotFound($"There is no run '{Id(context)}'.")));
        application.MapGet("/runs/{id}/log", async context => await WriteAsync(context,
            (await Platform.LogAsync(Id(context))).Select(line => line with { Text = SecretMask.Apply(line.Text) })));
        application.MapGet("/runs/{id}/wait", async context =>
            await WriteAsync(context, await Platform.WaitForEndAsync(Id(context), context.RequestAborted)));
        application.MapGet("/runs/{id}/output", OutputAsync);
        application.MapPost("/runs/{id}/cancel", async context =>
            await WriteAsync(context, await Platform.CancelAsync(Id(context))));
        application.MapPost("/runs/{id}/resolve", async context =>
        {
            var request = await ReadAsync<ResolveRequest>(context);
            if (request.Result is { } result) CheckJson(result);
            await Platform.ResolveAsync(Id(context), request.Sequence, request.Result);
            await WriteAsync(context, true);
        });
    }

    void MapConnections(WebApplication application)
    {
        application.MapGet("/connections", context => WriteAsync(context, Platform.Connections.List()));
        application.MapPost("/connections", async context =>
        {
            var connection = await ReadAsync<NewConnection>(context);
            var name = connection.Integration;
            var integration = Platform.Find(name, isIntegration: true) ?? throw NotFound(
                $"No integration '{name}' is deployed; deploy it first: millrace deploy {name}");
            Guard(() => Platform.Connections.Add(connection, integration));
            await WriteAsync(context, true);
        });
        application.MapDelete("/connections/{id}", async context => await WriteAsync(
            context, Platform.Connections.Remove(Id(context)) ? true : throw NoConnection(context)));
        application.MapPost("/connections/{id}/test", async context => await WriteAsync(context,
            await Platform.TestConnectionAsync(Id(context), context.RequestAborted) ?? throw NoConnection(context)));
    }

    async Task DeployAsync(HttpContext context)
    {
        var request = await ReadAsync<DeployRequest>(context);
        if (!Path.IsPathRooted(request.Folder))
            throw new ProblemException(400, "invalid", "Invalid request", "The folder's path is not absolute.");
        Package package;
        try
        {
            package = Package.Load(request.Folder, request.Settings);
        }
        catch (ManifestException e)
        {
            throw new ProblemException(400, "manifest", "Faulty package", e.Message);
        }
        var deployed = await Platform.DeployAsync(package);
        var runUrl = package.HasHttpTrigger ? RunUrl(package.Name) : null;
        await WriteAsync(context, new DeployReply(
            deployed.Name, package.IsIntegration, deployed.Version, deployed.IsNew, deployed.Remarks, runUrl));
    }

    async Task AskModelAsync(HttpContext context)
    {
        var request = await ReadAsync<ChatRequest>(context);
        try
        {
            await WriteAsync(context, new ModelReply(await Platform.AskModelAsync(request, context.RequestAborted)));
        }
        catch (LanguageModelException e)
        {
            await WriteAsync(context, new ModelReply(null, e.Type, e.Message));
        }
    }

    FlowReply Flow(FlowSummary flow)
    {
        if (Platform.Find(flow.Name, isIntegration: false) is not { HasHttpTrigger: true } package)
            return new FlowReply(flow, null, null);
        return new FlowReply(flow, RunUrl(flow.Name), package.IsOpenToAll ? null : key.TokenOf(flow.Name));
    }

    string? RunUrl(string flow) => host.Url.Length > 0 ? $"{host.Url}/run/{flow}" : null;

    /// <summary>The run's output as it comes, until the run ends.</summary>
    async Task OutputAsync(HttpContext context)
    {
        if (await Platform.RunAsync(Id(context)) is null) throw NotFound($"There is no run '{Id(context)}'.");
        context.Response.ContentType = "application/octet-stream";
        await foreach (var part in Platform.ReadOutputAsync(Id(context), cancel: context.RequestAborted))
        {
            await context.Response.Body.WriteAsync(part, context.RequestAborted);
            await context.Response.Body.FlushAsync(context.RequestAborted);
        }
    }

    static void CheckJson(string text)
    {
        try
        {
            using var document = JsonDocument.Parse(text);
        }
        catch (JsonException)
        {
            throw new ProblemException(400, "invalid", "Invalid request", "The result is not JSON.");
        }
    }

    static void Guard(Action action)
    {
        try
        {
            action();
        }
        catch (ConnectionException e)
        {
            throw new ProblemException(400, "connection", "Not a connection", e.Message);
        }
    }

    internal static async Task<T> ReadAsync<T>(HttpContext context) where T : class
    {
        var body = await RequestBody.ReadAsync(context.Request, context.RequestAborted);
        try
        {
            return JsonSerializer.Deserialize<T>(body.Span, ControlJson.Options)
                ?? throw new ProblemException(400, "invalid", "Invalid request", "The body is empty.");
        }
        catch (JsonException)
        {
            throw new ProblemException(400, "invalid", "Invalid request", "The body is not what this path takes.");
        }
    }

    internal static Task WriteAsync<T>(HttpContext context, T value) =>
        context.Response.WriteAsJsonAsync(value, ControlJson.Options, context.RequestAborted);

    static string Id(HttpContext context) => (string)context.GetRouteValue("id")!;

    static string? Query(HttpContext context, string name) =>
        context.Request.Query[name].ToString() is { Length: > 0 } text ? text : null;

    static ProblemException NoConnection(HttpContext context) =>
        NotFound($"There is no connection '{Id(context)}'.");

    static ProblemException NotFound(string detail) => new(404, "not-found", "Not found", detail);
}
