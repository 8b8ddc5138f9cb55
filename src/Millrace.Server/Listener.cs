using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Millrace.Server.Gateway;

namespace Millrace.Server;

/// <summary>
/// One Kestrel with one door to the outside. Each listener is an application of its own, so that no request of one
/// can reach an endpoint of another.
/// </summary>
sealed class Listener : IAsyncDisposable
{
    const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;
    const int ConnectionsMax = 1024;
    static readonly TimeSpan StopTimeout = TimeSpan.FromSeconds(2);

    readonly WebApplication _application;
    readonly string _place;
    readonly string? _socketPath;

    Listener(Action<KestrelServerOptions> listen, string place, string? socketPath)
    {
        _place = place;
        _socketPath = socketPath;
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxRequestBodySize = RequestBody.BytesMax;
            kestrel.Limits.MaxConcurrentConnections = ConnectionsMax;
            listen(kestrel);
        });
        builder.Services.AddRoutingCore();
        builder.Services.Configure<HostOptions>(host => host.ShutdownTimeout = StopTimeout);
        _application = builder.Build();
    }

    /// <param name="option">The option by which another port is chosen, for the message.</param>
    public static Listener OnPort(IPAddress address, int port, string option) => new(
        kestrel => kestrel.Listen(address, port),
        $"Port {port} is in use. Stop what listens there, or choose another port with {option}.", null);

    public static Listener OnSocket(string path) => new(
        kestrel => kestrel.ListenUnixSocket(path), $"The control socket {path} cannot be opened.", path);

    /// <summary>Opens it and answers its address.</summary>
    /// <exception cref="ServerException">It cannot be opened.</exception>
    public async Task<string> StartAsync(Action<WebApplication> map, ILogger log)
    {
        Problems.AnswerEverywhere(_application, log);
        map(_application);
        try
        {
            // The folder's lock is held: a socket that lies there is of a server that is gone.
            if (_socketPath is not null) File.Delete(_socketPath);
            await _application.StartAsync();
            if (_socketPath is not null) File.SetUnixFileMode(_socketPath, OwnerOnly);
        }
        catch (Exception e) when (e is IOException or SocketException or AddressInUseException)
        {
            throw new ServerException(IsInUse(e) ? _place : $"The server cannot listen: {e.Message}", e);
        }
        return _application.Urls.First();
    }

    bool IsInUse(Exception failure)
    {
        for (var e = failure; e is not null; e = e.InnerException)
        {
            if (e is AddressInUseException or SocketException { SocketErrorCode: SocketError.AddressAlreadyInUse })
                return true;
        }
        return _socketPath is not null;
    }

    public async ValueTask DisposeAsync()
    {
        await _application.DisposeAsync();
        if (_socketPath is not null) File.Delete(_socketPath);
    }
}
