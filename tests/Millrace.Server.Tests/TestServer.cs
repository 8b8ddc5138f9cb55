using System.Net;
using System.Security.Cryptography;
using System.Text;
using Millrace.Flows;
using Millrace.Wasm;

namespace Millrace.Server.Tests;

/// <summary>A whole server on free loopback ports, with guests written as text.</summary>
sealed class TestServer : IAsyncDisposable
{
    public const string WebhookSecret = "hook-secret-123";
    public const string Token = "token-0123456789";

    public static readonly TimeSpan Timeout = TimeSpan.FromSeconds(60);

    /// <summary>Writes its input to its output.</summary>
    public const string Echo = """
        (module
          (import "wasi_snapshot_preview1" "fd_read" (func $read (param i32 i32 i32 i32) (result i32)))
          (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
          (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
          (memory (export "memory") 1)
          (func $copy
            (loop $again
              (i32.store (i32.const 0) (i32.const 1024))
              (i32.store (i32.const 4) (i32.const 8192))
              (drop (call $read (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 8)))
              (if (i32.load (i32.const 8))
                (then
                  (i32.store (i32.const 4) (i32.load (i32.const 8)))
                  (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 12)))
                  (br $again)))))
          (func (export "_start") (call $copy)))
        """;

    const string Shop = """
        millrace: 1
        name: shop
        module: shop.wasm
        hosts: [api.shop.example]
        webhook: {hmac_sha256: x-shop-signature, prefix: "sha256=", id: x-shop-delivery, type: x-shop-event}
        operations: {look: {kind: read}}
        """;

    const string Nothing = """(module (memory (export "memory") 1) (func (export "_start")))""";

    TestServer(string folder, ServerHost host)
    {
        (Folder, Host) = (folder, host);
        Http = new HttpClient { BaseAddress = new Uri(host.Url), Timeout = Timeout };
    }

    public string Folder { get; }

    public ServerHost Host { get; private set; }

    public HttpClient Http { get; private set; }

    public Platform Platform => Host.Platform;

    public static string NewFolder() => Path.Combine(Path.GetTempPath(), "mr-" + Guid.NewGuid().ToString("N")[..12]);

    public static ServerOptions Options(string folder) => new()
    {
        Platform = new PlatformOptions { DataFolder = folder, Lease = TimeSpan.FromSeconds(2) },
        Port = 0,
        PagesPort = 0,
    };

    public static async Task<TestServer> StartAsync()
    {
        var folder = NewFolder();
        return new TestServer(folder, await ServerHost.StartAsync(Options(folder)));
    }

    /// <summary>A server with the integration shop, its connection s, and a flow that echoes shop.sold.</summary>
    public static async Task<TestServer> WithShopAsync(string trigger = "{on: shop.sold, connection: s}")
    {
        var server = await StartAsync();
        await server.DeployFilesAsync("integration.yaml", Shop, "shop.wasm", Nothing);
        server.Platform.Connections.Add(
            new NewConnection("s", "shop") { WebhookSecret = WebhookSecret, Token = Token },
            server.Platform.Find("shop", isIntegration: true)!);
        await server.DeployAsync("echo", Echo, $"triggers: [{trigger}]");
        return server;
    }

    /// <summary>Closes the server and opens its folder again.</summary>
    public async Task RestartAsync()
    {
        Http.Dispose();
        await Host.DisposeAsync();
        Host = await ServerHost.StartAsync(Options(Folder));
        Http = new HttpClient { BaseAddress = new Uri(Host.Url), Timeout = Timeout };
    }

    public Task<DeployedPackage> DeployAsync(string name, string wat, string more) => DeployFilesAsync(
        "flow.yaml", $"millrace: 1\nname: {name}\nmodule: {name}.wasm\n{more}", name + ".wasm", wat);

    async Task<DeployedPackage> DeployFilesAsync(string manifest, string text, string module, string wat) =>
        await Platform.DeployAsync(Package.Load(WritePackage(Folder, manifest, text, module, wat)));

    public static string WritePackage(string folder, string manifest, string text, string module, string wat)
    {
        var package = Path.Combine(folder, "packages", Guid.NewGuid().ToString("N"));
        Directory.CreateDirectory(package);
        File.WriteAllText(Path.Combine(package, manifest), text);
        File.WriteAllBytes(Path.Combine(package, module), WatText.ToBinary(wat));
        return package;
    }

    public static string Sign(ReadOnlySpan<byte> body, string secret = WebhookSecret) =>
        "sha256=" + Convert.ToHexStringLower(HMACSHA256.HashData(Encoding.UTF8.GetBytes(secret), body));

    /// <summary>A signed event of the shop; headers that are null are left out.</summary>
    public Task<HttpResponseMessage> SendHookAsync(
        string body, string? delivery = "d1", string? type = "sold", string? signature = "right", string path = "shop/s")
    {
        var bytes = Encoding.UTF8.GetBytes(body);
        var request = new HttpRequestMessage(HttpMethod.Post, $"/hooks/{path}") { Content = new ByteArrayContent(bytes) };
        if (delivery is not null) request.Headers.TryAddWithoutValidation("X-Shop-Delivery", delivery);
        if (type is not null) request.Headers.TryAddWithoutValidation("X-Shop-Event", type);
        if (signature == "right") signature = Sign(bytes);
        if (signature is not null) request.Headers.TryAddWithoutValidation("X-Shop-Signature", signature);
        return Http.SendAsync(request);
    }

    public async Task<byte[]> OutputAsync(string run)
    {
        using var bytes = new MemoryStream();
        using var timeout = new CancellationTokenSource(Timeout);
        await foreach (var part in Platform.ReadOutputAsync(run, cancel: timeout.Token)) bytes.Write(part.Span);
        return bytes.ToArray();
    }

    public async ValueTask DisposeAsync()
    {
        Http.Dispose();
        await Host.DisposeAsync();
        Directory.Delete(Folder, recursive: true);
    }

    /// <summary>Checks that an answer is problem details of this kind.</summary>
    public static async Task<string> AssertProblemAsync(HttpResponseMessage response, HttpStatusCode status, string type)
    {
        Assert.Equal(status, response.StatusCode);
        Assert.Equal("application/problem+json", response.Content.Headers.ContentType?.MediaType);
        var problem = System.Text.Json.Nodes.JsonNode.Parse(await response.Content.ReadAsStringAsync())!;
        Assert.Equal("urn:millrace:" + type, (string)problem["type"]!);
        Assert.Equal((int)status, (int)problem["status"]!);
        return (string)problem["detail"]!;
    }
}
