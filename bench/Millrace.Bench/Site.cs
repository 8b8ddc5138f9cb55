using System.Diagnostics;
using System.Net;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Millrace.Cli;
using Millrace.Cli.StandIn;
using Millrace.Flows;
using Millrace.Server;

namespace Millrace.Bench;

/// <summary>A signed webhook, ready to be sent.</summary>
sealed record SignedEvent(byte[] Body, string Signature);

/// <summary>
/// A server in its own process, and in this one what it talks to: a stand-in GitHub and an instant model.
/// </summary>
sealed class Site : IAsyncDisposable
{
    public const string Secret = "secret-of-the-bench";

    readonly DirectoryInfo _folder;
    readonly HttpClient _http = new();
    long _nextDelivery;

    Site(DirectoryInfo folder, StandInGitHub github, InstantModel model) =>
        (_folder, GitHub, Model) = (folder, github, model);

    public string Folder => _folder.FullName;

    public StandInGitHub GitHub { get; }

    public InstantModel Model { get; }

    public ServerProcess Server { get; private set; } = null!;

    /// <summary>Looks into the server, past its public listener.</summary>
    public ControlClient Control { get; private set; } = null!;

    /// <summary>Deploys the two integrations and a flow, then starts the server.</summary>
    public static async Task<Site> StartAsync(string parent, Func<string, Package> flow)
    {
        var folder = Directory.CreateDirectory(Path.Combine(parent, $"millrace-bench-{Guid.NewGuid():n}"));
        var github = await StandInGitHub.StartAsync(TimeProvider.System, CancellationToken.None);
        var site = new Site(folder, github, await InstantModel.StartAsync());
        var data = Path.Combine(folder.FullName, "data");
        await site.DeployAsync(data, flow(folder.FullName));
        site.Server = await ServerProcess.StartAsync(data, folder.FullName);
        site.Control = await ControlClient.OpenAsync(data);
        return site;
    }

    /// <summary>The review function.</summary>
    public static Package Review(string _) => Package.Load(Shipped.Guest("code_review"));

    async Task DeployAsync(string data, Package flow)
    {
        await using var platform = await Platform.OpenAsync(new() { DataFolder = data, ExecutesRuns = false });
        var (github, openai) = (Package.Load(Shipped.Guest("github")), Package.Load(Shipped.Guest("openai")));
        await platform.DeployAsync(github);
        await platform.DeployAsync(openai);
        platform.Connections.Add(new("gh", "github")
        {
            BaseUrl = GitHub.Address.ToString().TrimEnd('/'),
            AllowsPrivate = true,
            Token = GitHub.Token,
            WebhookSecret = Secret,
        }, github);
        platform.Connections.Add(new("model", "openai")
        {
            BaseUrl = Model.BaseUrl,
            AllowsPrivate = true,
            Settings = new() { ["models"] = new JsonArray(InstantModel.Name) },
        }, openai);
        await platform.DeployAsync(flow);
        // The instant model is no reader: it is let through, since not its sense is measured.
        var verdicts = new ModelCheckStore(Path.Combine(Folder, "millrace", "model-checks.json"));
        foreach (var model in await platform.ModelsAsync())
            verdicts.Remember(model.VerdictKey!, new(new(true, 10, 10, ""), model.ContextTokens));
    }

    public static SignedEvent Sign(byte[] body) => new(
        body, "sha256=" + Convert.ToHexStringLower(HMACSHA256.HashData(Encoding.UTF8.GetBytes(Secret), body)));

    /// <summary>A pull request's event as the stand-in makes it.</summary>
    public SignedEvent Opened(PullRequest pull) => Sign(Encoding.UTF8.GetBytes(
        new GitHubJson(GitHub.Address).PullRequestEvent(pull, "opened", null).ToJsonString()));

    /// <summary>Sends a webhook; answers the run that it made, and when the 202 was here.</summary>
    public async Task<(string Run, TimeSpan Accepted)> SendAsync(SignedEvent signed)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, $"{Server.Url}/hooks/github/gh")
        {
            Content = new ByteArrayContent(signed.Body),
        };
        request.Content.Headers.ContentType = new("application/json");
        request.Headers.TryAddWithoutValidation("User-Agent", "GitHub-Hookshot/bench");
        request.Headers.TryAddWithoutValidation("X-GitHub-Event", "pull_request");
        request.Headers.TryAddWithoutValidation("X-GitHub-Delivery", $"delivery-{++_nextDelivery}");
        request.Headers.TryAddWithoutValidation("X-Hub-Signature-256", signed.Signature);
        var began = Stopwatch.GetTimestamp();
        using var response = await _http.SendAsync(request);
        var text = await response.Content.ReadAsStringAsync();
        var elapsed = Stopwatch.GetElapsedTime(began);
        if (response.StatusCode != HttpStatusCode.Accepted) throw new InvalidOperationException(text);
        using var answer = JsonDocument.Parse(text);
        return (answer.RootElement.GetProperty("runs")[0].GetString()!, elapsed);
    }

    /// <summary>A request that the server answers out of nothing: what HTTP alone takes here.</summary>
    public async Task<TimeSpan> HealthAsync()
    {
        var began = Stopwatch.GetTimestamp();
        await _http.GetStringAsync($"{Server.Url}/health");
        return Stopwatch.GetElapsedTime(began);
    }

    public async ValueTask DisposeAsync()
    {
        await Control.DisposeAsync();
        await Server.DisposeAsync();
        await Model.DisposeAsync();
        await GitHub.DisposeAsync();
        _http.Dispose();
        _folder.Delete(recursive: true);
    }
}
