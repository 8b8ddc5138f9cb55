using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Logging;
using Millrace.Flows;

namespace Millrace.Server.Gateway;

/// <summary>What the public listener answers; nothing else is there.</summary>
sealed class PublicEndpoints(Platform platform, ServerKey key, TimeProvider time, ILogger log)
{
    public void Map(WebApplication application)
    {
        var hooks = new HookEndpoint(platform, log);
        var runs = new RunEndpoint(platform, key, log);
        application.MapPost("/hooks/{integration}/{connection}", context => hooks.TakeAsync(
            context, Route(context, "integration"), Route(context, "connection")));
        application.MapPost("/run/{flow}", context => runs.RunAsync(context, Route(context, "flow")));
        application.MapGet("/health", context => context.Response.WriteAsJsonAsync(
            new { status = "ok", time = time.GetUtcNow() }, context.RequestAborted));
    }

    static string Route(HttpContext context, string name) => (string)context.GetRouteValue(name)!;
}
