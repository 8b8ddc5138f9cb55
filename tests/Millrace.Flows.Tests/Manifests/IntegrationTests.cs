using System.Text;
using Millrace.Flows.Manifests;
using Millrace.Flows.Operations;

namespace Millrace.Flows.Tests.Manifests;

public sealed class IntegrationTests
{
    const string Head = "millrace: 1\nname: shop\nmodule: shop.wasm\n";

    const string Schema = """
        {"type": "object", "required": ["id"], "properties": {"id": {"type": "integer"}}, "additionalProperties": false}
        """;

    static Package Read(string yaml, string schema = Schema) => Package.Read(PackageContent.Of("test",
        new Dictionary<string, ReadOnlyMemory<byte>>
        {
            ["integration.yaml"] = Encoding.UTF8.GetBytes(yaml),
            ["shop.wasm"] = "\0asm\x1\0\0\0"u8.ToArray(),
            ["schemas/a.json"] = Encoding.UTF8.GetBytes(schema),
        }));

    [Fact]
    public void Reads_webhook_hosts_and_operations()
    {
        var package = Read(Head + """
            hosts: [api.shop.example]
            webhook: {hmac_sha256: x-signature, prefix: "sha256=", id: x-id, type: x-type}
            operations:
              find_order: {kind: read}
              order: {kind: write, find: find_order, undo: cancel_order, request: schemas/a.json, result: schemas/a.json}
              cancel_order: {kind: write, repeat: safe}
              appraise: {kind: paid}
            """);

        var operations = package.Integration!.Operations;
        Assert.Equal(new Webhook("x-signature", "sha256=", "x-id", "x-type"), package.Webhook);
        Assert.Equal(OperationKind.Write, operations["order"].Kind);
        Assert.Equal("find_order", operations["order"].Find);
        Assert.True(operations["cancel_order"].IsRepeatSafe);
        Assert.Equal(OperationKind.Paid, operations["appraise"].Kind);
    }

    [Theory]
    [InlineData("""{"id": 1}""", null)]
    [InlineData("""{"id": "1"}""", "/id: Value is \"string\" but should be \"integer\"")]
    [InlineData("""{"id": 1, "x": 2}""", "/x: All values fail against the false schema")]
    [InlineData("{}", "the head: Required properties [\"id\"] are not present")]
    [InlineData("no", "the head is not JSON")]
    public void Checks_heads_against_the_schema(string head, string? expected)
    {
        var package = Read(Head + "operations: {order: {kind: write, request: schemas/a.json}}");

        var fault = package.Integration!.Operations["order"].CheckRequest(Encoding.UTF8.GetBytes(head));

        Assert.Equal(expected, fault);
    }

    [Theory]
    [InlineData("{", "schemas/a.json:1:2: not valid JSON")]
    [InlineData("""{"type": "integre"}""", "schemas/a.json: not a valid JSON schema")]
    public void Refuses_a_broken_schema(string schema, string expected)
    {
        var fault = Assert.Throws<ManifestException>(
            () => Read(Head + "operations: {order: {kind: write, request: schemas/a.json}}", schema));

        Assert.StartsWith(expected, fault.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("operations: {a: {kind: local}}", "4:24: 'kind' is one of read, paid, write, not 'local'")]
    [InlineData("operations: {a: {kind: read, find: b}}", "4:36: only a write has 'find'")]
    [InlineData("operations: {a: {kind: write, find: b}}", "4:14: 'find' of 'a' names 'b', which is not among the operations")]
    [InlineData("operations: {a: {kind: write, find: b}, b: {kind: paid}}", "4:14: 'find' of 'a' names 'b', which is not a read")]
    [InlineData("operations: {a: {kind: write, find: b, repeat: safe}, b: {kind: read}}", "4:48: a write has 'find' or 'repeat', not both")]
    [InlineData("operations: {a: {kind: write, repeat: often}}", "4:39: 'repeat' is one of safe, not 'often'")]
    [InlineData("operations: {a: {kind: read, request: schemas/no.json}}", "4:39: the schema 'schemas/no.json' is not in test")]
    [InlineData("operations: {a: {kind: read, request: ../no.json}}", "4:39: 'request': '../no.json' leaves the package's folder")]
    [InlineData("webhook: {hmac_sha256: x, id: 'a b', type: t}", "4:31: 'a b' is not a header's name")]
    [InlineData("auth: {jwt_exchange: {}}", "4:1: sign-in by 'auth' comes later")]
    [InlineData("grants: {http: {hosts: [a.example]}}\noperations: {}", "1:1: an integration has no grant 'http'")]
    public void Says_what_is_wrong_and_where(string yaml, string expected)
    {
        var fault = Assert.Throws<ManifestException>(() => Read(Head + yaml));

        Assert.StartsWith("integration.yaml:" + expected, fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void No_integration_takes_a_built_in_noun()
    {
        var fault = Assert.Throws<ManifestException>(
            () => Read("millrace: 1\nname: http\nmodule: shop.wasm\noperations: {}"));

        Assert.StartsWith("integration.yaml:2:7: 'http' is the noun", fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Refuses_grants_that_go_round_in_a_circle()
    {
        var other = Read(Head.Replace("shop", "other", StringComparison.Ordinal).Replace("other.wasm", "shop.wasm", StringComparison.Ordinal)
            + "operations: {b: {kind: read}}\ngrants: {shop: {connection: s, operations: [a]}}");
        var shop = Read(Head + "operations: {a: {kind: read}}\ngrants: {other: {connection: o, operations: [b]}}");

        var report = new DeployCheck(name => name == "other" ? other.Integration : null, _ => null).Check(shop);

        Assert.Equal("the grants go round in a circle: shop → other → shop", report.Problems.Single());
    }

    [Fact]
    public void Says_what_a_flow_asks_that_is_not_there()
    {
        var shop = Read(Head + "operations: {a: {kind: read}}").Integration;
        var flow = Package.Read(PackageContent.Of("test", new Dictionary<string, ReadOnlyMemory<byte>>
        {
            ["f.wasm"] = "\0asm\x1\0\0\0"u8.ToArray(),
            ["flow.yaml"] = """
                millrace: 1
                name: f
                module: f.wasm
                triggers: [{on: shop.sold, connection: s}]
                grants: {shop: {connection: mail-box, operations: [a, b]}, bank: {connection: x, operations: [c]}}
                """u8.ToArray(),
        }));
        var mailBox = new Connection { Name = "mail-box", Integration = "mail" };

        var report = new DeployCheck(
            name => name == "shop" ? shop : null, name => name == "mail-box" ? mailBox : null).Check(flow);

        Assert.Equal(
            [
                "'shop.sold': the integration 'shop' has no webhook, so it emits no events",
                "no integration 'bank' is deployed; deploy it first",
                "the connection 'mail-box' is one of 'mail', not of 'shop'",
                "the integration 'shop' has no operation 'b'; it has a",
            ],
            report.Problems.Order(StringComparer.Ordinal));
        Assert.Equal(
            "the connection 's' does not exist yet; add it: millrace connections add s --integration shop",
            report.Remarks.Single());
    }
}
