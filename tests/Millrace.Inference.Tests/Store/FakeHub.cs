using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Security.Cryptography;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Millrace.Inference.Tests.Store;

/// <summary>A request as a stand-in saw it.</summary>
sealed record Seen(string Method, string Path, string? Authorization, string? Range);

/// <summary>
/// Two servers on loopback: a hub that knows names, sizes and hashes, and a store of bytes that it redirects to, at
/// another port and so another host.
/// </summary>
sealed class FakeHub : IAsyncDisposable
{
    public const string Repository = "org/repo";
    public const string Source = "hf:org/repo";

    readonly WebApplication _hub;
    readonly WebApplication _bytes;

    FakeHub(WebApplication hub, WebApplication bytes) => (_hub, _bytes) = (hub, bytes);

    public Uri Address => new(_hub.Urls.First());

    public Uri BytesAddress => new(_bytes.Urls.First());

    /// <summary>Path inside the repository → content.</summary>
    public ConcurrentDictionary<string, byte[]> Files { get; } = new();

    public ConcurrentQueue<Seen> AtHub { get; } = new();

    public ConcurrentQueue<Seen> AtBytes { get; } = new();

    /// <summary>Misbehaviour of the hub: true when it answered.</summary>
    public Func<HttpContext, Task<bool>>? HubFault { get; set; }

    /// <summary>Misbehaviour of the store of bytes: true when it answered.</summary>
    public Func<HttpContext, byte[], Task<bool>>? BytesFault { get; set; }

    /// <summary>The hash that the hub announces; null: the right one.</summary>
    public string? Announced { get; set; }

    public static async Task<FakeHub> StartAsync()
    {
        var (hub, bytes) = (Build(), Build());
        var fake = new FakeHub(hub, bytes);
        hub.MapGet("/api/models/org/repo/tree/main", (Delegate)fake.TreeAsync);
        hub.MapMethods("/org/repo/resolve/main/{**path}", ["GET", "HEAD"], (Delegate)fake.ResolveAsync);
        bytes.MapMethods("/blobs/{**path}", ["GET", "HEAD"], (Delegate)fake.BytesAsync);
        await hub.StartAsync();
        await bytes.StartAsync();
        return fake;
    }

    static WebApplication Build()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(options => options.Listen(IPAddress.Loopback, 0));
        return builder.Build();
    }

    public ModelHubOptions Options => new() { Address = Address, RetryDelay = TimeSpan.Zero };

    public static string Sha256(byte[] bytes) => Convert.ToHexStringLower(SHA256.HashData(bytes));

    static Seen Look(HttpContext context) => new(
        context.Request.Method, context.Request.Path, context.Request.Headers.Authorization.FirstOrDefault(),
        context.Request.Headers.Range.FirstOrDefault());

    async Task<IResult> TreeAsync(HttpContext context)
    {
        AtHub.Enqueue(Look(context));
        if (HubFault is { } fault && await fault(context)) return Results.Empty;
        return Results.Json(Files.OrderBy(file => file.Key, StringComparer.Ordinal).Select(file => new
        {
            type = "file",
            path = file.Key,
            size = 130,
            oid = "0123",
            lfs = new { oid = Announced ?? Sha256(file.Value), size = file.Value.Length, pointerSize = 130 },
        }));
    }

    async Task<IResult> ResolveAsync(HttpContext context, string path)
    {
        AtHub.Enqueue(Look(context));
        if (HubFault is { } fault && await fault(context)) return Results.Empty;
        if (!Files.TryGetValue(path, out var content)) return Results.NotFound();
        context.Response.Headers["x-linked-size"] = content.Length.ToString(CultureInfo.InvariantCulture);
        context.Response.Headers["x-linked-etag"] = $"\"{Announced ?? Sha256(content)}\"";
        return Results.Redirect($"{BytesAddress}blobs/{path}");
    }

    async Task<IResult> BytesAsync(HttpContext context, string path)
    {
        AtBytes.Enqueue(Look(context));
        if (!Files.TryGetValue(path, out var content)) return Results.NotFound();
        if (BytesFault is { } fault && await fault(context, content)) return Results.Empty;
        return Results.Bytes(content, enableRangeProcessing: true, entityTag: new($"\"{Sha256(content)[..8]}\""));
    }

    public async ValueTask DisposeAsync()
    {
        await _hub.DisposeAsync();
        await _bytes.DisposeAsync();
    }
}
