using System.Diagnostics;
using System.Text;

namespace Millrace.Cli.Tests.Kill;

/// <summary>A real <c>millrace serve</c> in a process of its own.</summary>
sealed class ServerProcess : IAsyncDisposable
{
    const string ListeningMark = "listening on ";
    const int SignalTerminate = 15;

    readonly Process _process;
    readonly StringBuilder _words = new();
    readonly TaskCompletionSource<string> _url = new(TaskCreationOptions.RunContinuationsAsynchronously);

    ServerProcess(Process process) => _process = process;

    /// <summary>Address of its public listener.</summary>
    public string Url { get; private set; } = "";

    /// <summary>What it said, for a test that fails.</summary>
    public string Words
    {
        get { lock (_words) return _words.ToString(); }
    }

    public bool HasExited => _process.HasExited;

    /// <summary>Completes when the process is gone.</summary>
    public Task Exited => _process.WaitForExitAsync();

    /// <summary>The exit code, once it has exited; 137 after a SIGKILL.</summary>
    public int ExitCode => _process.ExitCode;

    /// <summary>Starts one on free ports; answers when it listens.</summary>
    public static async Task<ServerProcess> StartAsync(
        string data, IEnumerable<KeyValuePair<string, string>> variables, TimeSpan patience)
    {
        var program = Path.Combine(AppContext.BaseDirectory, "millrace.dll");
        var start = new ProcessStartInfo("dotnet",
            ["exec", program, "serve", "--data", data, "--port", "0", "--pages-port", "0"])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        // Nothing of the developer's own set-up: no models, no endpoint.
        foreach (var name in start.Environment.Keys.Where(IsOurs).ToList()) start.Environment.Remove(name);
        foreach (var (name, value) in variables) start.Environment[name] = value;
        var server = new ServerProcess(new() { StartInfo = start });
        server._process.OutputDataReceived += (_, line) => server.Hear(line.Data);
        server._process.ErrorDataReceived += (_, line) => server.Hear(line.Data);
        server._process.Start();
        server._process.BeginOutputReadLine();
        server._process.BeginErrorReadLine();
        var first = await Task.WhenAny(server._url.Task, server.Exited).WaitAsync(patience);
        Assert.True(first == server._url.Task, "the server did not start: " + server.Words);
        server.Url = await server._url.Task;
        return server;
    }

    static bool IsOurs(string name) => name.StartsWith("MILLRACE_", StringComparison.Ordinal)
        || name.StartsWith("OPENAI_", StringComparison.Ordinal);

    void Hear(string? line)
    {
        if (line is null) return;
        lock (_words) _words.AppendLine(line);
        if (line.StartsWith(ListeningMark, StringComparison.Ordinal)) _url.TrySetResult(line[ListeningMark.Length..]);
    }

    /// <summary>Processes of its workers.</summary>
    public int[] Workers() => [.. Directory.EnumerateDirectories("/proc")
        .Select(path => int.TryParse(Path.GetFileName(path), out var id) ? id : 0)
        .Where(id => id > 0 && IsWorker(id))];

    /// <summary>SIGKILL to all of its workers; answers how many there were.</summary>
    public int KillWorkers()
    {
        var workers = Workers();
        foreach (var id in workers)
        {
            try
            {
                using var worker = Process.GetProcessById(id);
                worker.Kill();
            }
            catch (Exception e) when (e is ArgumentException or InvalidOperationException)
            {
                // It went by itself.
            }
        }

        return workers.Length;
    }

    /// <summary>Ends when there is no such process any more.</summary>
    public static async Task GoneAsync(int id, TimeSpan patience)
    {
        try
        {
            using var process = Process.GetProcessById(id);
            await process.WaitForExitAsync().WaitAsync(patience);
        }
        catch (ArgumentException)
        {
            // It is gone already.
        }
    }

    bool IsWorker(int id)
    {
        try
        {
            var words = File.ReadAllText($"/proc/{id}/cmdline").Split('\0');
            // What stands before the parent's id is the name in brackets, which may hold anything.
            var status = File.ReadAllText($"/proc/{id}/stat");
            var parent = status[(status.LastIndexOf(')') + 2)..].Split(' ')[1];
            return words.Contains("worker") && parent == $"{_process.Id}";
        }
        catch (IOException)
        {
            return false;
        }
    }

    /// <summary>SIGKILL; answers when the process is gone.</summary>
    public async Task KillAsync()
    {
        if (!_process.HasExited) _process.Kill();
        await Exited;
    }

    /// <summary>SIGTERM, as a service's stop; answers when the process is gone.</summary>
    public async Task TerminateAsync(TimeSpan patience)
    {
        using var kill = Process.Start("kill", [$"-{SignalTerminate}", $"{_process.Id}"]);
        await kill.WaitForExitAsync();
        await Exited.WaitAsync(patience);
    }

    public async ValueTask DisposeAsync()
    {
        await KillAsync();
        _process.Dispose();
    }
}
