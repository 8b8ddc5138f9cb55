using System.Collections.Immutable;
using System.Net.Http.Json;
using System.Net.Sockets;
using System.Text.Json.Nodes;
using Millrace.Flows;
using Millrace.Server.Control;

namespace Millrace.Server;

/// <summary>
/// Speaks to the server of a data folder through its control socket. Where none runs, it opens the folder itself for
/// as long as it is used; runs are then not executed.
/// </summary>
public sealed class ControlClient : IAsyncDisposable
{
    readonly HttpClient _http;
    readonly ServerHost? _own;

    ControlClient(string socketPath, ServerHost? own)
    {
        _own = own;
        var transport = new SocketsHttpHandler
        {
            UseProxy = false,
            ConnectCallback = (_, cancel) => ConnectAsync(socketPath, cancel),
        };
        // Waiting for a run takes as long as the run.
        _http = new HttpClient(transport)
        {
            BaseAddress = new Uri("http://control"),
            Timeout = Timeout.InfiniteTimeSpan,
        };
    }

    /// <summary>Whether a server runs; else the folder is open here.</summary>
    public bool IsServerRunning => _own is null;

    /// <summary>Reaches the server of a data folder, or opens the folder.</summary>
    /// <exception cref="PlatformException">No server runs, and the data folder cannot be used.</exception>
    /// <exception cref="ServerException">No server runs, and the socket cannot be opened.</exception>
    public static Task<ControlClient> OpenAsync(string dataFolder, CancellationToken cancel = default) =>
        OpenAsync(new PlatformOptions { DataFolder = dataFolder }, cancel);

    /// <summary>Reaches the server of a data folder, or opens the folder as told.</summary>
    /// <exception cref="PlatformException">No server runs, and the data folder cannot be used.</exception>
    /// <exception cref="ServerException">No server runs, and the socket cannot be opened.</exception>
    public static async Task<ControlClient> OpenAsync(PlatformOptions platform, CancellationToken cancel = default)
    {
        var path = ControlSocket.PathIn(platform.DataFolder);
        if (await AnswersAsync(path, cancel)) return new ControlClient(path, null);
        var own = await ServerHost.StartAsync(new ServerOptions
        {
            Platform = platform,
            IsServing = false,
        });
        return new ControlClient(path, own);
    }

