using System.Collections.Immutable;
using System.Text;
using System.Text.Json.Nodes;
using Millrace.Cli.Changes;
using Millrace.Cli.Reviewing;
using Millrace.Cli.StandIn;
using Millrace.Flows;

namespace Millrace.Cli.Tests.Reviews;

/// <summary>
/// The whole path in this process, once for a row of tests: server, stand-in GitHub, review function and a model that
/// says what the test wrote. Each test has pull requests of its own.
/// </summary>
public sealed class ReviewBench : IAsyncLifetime
{
    internal static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);

    readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("millrace-bench-");
    int _pulls;

    internal ReviewSession Session { get; private set; } = null!;

    internal ScriptedModelServer Model { get; private set; } = null!;

    internal StandInGitHub GitHub => Session.GitHub;

    internal Platform Platform => Session.Server.Platform;

    public async Task InitializeAsync()
    {
        Model = await ScriptedModelServer.StartAsync();
        var remote = new RemoteModel(Model.BaseUrl, ScriptedModelServer.Model, null);
        Session = await ReviewSession.StartAsync(
            new()
            {
                Remote = remote,
                Verdicts = new(Path.Combine(_folder.FullName, "verdicts.json")),
                SendDeadline = TimeSpan.FromSeconds(2),
                Time = TimeProvider.System,
            },
            default);
        await Session.CheckRemoteAsync(remote, new(TextReader.Null, TextWriter.Null, TextWriter.Null), default);
        Calm();
    }

    /// <summary>No faults, no words: as each test finds it.</summary>
    internal void Calm()
    {
        (GitHub.Faults, GitHub.Applied) = (null, null);
        (Model.Faults, Model.Answered, Model.Script) = (null, null, _ => "NO RISKS");
    }

    /// <summary>A new pull request of a repository of its own.</summary>
    internal PullRequest Pull(Change change)
    {
        var pull = new PullRequest("ada", $"wheel-{Interlocked.Increment(ref _pulls)}", 7, change);
        GitHub.Add(pull);
        return pull;
    }

    internal PullRequest Pull(string patch, string title = "Turn the wheel") => Pull(Encoding.UTF8.GetBytes(patch), title);

    internal PullRequest Pull(byte[] patch, string title = "Turn the wheel") =>
        Pull(PatchFile.Read(patch, title, DateTimeOffset.UnixEpoch));

    /// <summary>A patch that adds lines to one file.</summary>
    internal static string Patch(string file, params string[] added) =>
        $"diff --git a/{file} b/{file}\n--- a/{file}\n+++ b/{file}\n@@ -1,1 +1,{added.Length + 1} @@\n keep = 1\n"
        + string.Concat(added.Select(line => $"+{line}\n"));

    /// <summary>Sends an action's webhook and waits until nothing is under way; answers the newest run.</summary>
    internal async Task<Reviewed> ReviewAsync(PullRequest pull, string action = "opened", string? before = null)
    {
        await SendAsync(pull, action, before);
        return await SettledAsync(pull);
    }

    internal async Task SendAsync(PullRequest pull, string action = "opened", string? before = null)
    {
        using var answer = await GitHub.SendPullRequestAsync(pull, action, default, before);
        Assert.Equal(202, (int)answer.StatusCode);
    }

    internal async Task<Reviewed> SayAsync(PullRequest pull, string comment, string association = "MEMBER")
    {
        using var answer = await GitHub.CommentAsync(pull, "bob", association, comment, default);
        Assert.True(answer!.IsSuccessStatusCode);
        return await SettledAsync(pull);
    }

    /// <summary>Waits until all runs of a pull request have ended.</summary>
    internal async Task<Reviewed> SettledAsync(PullRequest pull)
    {
        using var patience = new CancellationTokenSource(Patience);
        while (true)
        {
            var runs = await RunsAsync(pull);
            if (runs.FirstOrDefault(run => run.State != RunState.Ended) is not { } open) return await ResultAsync(pull, runs);
            await Platform.WaitForEndAsync(open.Id, patience.Token);
        }
    }

    /// <summary>The runs of a pull request, oldest first.</summary>
    internal async Task<ImmutableArray<RunSummary>> RunsAsync(PullRequest pull) =>
        [.. (await Platform.RunsAsync(ReviewSession.Flow, limit: 1_000))
            .Where(run => run.Partition?.Contains($"{pull.FullName}#", StringComparison.Ordinal) == true).Reverse()];

    async Task<Reviewed> ResultAsync(PullRequest pull, ImmutableArray<RunSummary> runs)
    {
        if (runs.IsEmpty) return new(pull, runs, null, "");
        var output = new MemoryStream();
        await foreach (var part in Platform.ReadOutputAsync(runs[^1].Id)) output.Write(part.Span);
        return new(pull, runs, await Platform.RunAsync(runs[^1].Id), Encoding.UTF8.GetString(output.ToArray()));
    }

    public async Task DisposeAsync()
    {
        await Session.DisposeAsync();
        await Model.DisposeAsync();
        _folder.Delete(recursive: true);
    }
}

/// <summary>One bench for all tests of the whole path: they run one after another, as they share its faults.</summary>
[CollectionDefinition(Name)]
public sealed class ReviewTests : ICollectionFixture<ReviewBench>
{
    internal const string Name = "reviews";
}

/// <summary>How a pull request stands when its runs have ended.</summary>
/// <param name="Pull">The pull request with its comments.</param>
/// <param name="Runs">All its runs, oldest first.</param>
/// <param name="Last">The newest with its timeline.</param>
/// <param name="Output">What the newest printed.</param>
sealed record Reviewed(PullRequest Pull, ImmutableArray<RunSummary> Runs, RunDetail? Last, string Output)
{
    /// <summary>The one comment of the bot.</summary>
    public string Comment => Assert.Single(Pull.Comments, comment => comment.UserType == "Bot").Body;

    public IEnumerable<RunOutcome?> Outcomes => Runs.Select(run => run.Outcome);

    /// <summary>The newest run's document; fails the test where it did not complete.</summary>
    public JsonObject Document
    {
        get
        {
            Assert.True(Last is { Summary.Outcome: RunOutcome.Completed }, $"{Last?.Summary.Outcome} {Last?.Summary.Message}");
            return JsonNode.Parse(Output)!.AsObject();
        }
    }

    public JsonArray Findings => Document["findings"]!.AsArray();
}
