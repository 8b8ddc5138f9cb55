using System.Collections.Immutable;
using Millrace.Flows.Door;
using Millrace.Flows.Manifests;
using Millrace.Flows.Operations;

namespace Millrace.Flows.Tests.Operations;

/// <summary>What a built-in is told of the run that asks, in tests.</summary>
static class OperationContexts
{
    public static OperationContext Context() => new()
    {
        RunId = "r1",
        Kind = OperationKind.Read,
        Key = "k1",
        StartedNs = 0,
        Deadline = TimeProvider.System.GetUtcNow() + TimeSpan.FromSeconds(30),
        Computing = new(TimeSpan.FromSeconds(30), TimeSpan.Zero),
        SendDeadline = TimeSpan.FromSeconds(20),
        Time = TimeProvider.System,
        BeforeSend = () => { },
        CallIntegration = (_, _, _) => throw new InvalidOperationException("No integration in this test."),
    };

    public static OperationContext OfFunction(Grants grants) =>
        Context() with { Flow = new Flow { Name = "f", Module = "f.wasm", Grants = grants } };

    public static OperationContext OfIntegration(Connection connection, params string[] hosts) => Context() with
    {
        Integration = new Integration { Name = connection.Integration, Module = "i.wasm", Hosts = Hosts(hosts) },
        Connection = connection,
    };

    public static Connection Connection(string? token, params string[] hosts) => new()
    {
        Name = "c",
        Integration = "shop",
        Hosts = Hosts(hosts),
        AllowsPrivate = true,
        Secret = name => name == "token" ? token : null,
    };

    public static ImmutableArray<HostPattern> Hosts(params string[] hosts) =>
        [.. hosts.Select(host => HostPattern.TryParse(host, out var pattern) ? pattern : throw new ArgumentException(host))];
}