    static async Task<bool> AnswersAsync(string path, CancellationToken cancel)
    {
        if (!File.Exists(path)) return false;
        try
        {
            await (await ConnectAsync(path, cancel)).DisposeAsync();
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }

    static async ValueTask<Stream> ConnectAsync(string path, CancellationToken cancel)
    {
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            await socket.ConnectAsync(new UnixDomainSocketEndPoint(path), cancel);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    /// <summary>What the server says of itself.</summary>
    public Task<ServerStatus> StatusAsync(CancellationToken cancel = default) =>
        GetAsync<ServerStatus>("/status", cancel);

    /// <summary>Deploys what lies in a folder.</summary>
    public Task<DeployReply> DeployAsync(
        string folder, JsonObject? settings = null, CancellationToken cancel = default) =>
        PostAsync<DeployReply>("/deploy", new DeployRequest(Path.GetFullPath(folder), settings), cancel);

    /// <summary>The newest version of every flow.</summary>
    public Task<ImmutableArray<FlowReply>> FlowsAsync(CancellationToken cancel = default) =>
        GetAsync<ImmutableArray<FlowReply>>("/flows", cancel);

    /// <summary>The newest version of every integration.</summary>
    public Task<ImmutableArray<IntegrationSummary>> IntegrationsAsync(CancellationToken cancel = default) =>
        GetAsync<ImmutableArray<IntegrationSummary>>("/integrations", cancel);

    /// <summary>Asks a model outside any run, for the check of it.</summary>
    /// <exception cref="LanguageModelException">The model could not answer.</exception>
    public async Task<ChatAnswer> AskModelAsync(ChatRequest request, CancellationToken cancel = default)
    {
        var reply = await PostAsync<ModelReply>("/models/ask", request, cancel);
        return reply.Answer ?? throw new LanguageModelException(reply.ErrorType!, reply.ErrorDetail!);
    }

    /// <summary>The models that flows can name.</summary>
    public Task<ImmutableArray<ModelSummary>> ModelsAsync(CancellationToken cancel = default) =>
        GetAsync<ImmutableArray<ModelSummary>>("/models", cancel);

    /// <summary>Runs of events, newest first.</summary>
    public Task<ImmutableArray<RunSummary>> RunsAsync(
        string? flow = null, string? before = null, int limit = 50, CancellationToken cancel = default) =>
        GetAsync<ImmutableArray<RunSummary>>(
            $"/runs?limit={limit}&flow={Escape(flow)}&before={Escape(before)}", cancel);

    /// <summary>A run with its timeline.</summary>
    public Task<RunDetail> RunAsync(string id, CancellationToken cancel = default) =>
        GetAsync<RunDetail>($"/runs/{Escape(id)}", cancel);

    /// <summary>A run's log.</summary>
    public Task<ImmutableArray<LogEntry>> LogAsync(string id, CancellationToken cancel = default) =>
        GetAsync<ImmutableArray<LogEntry>>($"/runs/{Escape(id)}/log", cancel);

    /// <summary>Waits until a run has ended.</summary>
    public Task<RunSummary> WaitForEndAsync(string id, CancellationToken cancel = default) =>
        GetAsync<RunSummary>($"/runs/{Escape(id)}/wait", cancel);

    /// <summary>A run's output as it comes, until the run ends.</summary>
    public async Task<Stream> OutputAsync(string id, CancellationToken cancel = default)
    {
        var response = await _http.GetAsync(
            new Uri($"/runs/{Escape(id)}/output", UriKind.Relative), HttpCompletionOption.ResponseHeadersRead, cancel);
        await CheckAsync(response, cancel);
        return await response.Content.ReadAsStreamAsync(cancel);
    }

    /// <summary>Cancels a run; false: it has ended.</summary>
    public Task<bool> CancelAsync(string id, CancellationToken cancel = default) =>
        PostAsync<bool>($"/runs/{Escape(id)}/cancel", null, cancel);

    /// <summary>Decides what became of a write whose fate nobody knows.</summary>
    public Task ResolveAsync(string id, ResolveRequest request, CancellationToken cancel = default) =>
        PostAsync<bool>($"/runs/{Escape(id)}/resolve", request, cancel);

    /// <summary>The connections, without their secrets.</summary>
    public Task<ImmutableArray<ConnectionSummary>> ConnectionsAsync(CancellationToken cancel = default) =>
        GetAsync<ImmutableArray<ConnectionSummary>>("/connections", cancel);

    /// <summary>Adds a connection, or takes the place of the one of that name.</summary>
    public Task AddConnectionAsync(NewConnection connection, CancellationToken cancel = default) =>
        PostAsync<bool>("/connections", connection, cancel);

    /// <summary>Removes a connection.</summary>
    public Task RemoveConnectionAsync(string name, CancellationToken cancel = default) =>
        SendAsync<bool>(HttpMethod.Delete, $"/connections/{Escape(name)}", null, cancel);

    /// <summary>Asks a connection's address, with its secret.</summary>
    public Task<ConnectionReport> TestConnectionAsync(string name, CancellationToken cancel = default) =>
        PostAsync<ConnectionReport>($"/connections/{Escape(name)}/test", null, cancel);

    /// <summary>The keys of the model API, without the keys.</summary>
    public Task<ImmutableArray<ApiKeySummary>> ApiKeysAsync(CancellationToken cancel = default) =>
        GetAsync<ImmutableArray<ApiKeySummary>>("/keys", cancel);

    /// <summary>Makes a key of the model API and answers it; it cannot be asked for again.</summary>
    public Task<string> AddApiKeyAsync(NewApiKey key, CancellationToken cancel = default) =>
        PostAsync<string>("/keys", key, cancel);

    /// <summary>Revokes a key of the model API.</summary>
    public Task RevokeApiKeyAsync(string name, CancellationToken cancel = default) =>
        SendAsync<bool>(HttpMethod.Delete, $"/keys/{Escape(name)}", null, cancel);

    Task<T> GetAsync<T>(string path, CancellationToken cancel) => SendAsync<T>(HttpMethod.Get, path, null, cancel);

    Task<T> PostAsync<T>(string path, object? body, CancellationToken cancel) =>
        SendAsync<T>(HttpMethod.Post, path, body, cancel);

    async Task<T> SendAsync<T>(HttpMethod method, string path, object? body, CancellationToken cancel)
    {
        using var request = new HttpRequestMessage(method, new Uri(path, UriKind.Relative));
        if (body is not null) request.Content = JsonContent.Create(body, body.GetType(), options: ControlJson.Options);
        using var response = await _http.SendAsync(request, cancel);
        await CheckAsync(response, cancel);
        return (await response.Content.ReadFromJsonAsync<T>(ControlJson.Options, cancel))!;
    }

    /// <summary>An answer that is no success is the server's sentence for the person.</summary>
    static async Task CheckAsync(HttpResponseMessage response, CancellationToken cancel)
    {
        if (response.IsSuccessStatusCode) return;
        var problem = await response.Content.ReadFromJsonAsync<JsonObject>(cancel);
        throw new ServerException((string?)problem?["detail"] ?? $"The server answered {(int)response.StatusCode}.");
    }

    static string Escape(string? text) => Uri.EscapeDataString(text ?? "");

    /// <summary>Closes the folder, if it was opened here.</summary>
    public async ValueTask DisposeAsync()
    {
        _http.Dispose();
        if (_own is not null) await _own.DisposeAsync();
    }
}
