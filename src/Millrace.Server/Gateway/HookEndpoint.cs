using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Millrace.Flows;

namespace Millrace.Server.Gateway;

/// <summary>
/// <c>POST /hooks/{integration}/{connection}</c>: an event from outside, checked as the integration's manifest says
/// and committed before the sender is told.
/// </summary>
sealed class HookEndpoint(Platform platform, ILogger log)
{
    const int DeliveryCharactersMax = 200;
    const int TypeCharactersMax = 100;

    public async Task TakeAsync(HttpContext context, string integration, string connection)
    {
        try
        {
            await TakeAsync(context, integration, connection, $"hooks/{integration}/{connection}");
        }
        catch (ProblemException e)
        {
            // Senders show their answers to nobody, or late: the log is where a person looks.
            ServerLog.Refused(log, context.Request.Path, e.Message);
            throw;
        }
    }

    async Task TakeAsync(HttpContext context, string integration, string connection, string source)
    {
        var webhook = Find(integration, connection);
        var body = await RequestBody.ReadAsync(context.Request, context.RequestAborted);
        CheckSignature(context.Request, connection, webhook, body);
        var delivery = Required(context.Request, webhook.IdHeader, DeliveryCharactersMax);
        var type = $"{integration}.{Required(context.Request, webhook.TypeHeader, TypeCharactersMax)}";
        CheckJson(body);
        if (!platform.Flows.Any(flow => flow.Triggers.Contains(type)))
        {
            ServerLog.Unheard(log, type, delivery, source);
            await context.Response.WriteAsJsonAsync(
                new { accepted = true, detail = $"No flow listens to {type}." }, context.RequestAborted);
            return;
        }
        var accepted = await platform.AcceptAsync(new IncomingEvent
        {
            Source = source,
            DeliveryId = delivery,
            Type = type,
            Connection = connection,
            Path = context.Request.Path,
            Query = context.Request.QueryString.Value?.TrimStart('?') ?? "",
            Headers = RequestHeaders.Of(context.Request, without: webhook.SignatureHeader),
            Body = body,
        });
        if (accepted.IsDuplicate) ServerLog.Duplicate(log, type, delivery, source, accepted.Runs.Length);
        else ServerLog.Accepted(log, type, delivery, source, accepted.Runs.Length);
        context.Response.StatusCode = StatusCodes.Status202Accepted;
        await context.Response.WriteAsJsonAsync(
            new { accepted = true, duplicate = accepted.IsDuplicate, runs = accepted.Runs }, context.RequestAborted);
    }

    Webhook Find(string integration, string connection)
    {
        var webhook = platform.Find(integration, isIntegration: true)?.Webhook;
        if (webhook is not null && IntegrationOf(connection) == integration) return webhook;
        throw new ProblemException(404, "not-found", "No such hook", webhook is null
            ? $"No integration '{integration}' with webhooks is deployed."
            : $"'{integration}' has no connection '{connection}'.");
    }

    string? IntegrationOf(string connection)
    {
        try
        {
            return platform.Connections.IntegrationOf(connection);
        }
        catch (ConnectionException e)
        {
            // The sender learns nothing of this machine's files; the log says what to do.
            ServerLog.Unusable(log, connection, e.Message);
            throw new ProblemException(
                503, "connection", "Connection not usable", "The connection cannot be used now.");
        }
    }

    void CheckSignature(HttpRequest request, string connection, Webhook webhook, ReadOnlyMemory<byte> body)
    {
        var signature = request.Headers[webhook.SignatureHeader].ToString();
        if (signature.Length == 0)
        {
            throw new ProblemException(401, "signature-missing", "Not signed",
                $"The header {webhook.SignatureHeader} is missing; set a secret at the sender.");
        }
        if (platform.Connections.IsSigned(connection, webhook, signature, body.Span)) return;
        throw new ProblemException(401, "signature-wrong", "Wrong signature",
            "The signature does not fit the body; the secrets at sender and connection must be equal.");
    }

    static string Required(HttpRequest request, string header, int charactersMax) =>
        RequestHeaders.Name(request, header, charactersMax)
        ?? throw new ProblemException(400, "header", "Header missing", $"The header {header} is missing.");

    static void CheckJson(ReadOnlyMemory<byte> body)
    {
        try
        {
            using var document = JsonDocument.Parse(body);
        }
        catch (JsonException)
        {
            throw new ProblemException(400, "not-json", "Not JSON",
                "The body is not JSON; let the sender use the content type application/json.");
        }
    }
}
