using System.Buffers;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;

namespace Millrace.Server.ModelApi;

/// <summary>Server-sent events as an answer. One caller at a time.</summary>
sealed class EventStream(HttpContext context)
{
    // No page embeds it: letters of all languages go as they are.
    static readonly JsonSerializerOptions Json = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>Sends one object; the headers go with the first.</summary>
    /// <param name="json">The object.</param>
    /// <param name="type">Name of the event; null: it has none.</param>
    public Task SendAsync(JsonNode json, string? type = null)
    {
        Begin();
        // Straight into the response's own memory: this is done for every token.
        var body = context.Response.BodyWriter;
        if (type is not null) Encoding.UTF8.GetBytes($"event: {type}\n", body);
        body.Write("data: "u8);
        using (var writer = new Utf8JsonWriter(body, new() { Encoder = Json.Encoder, SkipValidation = true })) json.WriteTo(writer, Json);
        body.Write("\n\n"u8);
        return FlushAsync();
    }

    /// <summary>The word that ends a stream of completions.</summary>
    public Task EndAsync()
    {
        Begin();
        context.Response.BodyWriter.Write("data: [DONE]\n\n"u8);
        return FlushAsync();
    }

    void Begin()
    {
        if (context.Response.HasStarted) return;
        context.Response.ContentType = "text/event-stream; charset=utf-8";
        context.Response.Headers.CacheControl = "no-cache";
        // Proxies that gather an answer before they pass it on would undo the streaming.
        context.Response.Headers["X-Accel-Buffering"] = "no";
    }

    async Task FlushAsync() => await context.Response.BodyWriter.FlushAsync(context.RequestAborted);
}
