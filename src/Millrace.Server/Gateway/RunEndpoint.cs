using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Microsoft.Net.Http.Headers;
using Millrace.Flows;

namespace Millrace.Server.Gateway;

/// <summary>
/// <c>POST /run/{flow}</c>: a flow called over HTTP. Its output is the answer as it comes; when the caller goes away
/// the run goes on, and <c>Idempotency-Key</c> finds it again.
/// </summary>
sealed class RunEndpoint(Platform platform, ServerKey key, ILogger log)
{
    const int KeyCharactersMax = 200;
    const string RunHeader = "millrace-run";

    public async Task RunAsync(HttpContext context, string name)
    {
        CheckCaller(context.Request, name);
        var delivery = RequestHeaders.Name(context.Request, "idempotency-key", KeyCharactersMax)
            ?? Guid.NewGuid().ToString("N");
        var body = await RequestBody.ReadAsync(context.Request, context.RequestAborted);
        var accepted = await platform.AcceptAsync(new IncomingEvent
        {
            Source = $"run/{name}",
            DeliveryId = delivery,
            Type = "http",
            Flow = name,
            Method = context.Request.Method,
            Path = context.Request.Path,
            Query = context.Request.QueryString.Value?.TrimStart('?') ?? "",
            Headers = RequestHeaders.Of(context.Request),
            Body = body,
        });
        if (accepted.Runs is not [var run])
        {
            throw new ProblemException(422, "no-match", "No match",
                $"The body does not fit the 'where' or the 'partition' of the flow '{name}'.");
        }
        if (!accepted.IsDuplicate) ServerLog.Accepted(log, "http", delivery, $"run/{name}", 1);
        context.Response.Headers[RunHeader] = run;
        await AnswerAsync(context, run);
    }

    void CheckCaller(HttpRequest request, string name)
    {
        if (platform.Find(name, isIntegration: false) is not { HasHttpTrigger: true } flow)
        {
            throw new ProblemException(404, "not-found", "No such flow",
                $"There is no flow '{name}' with the trigger 'on: http'.");
        }
        if (flow.IsOpenToAll) return;
        const string Scheme = "Bearer ";
        var given = request.Headers.Authorization.ToString();
        var hasScheme = given.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase);
        if (hasScheme && ServerKey.IsSame(given[Scheme.Length..].Trim(), key.TokenOf(name))) return;
        request.HttpContext.Response.Headers.WWWAuthenticate = "Bearer";
        throw new ProblemException(401, "token", "Token needed",
            $"Send the flow's token: 'Authorization: Bearer …'. 'millrace flows {name}' shows it.");
    }

    async Task AnswerAsync(HttpContext context, string run)
    {
        var cancel = context.RequestAborted;
        var answer = await platform.AnswerAsync(run, cancel);
        var output = platform.ReadOutputAsync(run, cancel: cancel).GetAsyncEnumerator(cancel);
        await using (output)
        {
            var hasOutput = await output.MoveNextAsync();
            if (!hasOutput) await RefuseFailureAsync(run, cancel);
            Begin(context.Response, answer);
            if (answer.Status is 204 or 205 or 304) hasOutput = false;
            for (; hasOutput; hasOutput = await output.MoveNextAsync())
            {
                await context.Response.Body.WriteAsync(output.Current, cancel);
                await context.Response.Body.FlushAsync(cancel);
            }
        }
        // A failure after the first byte: the caller must not take a part for the whole.
        if ((await platform.WaitForEndAsync(run, cancel)).Outcome != RunOutcome.Completed) context.Abort();
    }

    /// <summary>A run that failed without a word is a problem, not an empty answer.</summary>
    async Task RefuseFailureAsync(string run, CancellationToken cancel)
    {
        var end = await platform.WaitForEndAsync(run, cancel);
        if (end.Outcome is RunOutcome.Completed) return;
        var status = end.Outcome switch
        {
            RunOutcome.Superseded or RunOutcome.Cancelled => 409,
            RunOutcome.TimedOut => 504,
            _ => 500,
        };
        throw new ProblemException(status, "run-failed", "The run did not complete",
            $"Run {run} ended as {end.Outcome}; 'millrace runs {run}' shows why.");
    }

    static void Begin(HttpResponse response, RunAnswer answer)
    {
        response.StatusCode = answer.Status;
        response.ContentType = "text/plain; charset=utf-8";
        response.Headers.XContentTypeOptions = "nosniff";
        foreach (var (name, value) in answer.Headers)
        {
            if (!IsFraming(name)) response.Headers[name] = value;
        }
    }

    /// <summary>How long the answer is and how the connection ends is the server's to say.</summary>
    static bool IsFraming(string name) => name.Equals(HeaderNames.ContentLength, StringComparison.OrdinalIgnoreCase)
        || name.Equals(HeaderNames.TransferEncoding, StringComparison.OrdinalIgnoreCase)
        || name.Equals(HeaderNames.Connection, StringComparison.OrdinalIgnoreCase)
        || name.Equals(HeaderNames.KeepAlive, StringComparison.OrdinalIgnoreCase)
        || name.Equals(HeaderNames.Upgrade, StringComparison.OrdinalIgnoreCase)
        || name.Equals(RunHeader, StringComparison.OrdinalIgnoreCase);
}
