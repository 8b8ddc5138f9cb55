using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Millrace.Inference;

namespace Millrace.Server.Tests.ModelApi;

/// <summary>A server with the tiny model, and with those of <c>MILLRACE_MODELS</c> where there are any, behind /v1.</summary>
sealed class ApiServer : IAsyncDisposable
{
    public const string Tiny = "tinychat-q8_0";

    public static readonly TimeSpan Patience = TimeSpan.FromMinutes(3);

    readonly LocalModels _models;
    readonly bool _isOpen;
    readonly ILoggerFactory _logging;

    ApiServer(string folder, LocalModels models, bool isOpen, ILoggerFactory logging) =>
        (Folder, _models, _isOpen, _logging) = (folder, models, isOpen, logging);

    public string Folder { get; }

    public ServerHost Host { get; private set; } = null!;

    public HttpClient Http { get; private set; } = null!;

    public static void NeedsLibrary() => Skip.If(NativeLibraries.LlamaFolder() is null, NativeLibraries.WhyAbsent);

    /// <summary>A model of the given data, by the beginning of its name.</summary>
    public static string Given(string start)
    {
        NeedsLibrary();
        var folder = Environment.GetEnvironmentVariable("MILLRACE_MODELS");
        Skip.If(folder is null, "MILLRACE_MODELS names no folder of test models");
        return Path.GetFileNameWithoutExtension(Directory.EnumerateFiles(folder!, start + "*.gguf").Single());
    }

    /// <param name="scopes">Of the key that requests are sent with; null: they have none, and need none.</param>
    public static async Task<ApiServer> StartAsync(
        string? scopes = "chat,embeddings,models,metrics", long? tokensPerDay = null, ILoggerFactory? logging = null)
    {
        var folder = TestServer.NewFolder();
        var worker = new InferenceOptions(["dotnet", Path.Combine(AppContext.BaseDirectory, "millrace.dll"), "inference-worker"]);
        var given = Environment.GetEnvironmentVariable("MILLRACE_MODELS");
        var models = new LocalModels(
            new(given is null ? [] : [given], Path.Combine(AppContext.BaseDirectory, "models", Tiny + ".gguf"), worker),
            new(Path.Combine(folder, "checks.json")));
        var server = new ApiServer(folder, models, isOpen: scopes is null, logging ?? NullLoggerFactory.Instance);
        await server.OpenAsync();
        if (scopes is not null) server.Http.DefaultRequestHeaders.Authorization = new("Bearer", await server.AddKeyAsync("test", scopes, tokensPerDay));
        return server;
    }

    async Task OpenAsync()
    {
        Host = await ServerHost.StartAsync(TestServer.Options(Folder) with { Models = _models, IsApiOpen = _isOpen, Logging = _logging });
        Http = new HttpClient { BaseAddress = new Uri(Host.Url), Timeout = Patience };
    }

    /// <summary>Closes the server and opens its folder again; requests keep their key.</summary>
    public async Task RestartAsync()
    {
        var key = Http.DefaultRequestHeaders.Authorization;
        Http.Dispose();
        await Host.DisposeAsync();
        await OpenAsync();
        Http.DefaultRequestHeaders.Authorization = key;
    }

    public async Task<string> AddKeyAsync(string name, string scopes, long? tokensPerDay = null)
    {
        await using var control = await ControlClient.OpenAsync(Folder);
        return await control.AddApiKeyAsync(new(name, [.. scopes.Split(',')], tokensPerDay));
    }

    public async Task<JsonNode> PostAsync(string path, JsonNode body)
    {
        using var response = await Http.PostAsJsonAsync(path, body);
        var text = await response.Content.ReadAsStringAsync();
        Assert.True(response.IsSuccessStatusCode, text);
        return JsonNode.Parse(text)!;
    }

    /// <summary>The objects of a streamed answer, <c>[DONE]</c> left out.</summary>
    public async Task<List<JsonNode>> StreamAsync(string path, JsonNode body)
    {
        body["stream"] = true;
        using var response = await Http.PostAsJsonAsync(path, body);
        var text = await response.Content.ReadAsStringAsync();
        Assert.True(response.IsSuccessStatusCode, text);
        Assert.Equal("text/event-stream", response.Content.Headers.ContentType!.MediaType);
        return [.. text.Split("\n\n", StringSplitOptions.RemoveEmptyEntries)
            .Select(block => block.Split('\n').Single(line => line.StartsWith("data: ", StringComparison.Ordinal))["data: ".Length..])
            .Where(data => data != "[DONE]").Select(data => JsonNode.Parse(data)!)];
    }

    public static JsonObject Chat(string text, int maxTokens = 12, string model = Tiny) => new()
    {
        ["model"] = model,
        ["messages"] = new JsonArray(new JsonObject { ["role"] = "user", ["content"] = text }),
        ["max_tokens"] = maxTokens,
        ["seed"] = 1,
    };

    public async ValueTask DisposeAsync()
    {
        Http.Dispose();
        await Host.DisposeAsync();
        await _models.DisposeAsync();
        Directory.Delete(Folder, recursive: true);
    }
}
