using System.Diagnostics;
using System.Formats.Tar;
using System.IO.Compression;
using System.Security.Cryptography;

namespace Millrace.Cli.Tests.Realism;

/// <summary>A public npm package, fetched at test time into a cache and checked against its pinned hash; never committed.</summary>
static class NpmPackage
{
    static readonly string Cache = Path.Combine(
        Environment.GetFolderPath(Environment.SpecialFolder.LocalApplicationData), "millrace", "test-packages");

    /// <summary>The package's folder. Skips the test where npm is missing or the registry has it not.</summary>
    /// <param name="name">Package name.</param>
    /// <param name="version">Exact version.</param>
    /// <param name="integrity">The registry's <c>sha512-…</c>; null to trust the version (data for reading only).</param>
    public static async Task<string> FetchAsync(string name, string version, string? integrity = null)
    {
        var folder = Path.Combine(Cache, $"{name.Replace('/', '-').TrimStart('@')}-{version}");
        if (Directory.Exists(folder)) return Path.Combine(folder, "package");
        var scratch = $"{folder}.{Guid.NewGuid():N}";
        Directory.CreateDirectory(scratch);
        try
        {
            var (code, output) = await PackAsync($"{name}@{version}", scratch);
            Skip.If(code != 0, $"npm did not bring {name}@{version}: {output}");
            var archive = Directory.EnumerateFiles(scratch, "*.tgz").Single();
            if (integrity is not null) await CheckAsync(archive, integrity);
            await using (var gzip = new GZipStream(File.OpenRead(archive), CompressionMode.Decompress))
                await TarFile.ExtractToDirectoryAsync(gzip, scratch, overwriteFiles: true);
            File.Delete(archive);
            Rename(scratch);
            if (!Directory.Exists(folder)) Directory.Move(scratch, folder);
        }
        finally
        {
            if (Directory.Exists(scratch)) Directory.Delete(scratch, recursive: true);
        }

        return Path.Combine(folder, "package");
    }

    // Some packages name their root otherwise than `package`.
    static void Rename(string scratch)
    {
        var root = Directory.EnumerateDirectories(scratch).Single();
        if (Path.GetFileName(root) != "package") Directory.Move(root, Path.Combine(scratch, "package"));
    }

    static async Task CheckAsync(string archive, string integrity)
    {
        await using var stream = File.OpenRead(archive);
        Assert.Equal(integrity, "sha512-" + Convert.ToBase64String(await SHA512.HashDataAsync(stream)));
    }

    static async Task<(int Code, string Output)> PackAsync(string package, string folder)
    {
        var start = new ProcessStartInfo("npm", ["pack", package, "--pack-destination", folder, "--ignore-scripts", "--loglevel=error"])
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
            return (process.ExitCode, (await errors).Trim());
        }
        catch (System.ComponentModel.Win32Exception)
        {
            return (127, "npm is not installed");
        }
    }
}
