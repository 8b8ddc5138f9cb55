using System.Diagnostics;
using System.Globalization;

namespace Millrace.Bench;

/// <summary>
/// `millrace serve` on one data folder, in a process of its own, so that nothing of the bench counts as the server's.
/// </summary>
sealed class ServerProcess : IAsyncDisposable
{
    const string Listening = "listening on ";

    readonly Process _process;

    ServerProcess(Process process, string url) => (_process, Url) = (process, url);

    public string Url { get; }

    /// <summary>Starts one and waits until it listens.</summary>
    /// <param name="dataFolder">What it serves.</param>
    /// <param name="home">Where the user's own things lie: verdicts on models.</param>
    /// <param name="options">More of the command's options.</param>
    public static async Task<ServerProcess> StartAsync(string dataFolder, string home, params string[] options)
    {
        var start = new ProcessStartInfo(
            Path.Combine(AppContext.BaseDirectory, "millrace"),
            ["serve", "--data", dataFolder, "--port", "0", "--pages-port", "0", .. options])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.Environment["XDG_DATA_HOME"] = home;
        start.Environment.Remove("MILLRACE_MODELS");
        var process = Process.Start(start)!;
        _ = process.StandardError.BaseStream.CopyToAsync(Stream.Null);
        while (await process.StandardOutput.ReadLineAsync() is { } line)
        {
            if (!line.StartsWith(Listening, StringComparison.Ordinal)) continue;
            _ = process.StandardOutput.BaseStream.CopyToAsync(Stream.Null);
            return new(process, line[Listening.Length..].Trim());
        }
        throw new InvalidOperationException("the server ended before it listened");
    }

    /// <summary>A line of the process's status, in MiB: <c>VmRSS</c> now, <c>VmHWM</c> at most.</summary>
    public double MemoryMiB(string field)
    {
        var line = File.ReadLines($"/proc/{_process.Id}/status")
            .First(line => line.StartsWith(field + ":", StringComparison.Ordinal));
        var kibibytes = line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[^2].Split('\t')[^1];
        return double.Parse(kibibytes, CultureInfo.InvariantCulture) / 1024;
    }

    /// <summary>CPU time of the process so far.</summary>
    public TimeSpan Cpu
    {
        get
        {
            _process.Refresh();
            return _process.TotalProcessorTime;
        }
    }

    public async ValueTask DisposeAsync()
    {
        _process.Kill();
        await _process.WaitForExitAsync();
        _process.Dispose();
    }
}
