using System.Text.Json;
using System.Text.Json.Nodes;
using Millrace.Flows.Door;
using Millrace.Flows.Manifests;
using Millrace.Sandbox;

namespace Millrace.Flows.Operations;

/// <summary>Asks the address of a connection once, outside of any run, as its integration would.</summary>
sealed class ConnectionProbe(BuiltIn fetch, TimeProvider time)
{
    static readonly TimeSpan Timeout = TimeSpan.FromSeconds(15);

    public async Task<ConnectionReport> AskAsync(
        Connection connection, Integration integration, CancellationToken cancel)
    {
        var host = connection.Origins(integration)[0];
        var root = connection.BaseUrl.Length > 0 ? connection.BaseUrl : $"{host.Scheme}://{host.Host}:{host.Port}";
        var head = new JsonObject
        {
            ["method"] = "GET",
            ["url"] = root + integration.Check,
            ["headers"] = new JsonObject { ["user-agent"] = "millrace" },
            ["auth"] = new JsonObject { ["as"] = "bearer" },
        };
        var request = new OperationRequest(fetch.Name, JsonSerializer.SerializeToUtf8Bytes(head), default);
        var outcome = await fetch.Execute(Context(connection, integration), request, cancel);
        return Read(host, JsonNode.Parse(outcome.Result.Head.Span)!, outcome.Result.State);
    }

    static ConnectionReport Read(HostPattern host, JsonNode head, ResultState state)
    {
        if (state == ResultState.Error) return new ConnectionReport(false, (string)head["detail"]!);
        var status = (int)head["status"]!;
        return status switch
        {
            401 or 403 => new ConnectionReport(false, $"{host} refuses the token ({status})."),
            >= 500 => new ConnectionReport(false, $"{host} has a fault of its own ({status})."),
            _ => new ConnectionReport(true, $"{host} answers ({status})."),
        };
    }

    OperationContext Context(Connection connection, Integration integration) => new()
    {
        RunId = "",
        Integration = integration,
        Connection = connection,
        Kind = OperationKind.Read,
        Key = "",
        StartedNs = Clock.Ns(time),
        Deadline = time.GetUtcNow() + Timeout,
        Computing = new(TimeSpan.Zero, TimeSpan.Zero),
        SendDeadline = Timeout,
        Time = time,
        BeforeSend = () => { },
        CallIntegration = (_, _, _) => throw new InvalidOperationException("A probe calls no integration."),
    };
}
