using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Millrace.Flows;

namespace Millrace.Server.Gateway;

/// <summary>A request that is answered with problem details (RFC 9457).</summary>
sealed class ProblemException(int status, string type, string title, string detail) : Exception(detail)
{
    public int Status { get; } = status;
    public string Type { get; } = type;
    public string Title { get; } = title;
}

/// <summary>Every answer that is no success is problem details with a stable <c>type</c>.</summary>
static class Problems
{
    public static void AnswerEverywhere(WebApplication application, ILogger log) =>
        application.Use((context, next) => AnswerAsync(context, next, log));

    static async Task AnswerAsync(HttpContext context, RequestDelegate next, ILogger log)
    {
        try
        {
            await next(context);
        }
        catch (ProblemException e)
        {
            await WriteAsync(context, e.Status, e.Type, e.Title, e.Message);
            return;
        }
        catch (PlatformException e)
        {
            await WriteAsync(context, StatusOf(e.Error), TypeOf(e.Error), "Platform error", e.Message);
            return;
        }
        catch (BadHttpRequestException e)
        {
            await WriteAsync(context, e.StatusCode, "invalid", "Bad request", "The request is not valid HTTP.");
            return;
        }
        catch (OperationCanceledException) when (context.RequestAborted.IsCancellationRequested)
        {
            // Nobody is there to be answered.
            return;
        }
        // The edge of a request: what nobody foresaw is logged whole and told as one sentence.
        catch (Exception e)
        {
            ServerLog.Failed(log, e, context.Request.Path);
            await WriteAsync(context, 500, "internal", "Internal error", "The server failed; its log says why.");
            return;
        }
        if (context.Response is { HasStarted: false, StatusCode: 404 or 405 })
        {
            await (context.Response.StatusCode == 404
                ? WriteAsync(context, 404, "not-found", "Not found", "There is nothing at this path.")
                : WriteAsync(context, 405, "method", "Method not allowed", "This path takes another method."));
        }
    }

    public static async Task WriteAsync(HttpContext context, int status, string type, string title, string detail)
    {
        if (context.Response.HasStarted)
        {
            // A part of the answer is out: only breaking the connection tells the caller that it is not whole.
            context.Abort();
            return;
        }
        context.Response.StatusCode = status;
        context.Response.ContentType = "application/problem+json";
        var problem = new { type = $"urn:millrace:{type}", title, status, detail };
        await context.Response.Body.WriteAsync(JsonSerializer.SerializeToUtf8Bytes(problem), context.RequestAborted);
    }

    static int StatusOf(PlatformError error) => error switch
    {
        PlatformError.NotFound => 404,
        PlatformError.PackageInvalid => 400,
        PlatformError.DiskFull => 507,
        _ => 503,
    };

    static string TypeOf(PlatformError error) => error switch
    {
        PlatformError.NotFound => "not-found",
        PlatformError.PackageInvalid => "package-invalid",
        PlatformError.DiskFull => "disk-full",
        PlatformError.Closed => "closed",
        _ => "storage",
    };
}
