using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.Json.Nodes;

namespace Millrace.Server.Tests;

public sealed class HookTests
{
    static async Task<JsonNode> JsonOf(HttpResponseMessage response) =>
        JsonNode.Parse(await response.Content.ReadAsStringAsync())!;

    [Fact]
    public async Task A_signed_event_is_committed_and_its_body_reaches_the_guest_byte_for_byte()
    {
        await using var server = await TestServer.WithShopAsync();
        const string Body = "{\"text\": \"\\u00e9 é\",\n \"n\": 1.0 }";

        var response = await server.SendHookAsync(Body);

        Assert.Equal(HttpStatusCode.Accepted, response.StatusCode);
        var run = (string)(await JsonOf(response))["runs"]![0]!;
        Assert.Equal(Body, Encoding.UTF8.GetString(await server.OutputAsync(run)));
        var detail = await server.Platform.RunAsync(run);
        var envelope = JsonNode.Parse(detail!.Event)!;
        Assert.Equal("shop.sold", (string)envelope["type"]!);
        Assert.Equal("hooks/shop/s", (string)envelope["source"]!);
        Assert.Equal("sold", (string)envelope["headers"]!["x-shop-event"]!);
        Assert.Null(envelope["headers"]!["x-shop-signature"]);
    }

    [Fact]
    public async Task An_event_that_was_acknowledged_is_there_after_a_restart()
    {
        await using var server = await TestServer.WithShopAsync();
        var run = (string)(await JsonOf(await server.SendHookAsync("{}")))["runs"]![0]!;

        await server.RestartAsync();

        Assert.Equal("{}", Encoding.UTF8.GetString(await server.OutputAsync(run)));
    }

    [Fact]
    public async Task A_replayed_delivery_makes_no_second_run()
    {
        await using var server = await TestServer.WithShopAsync();
        var first = await JsonOf(await server.SendHookAsync("{}"));

        var second = await server.SendHookAsync("{}");

        Assert.Equal(HttpStatusCode.Accepted, second.StatusCode);
        var answer = await JsonOf(second);
        Assert.True((bool)answer["duplicate"]!);
        Assert.Equal(first["runs"]!.ToJsonString(), answer["runs"]!.ToJsonString());
        Assert.Single(await server.Platform.RunsAsync());
    }

    [Theory]
    [InlineData(null, "signature-missing")]
    [InlineData("sha256=00", "signature-wrong")]
    [InlineData("nonsense", "signature-wrong")]
    public async Task An_event_that_is_not_signed_rightly_is_refused(string? signature, string type)
    {
        await using var server = await TestServer.WithShopAsync();

        await TestServer.AssertProblemAsync(
            await server.SendHookAsync("{}", signature: signature), HttpStatusCode.Unauthorized, type);

        Assert.Empty(await server.Platform.RunsAsync());
    }

    [Fact]
    public async Task A_signature_of_another_secret_or_another_body_is_refused()
    {
        await using var server = await TestServer.WithShopAsync();

        var otherSecret = await server.SendHookAsync("{}", signature: TestServer.Sign("{}"u8, "another-secret"));
        var otherBody = await server.SendHookAsync("{}", signature: TestServer.Sign("{ }"u8));

        await TestServer.AssertProblemAsync(otherSecret, HttpStatusCode.Unauthorized, "signature-wrong");
        await TestServer.AssertProblemAsync(otherBody, HttpStatusCode.Unauthorized, "signature-wrong");
    }

