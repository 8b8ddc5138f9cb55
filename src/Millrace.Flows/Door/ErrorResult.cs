using System.Text.Json;
using System.Text.Json.Nodes;
using Millrace.Sandbox;

namespace Millrace.Flows.Door;

/// <summary>Problem details as a guest sees them; the closed list of types.</summary>
static class ErrorResult
{
    public const string Denied = "denied";
    public const string OverBudget = "over-budget";
    public const string NotFound = "not-found";
    public const string TimeOut = "timeout";
    public const string Invalid = "invalid";
    public const string Conflict = "conflict";
    public const string Unavailable = "unavailable";
    public const string RateLimited = "rate-limited";
    public const string Interrupted = "interrupted";
    public const string UnknownOperation = "unknown-operation";
    public const string TooLarge = "too-large";
    public const string Cancelled = "cancelled";
    public const string Upstream = "upstream";
    public const string ModelUnavailable = "model-unavailable";
    public const string ContextExceeded = "context-exceeded";
    public const string Unknown = "unknown";

    /// <summary>An error result. Guests and models read the detail: no secrets, no host paths.</summary>
    public static OperationResult Of(
        TimeProvider time, string type, string detail, int? status = null, TimeSpan? retryAfter = null,
        int? errno = null)
    {
        var head = new JsonObject { ["type"] = type, ["title"] = Title(type), ["detail"] = detail };
        if (status is { } code) head["status"] = code;
        if (errno is { } number) head["errno"] = number;
        if (retryAfter is { } wait) head["retry_after_ms"] = (long)wait.TotalMilliseconds;
        return new(ResultState.Error, JsonSerializer.SerializeToUtf8Bytes(head), default, Clock.Ns(time));
    }

    static string Title(string type) => type switch
    {
        Denied => "Not granted",
        OverBudget => "Over budget",
        NotFound => "Not found",
        TimeOut => "Timed out",
        Invalid => "Invalid request",
        Conflict => "Conflict",
        Unavailable => "Not available",
        RateLimited => "Rate limited",
        Interrupted => "Interrupted",
        UnknownOperation => "No such operation",
        TooLarge => "Too large",
        Cancelled => "Cancelled",
        Upstream => "The far server refused",
        ModelUnavailable => "No model",
        ContextExceeded => "Longer than the model's context",
        Unknown => "Not known whether it was applied",
        _ => throw new ArgumentOutOfRangeException(nameof(type), type, "Not an error type."),
    };
}
