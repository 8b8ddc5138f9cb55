using System.Diagnostics;
using System.Globalization;
using Millrace.Cli;
using Millrace.Server;

namespace Millrace.Bench;

/// <summary>
/// A server of one data folder in a process of its own, so that nothing of the bench counts as the server's.
/// </summary>
sealed class ServerProcess : IAsyncDisposable
{
    /// <summary>The hidden command that is this process.</summary>
    public const string Command = "server";

    readonly Process _process;

    ServerProcess(Process process, string url) => (_process, Url) = (process, url);

    public string Url { get; }

    /// <summary>Starts one and waits until it listens.</summary>
    public static async Task<ServerProcess> StartAsync(string dataFolder)
    {
        var process = Process.Start(new ProcessStartInfo(Environment.ProcessPath!, [Command, dataFolder])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
        })!;
        var url = await process.StandardOutput.ReadLineAsync()
            ?? throw new InvalidOperationException("the server ended before it listened");
        return new(process, url);
    }

    /// <summary>The server's side: serves until standard input ends.</summary>
    public static async Task ServeAsync(Screen screen, string dataFolder)
    {
        await using var host = await ServerHost.StartAsync(new()
        {
            Platform = new()
            {
                DataFolder = dataFolder,
                // The scripted model is no reader: it is let through, since its speed is not what is measured.
                RemoteVerdict = _ => new(true, ""),
                Notice = screen.Note,
            },
            Port = 0,
            PagesPort = 0,
        });
        screen.Result(host.Url);
        await Console.OpenStandardInput().CopyToAsync(Stream.Null);
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
        _process.StandardInput.Close();
        await _process.WaitForExitAsync();
        _process.Dispose();
    }
}
