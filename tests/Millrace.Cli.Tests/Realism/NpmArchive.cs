using System.Diagnostics;
using System.Formats.Tar;
using System.IO.Compression;
using System.Security.Cryptography;

namespace Millrace.Cli.Tests.Realism;

/// <summary>A public npm package, fetched when it is needed into a cache and checked against its pinned hash; never committed.</summary>
static class NpmArchive
{
    static readonly string Cache = Path.Combine(
        Environment.GetFolderPath(Environment.SpecialFolder.LocalApplicationData), "millrace", "test-packages");

    /// <summary>The package's folder; null and the reason where npm is missing or brings none.</summary>
    /// <param name="name">Package name.</param>
    /// <param name="version">Exact version.</param>
    /// <param name="integrity">The registry's <c>sha512-…</c>; null to trust the version (data for reading only).</param>
    /// <exception cref="InvalidDataException">The package is not what its hash says.</exception>
    public static async Task<(string? Folder, string Reason)> FetchAsync(string name, string version, string? integrity)
    {
        var folder = Path.Combine(Cache, $"{name.Replace('/', '-').TrimStart('@')}-{version}");
        if (Directory.Exists(folder)) return (Path.Combine(folder, "package"), "");
        var scratch = $"{folder}.{Guid.NewGuid():N}";
        Directory.CreateDirectory(scratch);
        try
        {
            if (await PackAsync($"{name}@{version}", scratch) is { } fault)
                return (null, $"npm did not bring {name}@{version}: {fault}");
            var archive = Directory.EnumerateFiles(scratch, "*.tgz").Single();
            if (integrity is not null && await HashAsync(archive) != integrity)
                throw new InvalidDataException($"{name}@{version} is not what its hash says");
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

        return (Path.Combine(folder, "package"), "");
    }

    // Some packages name their root otherwise than `package`.
    static void Rename(string scratch)
    {
        var root = Directory.EnumerateDirectories(scratch).Single();
        if (Path.GetFileName(root) != "package") Directory.Move(root, Path.Combine(scratch, "package"));
    }

    static async Task<string> HashAsync(string archive)
    {
        await using var stream = File.OpenRead(archive);
        return "sha512-" + Convert.ToBase64String(await SHA512.HashDataAsync(stream));
    }

    /// <summary>Null when it was fetched; else what npm said.</summary>
    static async Task<string?> PackAsync(string package, string folder)
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
            return process.ExitCode == 0 ? null : (await errors).Trim();
        }
        catch (System.ComponentModel.Win32Exception)
        {
            return "npm is not installed";
        }
    }
}
