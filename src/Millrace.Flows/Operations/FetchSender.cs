using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;

namespace Millrace.Flows.Operations;

/// <summary>The name resolves to addresses that may not be reached.</summary>
sealed class AddressRefusedException(string host)
    : Exception($"'{host}' leads to an address that is not public; the connection or grant does not allow that.");

/// <summary>Resolves a host's name.</summary>
delegate Task<IPAddress[]> Resolve(string host, CancellationToken cancel);

/// <summary>Sends single requests; the address that was checked is the one that is connected to.</summary>
/// <remarks>
/// Reads share connections. A write gets a connection of its own: one that was idle may turn out closed only after
/// the request left, and then nobody knows whether it was applied; and only on a connection of its own is the moment
/// before the first byte exactly known.
/// </remarks>
sealed class FetchSender : IDisposable
{
    static readonly TimeSpan ConnectTimeout = TimeSpan.FromSeconds(10);

    readonly Resolve _resolve;
    readonly HttpMessageInvoker _public;
    readonly HttpMessageInvoker _private;

    public FetchSender(Resolve resolve)
    {
        _resolve = resolve;
        _public = new HttpMessageInvoker(Transport(allowsPrivate: false));
        _private = new HttpMessageInvoker(Transport(allowsPrivate: true));
    }

    public void Dispose()
    {
        _public.Dispose();
        _private.Dispose();
    }

    /// <summary>Sends over a shared connection.</summary>
    public Task<HttpResponseMessage> ReadAsync(
        HttpRequestMessage message, bool allowsPrivate, CancellationToken cancel) =>
        (allowsPrivate ? _private : _public).SendAsync(message, cancel);

    /// <summary>A transport for one write.</summary>
    /// <param name="beforeSend">Called right before its first byte.</param>
    public HttpMessageInvoker ForWrite(bool allowsPrivate, Action beforeSend)
    {
        var transport = Transport(allowsPrivate);
        transport.PooledConnectionLifetime = TimeSpan.Zero;
        transport.PlaintextStreamFilter = (connection, _) =>
        {
            beforeSend();
            return ValueTask.FromResult(connection.PlaintextStream);
        };
        return new HttpMessageInvoker(transport);
    }

    SocketsHttpHandler Transport(bool allowsPrivate) => new()
    {
        AllowAutoRedirect = false,
        UseCookies = false,
        // A proxy would resolve the name itself, past the check of the address.
        UseProxy = false,
        AutomaticDecompression = DecompressionMethods.All,
        ConnectTimeout = ConnectTimeout,
        PooledConnectionIdleTimeout = TimeSpan.FromSeconds(30),
        PooledConnectionLifetime = TimeSpan.FromMinutes(5),
        MaxConnectionsPerServer = 32,
        MaxResponseHeadersLength = 64,
        ActivityHeadersPropagator = null,
        ConnectCallback = (context, cancel) => ConnectAsync(context.DnsEndPoint, allowsPrivate, cancel),
    };

    async ValueTask<Stream> ConnectAsync(DnsEndPoint target, bool allowsPrivate, CancellationToken cancel)
    {
        var addresses = IPAddress.TryParse(target.Host.Trim('[', ']'), out var literal)
            ? [literal]
            : await _resolve(target.Host, cancel);
        var allowed = addresses.Where(address => Addresses.MayReach(address, allowsPrivate)).ToArray();
        if (allowed.Length == 0 && addresses.Length > 0) throw new AddressRefusedException(target.Host);
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync(allowed, target.Port, cancel);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    /// <summary>The message as it goes out, without a secret yet.</summary>
    public static HttpRequestMessage Message(FetchRequest request, string method, Uri url, ReadOnlyMemory<byte> body)
    {
        var message = new HttpRequestMessage(new HttpMethod(method), url)
        {
            Version = HttpVersion.Version11,
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
        };
        if (body.Length > 0 || method is "POST" or "PUT" or "PATCH") message.Content = new ReadOnlyMemoryContent(body);
        foreach (var (name, value) in request.Headers)
        {
            if (message.Headers.TryAddWithoutValidation(name, value)) continue;
            message.Content?.Headers.TryAddWithoutValidation(name, value);
        }
        return message;
    }

    /// <summary>When the far side wants to be asked again; null when it does not say.</summary>
    public static TimeSpan? RetryAfter(HttpResponseHeaders headers, TimeProvider time)
    {
        var wait = headers.RetryAfter switch
        {
            { Delta: { } delta } => delta,
            { Date: { } date } => date - time.GetUtcNow(),
            _ => (TimeSpan?)null,
        };
        return wait < TimeSpan.Zero ? TimeSpan.Zero : wait;
    }
}
