using System.Net;
using Microsoft.Extensions.Logging;
using Millrace.Flows;
using Millrace.Server.Control;
using Millrace.Server.Gateway;
using Millrace.Server.ModelApi;
using Millrace.Server.Pages;

namespace Millrace.Server;

/// <summary>
/// A running server: the platform of a data folder behind its three listeners. The public one takes events, the
/// control socket takes commands of the folder's owner, the pages show what happened.
/// </summary>
public sealed class ServerHost : IAsyncDisposable
{
    readonly List<Listener> _listeners = [];
    readonly ServerKey _key;
    readonly ApiKeys _apiKeys;
    readonly ApiBudgets _apiBudgets;
    readonly ILogger _log;

    ServerHost(Platform platform, ServerKey key, ServerOptions options)
    {
        var (folder, time) = (options.Platform.DataFolder, options.Platform.Time);
        Platform = platform;
        _key = key;
        _log = options.Logging.CreateLogger("millrace");
        _apiKeys = ApiKeys.Open(folder, time);
        _apiBudgets = new(folder, time, _log);
    }

    /// <summary>The platform behind the listeners.</summary>
    public Platform Platform { get; }

    /// <summary>Address of the public listener, without a slash at its end; empty when it is not serving.</summary>
    public string Url { get; private set; } = "";

    /// <summary>Address of the pages, with the token that opens them; empty when it is not serving.</summary>
    public string PagesUrl { get; private set; } = "";

    /// <summary>Path of the control socket.</summary>
    public string SocketPath { get; private set; } = "";

    /// <summary>What a caller of the flow sends as bearer token.</summary>
    public string TokenOf(string flow) => _key.TokenOf(flow);

    /// <summary>Opens the data folder, and then the listeners.</summary>
    /// <exception cref="PlatformException">The data folder cannot be used.</exception>
    /// <exception cref="ServerException">A listener cannot be opened.</exception>
    public static async Task<ServerHost> StartAsync(ServerOptions options)
    {
        var folder = options.Platform.DataFolder;
        var platform = await Platform.OpenAsync(options.Platform with { ExecutesRuns = options.IsServing });
        ServerHost? host = null;
        try
        {
            host = new ServerHost(platform, ServerKey.Open(folder), options);
            await host.ListenAsync(options);
            return host;
        }
        catch
        {
            if (host is not null) await host.DisposeAsync();
            else await platform.DisposeAsync();
            throw;
        }
    }

    async Task ListenAsync(ServerOptions options)
    {
        if (options.IsServing)
        {
            var gateway = new PublicEndpoints(Platform, _key, options.Platform.Time, _log);
            var api = new ApiEndpoints(new(options.Models, _apiKeys, _apiBudgets, options.IsApiOpen, options.Platform.Time), _log);
            Url = await OpenAsync(Listener.OnPort(options.Address, options.Port, "--port"), application =>
            {
                gateway.Map(application);
                api.Map(application);
            });
            var pages = Listener.OnPort(IPAddress.Loopback, options.PagesPort, "--pages-port");
            var root = await OpenAsync(pages, new PageEndpoints(Platform, _key, options.Platform.Time).Map);
            PagesUrl = $"{root}/?token={_key.PagesToken}";
        }
        SocketPath = ControlSocket.PathIn(options.Platform.DataFolder);
        var control = new ControlEndpoints(this, options.Platform.DataFolder, _key, new(_apiKeys, _apiBudgets));
        await OpenAsync(Listener.OnSocket(SocketPath), control.Map);
        if (options.IsServing) ServerLog.Started(_log, Url, options.Platform.DataFolder);
    }

    async Task<string> OpenAsync(Listener listener, Action<Microsoft.AspNetCore.Builder.WebApplication> map)
    {
        _listeners.Add(listener);
        return await listener.StartAsync(map, _log);
    }

    /// <summary>A planned stop: no more events are taken, runs go on when the folder is opened again.</summary>
    public async ValueTask DisposeAsync()
    {
        // Runs that answer HTTP callers end first only if they are quick; the platform parks the others.
        foreach (var listener in _listeners) await listener.DisposeAsync();
        try
        {
            _apiBudgets.Dispose();
        }
        finally
        {
            await Platform.DisposeAsync();
        }
    }
}
