using System.Globalization;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;
using Millrace.Inference;

namespace Millrace.Server.ModelApi;

/// <summary>A request to the model API that is answered with an error, in the shape that OpenAI's clients read.</summary>
/// <param name="status">HTTP status.</param>
/// <param name="type">As <c>invalid_request_error</c>.</param>
/// <param name="code">Stable word for programs; null: none.</param>
/// <param name="message">One sentence: where, why, what to do.</param>
sealed class ApiException(int status, string type, string? code, string message) : Exception(message)
{
    public const string InvalidRequest = "invalid_request_error";
    public const string ServerError = "server_error";

    public int Status { get; } = status;

    /// <summary>Where in the request, as <c>messages[2].content</c>; null: nowhere in it.</summary>
    public string? Parameter { get; init; }

    /// <summary>For the log, where a caller is told less; null: the message says it all.</summary>
    public string? Cause { get; init; }

    /// <summary>Seconds after which asking again may help; null: it does not.</summary>
    public int? RetryAfter { get; init; }

    public static ApiException Invalid(string parameter, string message, string? code = null) =>
        new(400, InvalidRequest, code, message) { Parameter = parameter };

    public static ApiException Overloaded() =>
        new(503, ServerError, "overloaded", "Too many requests are under way; ask again in a moment.") { RetryAfter = 1 };

    /// <summary>Models cannot run here at all: why has the folders of this machine in it, which are for its log.</summary>
    public static ApiException NoEngine(string cause) =>
        new(503, ServerError, "model_unavailable", "This machine cannot run models; 'millrace doctor' says why.") { Cause = cause };

    /// <summary>What a model's failure is to a caller.</summary>
    /// <param name="failure">As the model tells it.</param>
    /// <param name="formatField">Where the request says what form the answer must have.</param>
    public static ApiException Of(InferenceException failure, string? formatField = null) => failure.Type switch
    {
        "context-exceeded" => new(400, InvalidRequest, "context_length_exceeded", failure.Message),
        "invalid" or "too-large" => new(400, InvalidRequest, null, failure.Message)
        {
            Parameter = failure.IsOfFormat ? formatField : null,
        },
        // Models are told of by their file's name alone; who tells of more could not load a library.
        _ when failure.Message.AsSpan().ContainsAny('/', '\\') => NoEngine(failure.Message),
        _ => new(503, ServerError, "model_unavailable", failure.Message) { RetryAfter = failure.IsTransient ? 1 : null },
    };

    public static ApiException Internal() =>
        new(500, ServerError, "internal", "The server failed; its log says why.");

    public JsonObject ToJson() => new()
    {
        ["error"] = new JsonObject
        {
            ["message"] = Message,
            ["type"] = type,
            ["param"] = Parameter,
            ["code"] = code,
        },
    };

    public async Task WriteAsync(HttpContext context)
    {
        if (context.Response.HasStarted
            && context.Response.ContentType?.StartsWith("text/event-stream", StringComparison.Ordinal) == true)
        {
            // Clients take an object with this member for the end of the stream.
            await new EventStream(context).SendAsync(ToJson());
            return;
        }

        if (context.Response.HasStarted)
        {
            // A part of the answer is out: only breaking the connection tells the caller that it is not whole.
            context.Abort();
            return;
        }

        context.Response.StatusCode = Status;
        if (RetryAfter is { } seconds)
            context.Response.Headers.RetryAfter = seconds.ToString(CultureInfo.InvariantCulture);
        if (Status == 401) context.Response.Headers.WWWAuthenticate = "Bearer";
        await context.Response.WriteAsJsonAsync(ToJson(), context.RequestAborted);
    }
}
