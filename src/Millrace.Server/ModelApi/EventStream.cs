using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;

namespace Millrace.Server.ModelApi;

/// <summary>Server-sent events as an answer.</summary>
sealed class EventStream(HttpContext context)
{
    // No page embeds it: letters of all languages go as they are.
    static readonly JsonSerializerOptions Json = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>Sends one object; the headers go with the first.</summary>
    /// <param name="json">The object.</param>
    /// <param name="type">Name of the event; null: it has none.</param>
    public Task SendAsync(JsonNode json, string? type = null) =>
        WriteAsync($"{(type is null ? "" : $"event: {type}\n")}data: {json.ToJsonString(Json)}\n\n");

    /// <summary>The word that ends a stream of completions.</summary>
    public Task EndAsync() => WriteAsync("data: [DONE]\n\n");

    async Task WriteAsync(string text)
    {
        if (!context.Response.HasStarted)
        {
            context.Response.ContentType = "text/event-stream; charset=utf-8";
            context.Response.Headers.CacheControl = "no-cache";
            // Proxies that gather an answer before they pass it on would undo the streaming.
            context.Response.Headers["X-Accel-Buffering"] = "no";
        }

        await context.Response.WriteAsync(text, context.RequestAborted);
        await context.Response.Body.FlushAsync(context.RequestAborted);
    }
}
