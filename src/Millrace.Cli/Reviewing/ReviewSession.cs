using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Millrace.Cli.StandIn;
using Millrace.Flows;
using Millrace.Server;
using Millrace.Wasm;

namespace Millrace.Cli.Reviewing;

/// <summary>A model behind an OpenAI-compatible endpoint.</summary>
sealed record RemoteModel(Uri BaseUrl, string Name, string? ApiKey)
{
    public string Host => BaseUrl.IsDefaultPort ? BaseUrl.Host : $"{BaseUrl.Host}:{BaseUrl.Port}";
}

/// <summary>How a review session is set up.</summary>
sealed record ReviewSetup
{
    /// <summary>The models of this machine; null: none.</summary>
    public ILanguageModel? LocalModels { get; init; }

    /// <summary>A model elsewhere; null: none.</summary>
    public RemoteModel? Remote { get; init; }

    /// <summary>Settings of the review function, over its defaults.</summary>
    public JsonObject Settings { get; init; } = [];

    /// <summary>The real GitHub with a token that may comment; null: the stand-in answers.</summary>
    public (Uri Api, string Token)? Real { get; init; }

    /// <summary>Where verdicts on models are remembered.</summary>
    public required ModelCheckStore Verdicts { get; init; }

    /// <summary>Where machine code of modules lies; it is used, and none is made: the session is short.</summary>
    public CodeCache? Code { get; init; }

    /// <summary>Longest time that a write may be on its way.</summary>
    public TimeSpan SendDeadline { get; init; } = TimeSpan.FromSeconds(30);

    public required TimeProvider Time { get; init; }
}

/// <summary>What came of a review.</summary>
/// <param name="Run">The run with its timeline.</param>
/// <param name="Comment">The comment as posted; null when none was.</param>
/// <param name="Output">The function's result: one JSON document.</param>
/// <param name="Reason">Why there is no review, where there is none: the function's last words, or the run's.</param>
sealed record ReviewResult(RunDetail Run, string? Comment, string Output, string Reason);

/// <summary>
/// A server on free loopback ports over a temporary data folder, with the review function deployed and a GitHub at
/// its other side: the way of a real webhook, for one change.
/// </summary>
sealed class ReviewSession : IAsyncDisposable
{
    public const string Flow = "code-review";
    const string Connection = "gh";
    const string RemoteConnection = "remote";

    // The function's worker and the integrations' are started while the session is set up.
    const int Spares = 2;

