using System.Text;
using System.Text.Json.Nodes;
using Millrace.Cli.Changes;
using Millrace.Cli.StandIn;
using Millrace.Cli.Tests.Commands;
using Millrace.Flows;
using Millrace.Server;

namespace Millrace.Cli.Tests.Kill;

/// <summary>
/// A data folder with the review function deployed, a GitHub and a model server that keep ledgers, and one server
/// process after another over it.
/// </summary>
sealed class ReviewBench : IAsyncDisposable
{
    public static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);

    const string Owner = "acme";
    const string Repository = "mill";
    const string Secret = "of-the-webhooks";

    readonly Shell _shell;
    readonly string _home;
    readonly string _failPoints;
    readonly Change _change = SampleChange.Read(Shipped.Sample("small"));
    readonly Dictionary<string, string> _variables = [];
    ServerProcess? _server;
    int _pulls;
    int _readings;

    ReviewBench(string home, StandInGitHub github, ScriptedModelServer model)
    {
        (_home, GitHub, Model) = (home, github, model);
        _shell = new() { User = Path.Combine(home, "millrace") };
        _failPoints = Path.Combine(home, "failpoints");
        // The folder of a user of its own: nothing of the real one's is read or written.
        _variables["XDG_DATA_HOME"] = home;
        _variables["MILLRACE_LEASE_MS"] = "1000";
        _variables["MILLRACE_SEND_DEADLINE_MS"] = "1000";
        _variables["MILLRACE_FAILPOINT"] = "@" + _failPoints;
        // Short lives: what the compiler would learn for later is of no use.
        _variables["DOTNET_TieredPGO"] = "0";
        // Runs that are held keep their threads.
        _variables["DOTNET_ThreadPool_ForceMinWorkerThreads"] = "40";
        model.Script = Read;
    }

    public StandInGitHub GitHub { get; }

    public ScriptedModelServer Model { get; }

    public ServerProcess Server => _server ?? throw new InvalidOperationException("no server runs");

    public static async Task<ReviewBench> StartAsync(params (string Name, string Value)[] variables)
    {
        var home = Directory.CreateTempSubdirectory("millrace-kill-").FullName;
        var github = await StandInGitHub.StartAsync(TimeProvider.System, CancellationToken.None);
        var bench = new ReviewBench(home, github, await ScriptedModelServer.StartAsync());
        foreach (var (name, value) in variables) bench._variables[name] = value;
        await bench.DeployAsync();
        await bench.RestartAsync();
        return bench;
    }

    /// <summary>As a user does it: two connections, then the function, whose model is checked.</summary>
    async Task DeployAsync()
    {
        Directory.CreateDirectory(_shell.User);
        _shell.Set("TEST_TOKEN", GitHub.Token);
        _shell.Set("TEST_SECRET", Secret);
        await CommandAsync("connections", "add", "gh", "--integration", "github", "--allow-private",
            "--base-url", GitHub.Address.ToString().TrimEnd('/'),
            "--token-env", "TEST_TOKEN", "--webhook-secret-env", "TEST_SECRET");
        await CommandAsync("connections", "add", "ai", "--integration", "openai", "--allow-private",
            "--base-url", Model.BaseUrl.ToString(), "--set", "models=" + ScriptedModelServer.Model);
        await CommandAsync("deploy", "review");
    }

    async Task CommandAsync(params string[] arguments)
    {
        var answer = await _shell.OnDataAsync(arguments);
        Assert.True(answer.Code == 0, answer.All);
    }

    // No two readings are worded alike: a review from a second reading shows in its bytes.
    string Read(string prompt) => $"""
        SUMMARY: The change keeps signalling NaN constants of f32 signalling, by an or with a static field.
        CHANGE: The bits are loaded with the field UnknownZero, in reading {Interlocked.Increment(ref _readings)}.
        NO RISKS
        """;

    /// <summary>Starts the next server process over the folder.</summary>
    public async Task RestartAsync()
    {
        if (_server is not null) await _server.DisposeAsync();
        _server = await ServerProcess.StartAsync(_shell.Data, _variables, Patience);
        GitHub.Hook = (new Uri($"{_server.Url}/hooks/github/gh"), Secret);
    }

    /// <summary>The server that runs kills itself when a run stands at each of these points.</summary>
    public void Arm(IEnumerable<string> points)
    {
        var text = string.Join(',', points);
        if (text.Length == 0) return;
        // Renamed into place: it is there with all that it says, or not at all.
        File.WriteAllText(_failPoints + ".new", text);
        File.Move(_failPoints + ".new", _failPoints);
    }

    /// <summary>Nothing is held or killed any more.</summary>
    public void Disarm()
    {
        File.Delete(_failPoints);
        (GitHub.Applied, Model.Answered) = (null, null);
    }

    /// <summary>Opens one more pull request and sends its webhook.</summary>
    public async Task<PullRequest> OpenPullAsync()
    {
        var number = Interlocked.Increment(ref _pulls);
        var pull = new PullRequest(Owner, Repository, number, _change with { Title = Title(number) });
        GitHub.Add(pull);
        try
        {
            using var answer = await GitHub.SendPullRequestAsync(pull, "opened", CancellationToken.None);
            Assert.True(answer.IsSuccessStatusCode, await answer.Content.ReadAsStringAsync());
        }
        catch (HttpRequestException)
        {
            // Killed before its answer came; the run that it was killed in shows that the event was kept.
        }

        return pull;
    }

    static string Title(int number) => $"Keep signalling NaN constants, case {number}:";

    /// <summary>Waits until the run of a pull request has ended.</summary>
    public async Task<RunDetail> EndAsync(PullRequest pull)
    {
        using var patience = new CancellationTokenSource(Patience);
        await using var client = await ControlClient.OpenAsync(_shell.Data, patience.Token);
        Assert.True(client.IsServerRunning, Server.Words);
        var runs = await client.RunsAsync(limit: 500, cancel: patience.Token);
        var run = runs.Single(run => run.Partition == $"{Owner}/{Repository}#{pull.Number}");
        await client.WaitForEndAsync(run.Id, patience.Token);
        return await client.RunAsync(run.Id, patience.Token);
    }

    /// <summary>A run's timeline as the command shows it.</summary>
    public async Task<JsonNode> TimelineAsync(string run) => (await _shell.OnDataAsync("runs", run, "--json")).Json;

    public int Prompts(PullRequest pull) =>
        Model.Prompts.Count(prompt => prompt.Contains(Title(pull.Number), StringComparison.Ordinal));

    public LedgerEntry[] Creations(PullRequest pull) => [.. GitHub.Ledger.Entries.Where(entry =>
        entry.Method == "POST" && entry.Path == $"/repos/{pull.FullName}/issues/{pull.Number}/comments")];

    public LedgerEntry[] Updates(PullRequest pull) => [.. GitHub.Ledger.Entries.Where(entry => entry.Method == "PATCH"
        && pull.Comments.Any(c => entry.Path == $"/repos/{pull.FullName}/issues/comments/{c.Id}"))];

    /// <summary>
    /// What is wrong with the review of a pull request, read from the far sides' ledgers; null: nothing.
    /// </summary>
    public string? Fault(PullRequest pull)
    {
        var creations = Creations(pull);
        if (creations.Length != 1) return $"{creations.Length} comments were created";
        if (pull.Comments is not [var comment]) return $"{pull.Comments.Count} comments stand there";
        var updates = Updates(pull);
        if (updates.Length is 0 or > 2) return $"{updates.Length} updates were sent";
        if (updates.Select(update => Body(update)).Distinct().Count() != 1) return "the two updates differ";
        if (comment.Body != Body(updates[^1])) return "the comment is not what was sent last";
        if (comment.Body.Contains("being reviewed", StringComparison.Ordinal)) return "a placeholder stands there";
        if (!comment.Body.Contains("UnknownZero, in reading", StringComparison.Ordinal))
            return "the review lacks the model's words: " + comment.Body;
        return Prompts(pull) is 0 or > 2 ? $"the model was asked {Prompts(pull)} times" : null;
    }

    static string Body(LedgerEntry entry) =>
        (string)JsonNode.Parse(Encoding.UTF8.GetString(entry.Body.AsSpan()))!["body"]!;

    public async ValueTask DisposeAsync()
    {
        if (_server is not null) await _server.DisposeAsync();
        await GitHub.DisposeAsync();
        await Model.DisposeAsync();
        await _shell.DisposeAsync();
        Directory.Delete(_home, recursive: true);
    }
}