    [Theory]
    [InlineData("none/s", "No integration 'none' with webhooks is deployed.")]
    [InlineData("shop/none", "'shop' has no connection 'none'.")]
    [InlineData("shop/..%2Fx", "'shop' has no connection")]
    public async Task A_hook_that_is_not_there_is_not_found(string path, string detail)
    {
        await using var server = await TestServer.WithShopAsync();

        var said = await TestServer.AssertProblemAsync(
            await server.SendHookAsync("{}", path: path), HttpStatusCode.NotFound, "not-found");

        Assert.StartsWith(detail, said, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("{", "d1", "sold", "not-json")]
    [InlineData("payload=%7B%7D", "d1", "sold", "not-json")]
    [InlineData("{}", null, "sold", "header")]
    [InlineData("{}", "d1", null, "header")]
    [InlineData("{}", "a b", "sold", "header")]
    public async Task A_signed_request_that_is_no_event_is_a_bad_request(
        string body, string? delivery, string? type, string problem)
    {
        await using var server = await TestServer.WithShopAsync();

        await TestServer.AssertProblemAsync(
            await server.SendHookAsync(body, delivery, type), HttpStatusCode.BadRequest, problem);
    }

    [Fact]
    public async Task An_event_that_no_flow_listens_to_is_answered_as_a_ping_is()
    {
        await using var server = await TestServer.WithShopAsync();

        var response = await server.SendHookAsync("{\"zen\":\"x\"}", type: "ping");

        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Equal("No flow listens to shop.ping.", (string)(await JsonOf(response))["detail"]!);
        Assert.Empty(await server.Platform.RunsAsync());
    }

    [Fact]
    public async Task An_event_that_where_leaves_out_makes_no_run()
    {
        await using var server = await TestServer.WithShopAsync("{on: shop.sold, connection: s, where: {action: [paid]}}");

        var other = await server.SendHookAsync("""{"action":"seen"}""");
        var paid = await server.SendHookAsync("""{"action":"paid"}""", delivery: "d2");

        Assert.Empty((await JsonOf(other))["runs"]!.AsArray());
        Assert.Single((await JsonOf(paid))["runs"]!.AsArray());
    }

    [Fact]
    public async Task A_body_of_30_MB_is_too_large()
    {
        await using var server = await TestServer.WithShopAsync();

        var announced = await SpeakAsync(server, "content-length: 30000000", []);
        var chunked = await SpeakAsync(server, "transfer-encoding: chunked",
            [.. Encoding.ASCII.GetBytes("1c9c380\r\n"), .. new byte[30_000_000]]);

        Assert.StartsWith("HTTP/1.1 413", announced, StringComparison.Ordinal);
        Assert.Contains("urn:millrace:too-large", announced, StringComparison.Ordinal);
        // Who sends on without listening may be cut off before it can read the answer.
        Assert.True(chunked.Length == 0 || chunked.StartsWith("HTTP/1.1 413", StringComparison.Ordinal), chunked);
        Assert.Empty(await server.Platform.RunsAsync());
    }

    [Fact]
    public async Task A_truncated_body_makes_no_event()
    {
        await using var server = await TestServer.WithShopAsync();

        var answer = await SpeakAsync(server, "content-length: 100", "{}"u8.ToArray());

        // Who hangs up in the middle may count as gone and get no answer.
        Assert.True(answer.Length == 0 || answer.StartsWith("HTTP/1.1 400", StringComparison.Ordinal), answer);
        Assert.Empty(await server.Platform.RunsAsync());
    }

    /// <summary>Sends a request as it is, hangs up its half, and reads the answer to its end.</summary>
    static async Task<string> SpeakAsync(TestServer server, string length, byte[] body)
    {
        using var client = new TcpClient();
        await client.ConnectAsync(IPAddress.Loopback, new Uri(server.Host.Url).Port);
        var stream = client.GetStream();
        using var reader = new StreamReader(stream);
        try
        {
            await stream.WriteAsync(Encoding.ASCII.GetBytes(
                "POST /hooks/shop/s HTTP/1.1\r\nhost: x\r\nconnection: close\r\nx-shop-event: sold\r\n"
                + $"x-shop-delivery: d\r\nx-shop-signature: {TestServer.Sign("{}"u8)}\r\n{length}\r\n\r\n"));
            await stream.WriteAsync(body);
            if (body.Length > 0) client.Client.Shutdown(SocketShutdown.Send);
            return await reader.ReadToEndAsync();
        }
        catch (IOException)
        {
            return "";
        }
    }

    [Theory]
    [InlineData("GET", "/hooks/shop/s", HttpStatusCode.MethodNotAllowed, "method")]
    [InlineData("GET", "/", HttpStatusCode.NotFound, "not-found")]
    [InlineData("GET", "/runs", HttpStatusCode.NotFound, "not-found")]
    [InlineData("GET", "/status", HttpStatusCode.NotFound, "not-found")]
    [InlineData("GET", "/page.css", HttpStatusCode.NotFound, "not-found")]
    [InlineData("POST", "/deploy", HttpStatusCode.NotFound, "not-found")]
    [InlineData("POST", "/hooks/shop", HttpStatusCode.NotFound, "not-found")]
    public async Task The_public_listener_answers_nothing_else(
        string method, string path, HttpStatusCode status, string type)
    {
        await using var server = await TestServer.WithShopAsync();
        using var request = new HttpRequestMessage(new HttpMethod(method), path);

        await TestServer.AssertProblemAsync(await server.Http.SendAsync(request), status, type);
    }

    [Fact]
    public async Task A_connection_file_that_others_may_read_stops_its_hook()
    {
        await using var server = await TestServer.WithShopAsync();
        File.SetUnixFileMode(Path.Combine(server.Folder, "connections", "s.json"),
            UnixFileMode.UserRead | UnixFileMode.OtherRead);

        var said = await TestServer.AssertProblemAsync(
            await server.SendHookAsync("{}"), HttpStatusCode.ServiceUnavailable, "connection");

        Assert.DoesNotContain(server.Folder, said, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Is_healthy()
    {
        await using var server = await TestServer.StartAsync();

        Assert.Contains("\"ok\"", await server.Http.GetStringAsync("/health"), StringComparison.Ordinal);
    }
}