    readonly DirectoryInfo _folder;
    readonly string _secret = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(16));

    ReviewSession(DirectoryInfo folder, ServerHost server, StandInGitHub github, ModelCheckStore verdicts) =>
        (_folder, Server, GitHub, Verdicts) = (folder, server, github, verdicts);

    public ServerHost Server { get; }

    public StandInGitHub GitHub { get; }

    /// <summary>The verdicts that this session goes by.</summary>
    public ModelCheckStore Verdicts { get; }

    public static async Task<ReviewSession> StartAsync(ReviewSetup setup, CancellationToken cancel)
    {
        var folder = Directory.CreateTempSubdirectory("millrace-review-");
        var github = await StandInGitHub.StartAsync(setup.Time, cancel);
        ServerHost? server = null;
        try
        {
            server = await ServerHost.StartAsync(new()
            {
                Platform = WorkerCommand.InWorkers(new()
                {
                    DataFolder = folder.FullName,
                    LanguageModel = setup.LocalModels,
                    RemoteVerdict = setup.Verdicts.RemoteVerdict,
                    SendDeadline = setup.SendDeadline,
                    Time = setup.Time,
                }, Spares, setup.Code, isAheadOfTime: false),
                Port = 0,
                PagesPort = 0,
            });
            var session = new ReviewSession(folder, server, github, setup.Verdicts);
            await session.DeployAsync(setup);
            return session;
        }
        catch
        {
            if (server is not null) await server.DisposeAsync();
            await github.DisposeAsync();
            folder.Delete(recursive: true);
            throw;
        }
    }

    async Task DeployAsync(ReviewSetup setup)
    {
        var (github, openai) = (Package.Load(Shipped.Guest("github")), Package.Load(Shipped.Guest("openai")));
        await Server.Platform.DeployAsync(github);
        await Server.Platform.DeployAsync(openai);
        Server.Platform.Connections.Add(new(Connection, "github")
        {
            BaseUrl = (setup.Real?.Api ?? GitHub.Address).ToString().TrimEnd('/'),
            // An Enterprise server often has a private address; the user named it.
            AllowsPrivate = setup.Real?.Api.Host != "api.github.com",
            Token = setup.Real?.Token ?? GitHub.Token,
            WebhookSecret = _secret,
        }, github);
        if (setup.Remote is { } remote)
        {
            Server.Platform.Connections.Add(new(RemoteConnection, "openai")
            {
                BaseUrl = remote.BaseUrl.ToString().TrimEnd('/'),
                // A model server often stands in the own network; the user named it.
                AllowsPrivate = true,
                Settings = new() { ["models"] = new JsonArray(remote.Name) },
                Token = remote.ApiKey,
            }, openai);
        }

        await Server.Platform.DeployAsync(Package.Load(Shipped.Guest("code_review"), setup.Settings));
        GitHub.Hook = (new Uri($"{Server.Url}/hooks/github/{Connection}"), _secret);
    }

    /// <summary>Checks the model elsewhere, or recalls its verdict; says which on screen.</summary>
    public async Task CheckRemoteAsync(RemoteModel? remote, Screen screen, CancellationToken cancel)
    {
        if (remote is null) return;
        var models = await Server.Platform.ModelsAsync(cancel);
        var verdict = await MachineModels.CheckAsync(
            screen, Verdicts, Server.Platform.AskModelAsync, models.Single(model => model.Name == remote.Name),
            isForced: false, cancel);
        MachineModels.Tell(screen, [verdict]);
    }

    /// <summary>Sends the webhook of a pull request and waits for its review.</summary>
    /// <exception cref="CommandException">The webhook was not taken, or made no run.</exception>
    public async Task<ReviewResult> ReviewAsync(
        PullRequest pull, JsonObject? payload, IProgress<string> progress, CancellationToken cancel)
    {
        using var answer = payload is null
            ? await GitHub.SendPullRequestAsync(pull, "opened", cancel)
            : await GitHub.SendAsync("pull_request", payload, cancel);
        if (!answer.IsSuccessStatusCode)
            throw new CommandException($"the server did not take the webhook: {await answer.Content.ReadAsStringAsync(cancel)}");
        var runs = await Server.Platform.RunsAsync(Flow);
        if (runs.IsEmpty) throw new CommandException("the review function did not want this pull request (is it a draft?)");
        var run = runs[^1].Id;
        await FollowAsync(run, progress, cancel);
        var detail = (await Server.Platform.RunAsync(run))!;
        var output = new MemoryStream();
        await foreach (var part in Server.Platform.ReadOutputAsync(run, cancel: cancel)) output.Write(part.Span);
        var words = (await Server.Platform.LogAsync(run)).LastOrDefault(entry => entry.Level == "stderr")?.Text.Trim();
        return new(
            detail, Comment(pull, await LastRunAsync(run)), Encoding.UTF8.GetString(output.ToArray()),
            words is { Length: > 0 } ? words : $"{detail.Summary.Outcome}. {detail.Summary.Message}".TrimEnd());
    }

    /// <summary>The run itself, or the one that answered its failure: that one mended the comment.</summary>
    async Task<RunDetail> LastRunAsync(string run)
    {
        var failure = (await Server.Platform.RunsAsync(Flow)).FirstOrDefault(other => other.FailureOf == run);
        if (failure is not null) await Server.Platform.WaitForEndAsync(failure.Id);
        return (await Server.Platform.RunAsync(failure?.Id ?? run))!;
    }

    static string? Comment(PullRequest pull, RunDetail run)
    {
        if (pull.Comments.LastOrDefault(comment => comment.UserType == "Bot") is { } kept) return kept.Body;
        var posted = run.Operations.LastOrDefault(operation => operation.Name is "github.update_comment" or "github.create_comment");
        return posted is null ? null : (string?)JsonNode.Parse(posted.Head)?["body"];
    }

    async Task FollowAsync(string run, IProgress<string> progress, CancellationToken cancel)
    {
        var ended = Server.Platform.WaitForEndAsync(run, cancel);
        while (await Task.WhenAny(ended, Task.Delay(TimeSpan.FromMilliseconds(250), cancel)) != ended)
        {
            var last = (await Server.Platform.RunAsync(run))?.Operations.LastOrDefault();
            if (last is not null) progress.Report(last.Name);
        }

        await ended;
    }

    public async ValueTask DisposeAsync()
    {
        await Server.DisposeAsync();
        await GitHub.DisposeAsync();
        _folder.Delete(recursive: true);
    }
}
