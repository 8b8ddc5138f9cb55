using System.Collections.Immutable;
using System.Diagnostics;
using System.Text;

namespace Millrace.Sandbox.Protocol;

/// <summary>What the host has of a worker besides its socket.</summary>
interface ILaunchedWorker : IDisposable
{
    int Id { get; }

    /// <summary>Ends when it is gone.</summary>
    Task Exited { get; }

    /// <summary>Ends it at once.</summary>
    void Kill();

    /// <summary>How it ended, for a person.</summary>
    string Words();
}

/// <summary>Starts a worker that connects to a socket.</summary>
delegate ILaunchedWorker WorkerLauncher(string socketPath);

/// <summary>A worker in a process of its own.</summary>
sealed class WorkerProcess : ILaunchedWorker
{
    const int WordsBytesMax = 2048;

    // What a runtime needs to start. Nothing else of the server's environment is a worker's business: it may hold
    // keys.
    static readonly string[] Kept = ["PATH", "HOME", "LANG", "TMPDIR", "TZ", "LD_LIBRARY_PATH", "MILLRACE_PORTABLE"];

    // A small process: no collector threads, a small nursery, no code instrumented for later, no debugger's socket.
    static readonly (string Name, string Value)[] Settings =
    [
        ("DOTNET_gcServer", "0"),
        ("DOTNET_gcConcurrent", "0"),
        ("DOTNET_GCgen0size", "400000"),
        ("DOTNET_TieredPGO", "0"),
        ("DOTNET_EnableDiagnostics", "0"),
    ];

    readonly Process _process;
    readonly byte[] _words = new byte[WordsBytesMax];
    readonly Task _hearing;
    int _count;
    int _exitCode;

    WorkerProcess(Process process)
    {
        _process = process;
        Id = process.Id;
        Exited = WaitAsync();
        _hearing = Task.WhenAll(
            HearAsync(process.StandardError.BaseStream, keeps: true),
            HearAsync(process.StandardOutput.BaseStream, keeps: false));
    }

    public int Id { get; }

    public Task Exited { get; }

    public static WorkerProcess Start(ImmutableArray<string> command, string socketPath)
    {
        var start = new ProcessStartInfo(command[0])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach (var argument in command[1..]) start.ArgumentList.Add(argument);
        start.ArgumentList.Add(socketPath);
        foreach (var name in start.Environment.Keys.Where(name => !IsKept(name)).ToList())
            start.Environment.Remove(name);
        foreach (var (name, value) in Settings) start.Environment[name] = value;
        return new(Process.Start(start)!);
    }

    static bool IsKept(string name) =>
        Kept.Contains(name) || name.StartsWith("DOTNET_", StringComparison.Ordinal);

    async Task WaitAsync()
    {
        await _process.WaitForExitAsync();
        _exitCode = _process.ExitCode;
    }

    public void Kill()
    {
        try
        {
            _process.Kill();
        }
        catch (InvalidOperationException)
        {
            // It ended by itself.
        }
    }

    public string Words()
    {
        var code = Exited.IsCompleted ? $"it ended with exit code {_exitCode}" : "it closed its socket";
        string said;
        lock (_words) said = Encoding.UTF8.GetString(_words, 0, _count);
        return said.Length == 0 ? code : $"{code} and said: {WorkerLink.Plain(said)}";
    }

    // Whatever it says is taken off its hands, and only so much is kept.
    async Task HearAsync(Stream stream, bool keeps)
    {
        var buffer = new byte[WordsBytesMax];
        try
        {
            while (await stream.ReadAsync(buffer) is > 0 and var count)
            {
                if (!keeps) continue;
                lock (_words)
                {
                    var kept = Math.Min(count, _words.Length - _count);
                    buffer.AsSpan(0, kept).CopyTo(_words.AsSpan(_count));
                    _count += kept;
                }
            }
        }
        catch (Exception e) when (e is IOException or ObjectDisposedException or OperationCanceledException)
        {
            // It is gone.
        }
    }

    public void Dispose()
    {
        _ = _hearing.ContinueWith(
            _ => _process.Dispose(), CancellationToken.None, TaskContinuationOptions.None, TaskScheduler.Default);
    }
}
