using System.Collections.Concurrent;
using System.Text.Json.Nodes;

namespace Millrace.Cli.Tests.Commands;

/// <summary>What a command answered.</summary>
sealed record Answer(int Code, string Output, string Words)
{
    public JsonNode Json => JsonNode.Parse(Output)!;

    /// <summary>All that a person could see.</summary>
    public string All => Output + Words;
}

/// <summary>Runs commands in this process, each with a screen of its own, on one data folder.</summary>
sealed class Shell : IAsyncDisposable
{
    public static readonly TimeSpan Patience = TimeSpan.FromMinutes(3);

    // Verdicts on the tiny model are the same for all tests: it is checked once.
    static readonly string UserFolder = Directory.CreateTempSubdirectory("millrace-user-").FullName;

    readonly ConcurrentDictionary<string, string> _variables = new();
    readonly List<RunningServer> _servers = [];

    public string Data { get; } = Directory.CreateTempSubdirectory("millrace-cli-").FullName;

    public string User { get; init; } = UserFolder;

    public CliEnvironment Environment => new(name => _variables.GetValueOrDefault(name)) { Folder = User };

    public void Set(string variable, string value) => _variables[variable] = value;

    /// <summary>Runs a command that knows <c>--data</c> on this shell's data folder.</summary>
    public Task<Answer> OnDataAsync(params string[] arguments) => RunAsync([.. arguments, "--data", Data]);

    public async Task<Answer> RunAsync(string[] arguments, string input = "")
    {
        using var output = new StringWriter();
        using var words = new StringWriter();
        using var reader = new StringReader(input);
        var code = await MillraceCommand.RunAsync(arguments, new Screen(reader, output, words), Environment)
            .WaitAsync(Patience);
        return new(code, output.ToString(), words.ToString());
    }

    /// <summary>Starts <c>serve</c> on free ports; answers when it listens.</summary>
    public async Task<RunningServer> ServeAsync(params string[] arguments)
    {
        var server = new RunningServer(
            this, ["serve", "--port", "0", "--pages-port", "0", "--data", Data, .. arguments]);
        _servers.Add(server);
        await server.Listening;
        return server;
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var server in _servers) await server.StopAsync();
        Directory.Delete(Data, recursive: true);
    }
}

/// <summary>A <c>serve</c> that runs in this process until it is stopped, as by Ctrl-C.</summary>
sealed class RunningServer
{
    readonly CancellationTokenSource _stop = new();
    readonly SignalWriter _output = new("listening on ");
    readonly StringWriter _words = new();
    readonly Task<int> _run;

    public RunningServer(Shell shell, string[] arguments)
    {
        var screen = new Screen(TextReader.Null, _output, _words);
        _run = Task.Run(() => MillraceCommand.RunAsync(arguments, screen, shell.Environment, _stop.Token));
    }

    public Task Listening => ListenAsync();

    public string Url { get; private set; } = "";

    public string Words => _words.ToString();

    async Task ListenAsync()
    {
        var first = await Task.WhenAny(_output.Seen, _run).WaitAsync(Shell.Patience);
        Assert.True(first == _output.Seen, Words);
        Url = await _output.Seen;
    }

    /// <summary>Answers the exit code.</summary>
    public async Task<int> StopAsync()
    {
        await _stop.CancelAsync();
        return await _run.WaitAsync(Shell.Patience);
    }

    /// <summary>Tells when a line that begins so is written.</summary>
    sealed class SignalWriter(string start) : StringWriter
    {
        readonly TaskCompletionSource<string> _seen = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Task<string> Seen => _seen.Task;

        public override void WriteLine(string? value)
        {
            base.WriteLine(value);
            if (value?.StartsWith(start, StringComparison.Ordinal) == true) _seen.TrySetResult(value[start.Length..]);
        }
    }
}
