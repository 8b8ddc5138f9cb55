using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Millrace.Flows;
using Millrace.Server.Gateway;

namespace Millrace.Server.Pages;

/// <summary>
/// The pages: read-only HTML without script, on a port of their own. Whoever opens them needs the token of the address
/// that <c>serve</c> prints; a checked Host keeps other sites' names from leading here.
/// </summary>
sealed class PageEndpoints(Platform platform, ServerKey key, TimeProvider time)
{
    const int RunsPerPage = 50;

    public void Map(WebApplication application)
    {
        application.Use(async (context, next) =>
        {
            Harden(context.Response);
            CheckHost(context.Request);
            if (IsAdmitted(context)) await next(context);
        });
        application.MapGet("/", ListAsync);
        application.MapGet("/runs/{id}", RunAsync);
        application.MapGet("/page.css", context =>
        {
            context.Response.ContentType = "text/css; charset=utf-8";
            return context.Response.WriteAsync(PageStyle.Css, context.RequestAborted);
        });
    }

    static void Harden(HttpResponse response)
    {
        response.Headers.ContentSecurityPolicy =
            "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
        response.Headers.XContentTypeOptions = "nosniff";
        response.Headers["Referrer-Policy"] = "no-referrer";
        response.Headers.CacheControl = "no-store";
    }

    /// <summary>A name of another site that leads to this machine (DNS rebinding) is not our name.</summary>
    static void CheckHost(HttpRequest request)
    {
        var port = request.HttpContext.Connection.LocalPort;
        if (request.Host.Port == port && request.Host.Host is "127.0.0.1" or "localhost") return;
        throw new ProblemException(421, "host", "Wrong host", $"The pages are at http://127.0.0.1:{port}.");
    }

    bool IsAdmitted(HttpContext context)
    {
        // Cookies know no ports: another server of the same machine has another name for its own.
        var cookie = $"millrace-{context.Connection.LocalPort}";
        if (Query(context, "token") is { } token && ServerKey.IsSame(token, key.PagesToken))
        {
            context.Response.Cookies.Append(cookie, token, new CookieOptions
            {
                HttpOnly = true,
                SameSite = SameSiteMode.Strict,
                IsEssential = true,
            });
            // Out of the address bar, the history and every link.
            context.Response.Redirect(context.Request.Path);
            return false;
        }
        if (context.Request.Cookies[cookie] is { } kept && ServerKey.IsSame(kept, key.PagesToken)) return true;
        throw new ProblemException(401, "token", "Token needed",
            "Open the address that 'millrace serve' printed.");
    }

    async Task ListAsync(HttpContext context)
    {
        var flow = Query(context, "flow");
        var before = Query(context, "before");
        var runs = await platform.RunsAsync(flow, before, RunsPerPage + 1);
        var page = new RunListPage(platform.Flows, time.GetUtcNow());
        await WriteAsync(context, page.Render(runs, flow, before is not null, RunsPerPage));
    }

    async Task RunAsync(HttpContext context)
    {
        var id = (string)context.GetRouteValue("id")!;
        if (await platform.RunAsync(id) is not { } run)
            throw new ProblemException(404, "not-found", "No such run", $"There is no run '{id}'.");
        var output = await OutputAsync(id, run.Summary.State, context.RequestAborted);
        var page = new RunPage(run, output, await platform.LogAsync(id), time.GetUtcNow());
        await WriteAsync(context, page.Render());
    }

    /// <summary>What the run has written; of one that has not ended only that it is not known yet.</summary>
    async Task<string> OutputAsync(string id, RunState state, CancellationToken cancel)
    {
        if (state != RunState.Ended) return "";
        using var bytes = new MemoryStream();
        await foreach (var part in platform.ReadOutputAsync(id, cancel: cancel))
        {
            bytes.Write(part.Span);
            if (bytes.Length > RunPage.TextMax) break;
        }
        return Encoding.UTF8.GetString(bytes.GetBuffer(), 0, (int)bytes.Length);
    }

    static Task WriteAsync(HttpContext context, Html page)
    {
        context.Response.ContentType = "text/html; charset=utf-8";
        return context.Response.WriteAsync(page.ToString(), context.RequestAborted);
    }

    static string? Query(HttpContext context, string name) =>
        context.Request.Query[name].ToString() is { Length: > 0 } text ? text : null;
}
