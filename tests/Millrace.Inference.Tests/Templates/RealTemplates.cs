using System.Diagnostics;
using System.Security.Cryptography;
using Millrace.Cli.Tests.Realism;

namespace Millrace.Inference.Tests.Templates;

/// <summary>Templates of published models, from the source bundle that a pinned npm package carries; never committed.</summary>
static class RealTemplates
{
    const string Package = "node-llama-cpp";
    const string Version = "3.22.1";
    const string Integrity = "sha512-bltIipuWmc123H7tMIgDGKSsSrhmhlQYeVUC48XTjVW7XGJJiJJyCdlTMzQ/LiWoPkGDpcL4FviDpgw7qfTiDw==";
    const string Folder = "models/templates";

    static readonly Lazy<Task<(string? Folder, string Reason)>> Checkout = new(CheckOutAsync);

    /// <summary>A template's text, checked against the hash of its bytes.</summary>
    public static async Task<string> ReadAsync(string path, string sha256)
    {
        var (folder, reason) = await Checkout.Value;
        Skip.If(folder is null, reason);
        var bytes = await File.ReadAllBytesAsync(Path.Combine(folder!, path));
        Assert.Equal(sha256, Convert.ToHexStringLower(SHA256.HashData(bytes)));
        return System.Text.Encoding.UTF8.GetString(bytes);
    }

    static async Task<(string? Folder, string Reason)> CheckOutAsync()
    {
        var (package, reason) = await NpmArchive.FetchAsync(Package, Version, Integrity);
        if (package is null) return (null, reason);
        var folder = Path.Combine(Path.GetDirectoryName(package)!, "templates");
        if (Directory.Exists(folder)) return (folder, "");
        var scratch = $"{folder}.{Guid.NewGuid():N}";
        var bundle = Path.Combine(package, "llama", "gitRelease.bundle");
        await GitAsync("clone", "--quiet", "--no-checkout", bundle, scratch);
        await GitAsync("-C", scratch, "checkout", "--quiet", "HEAD", "--", Folder);
        // Whoever is second keeps what the first one made.
        if (!Directory.Exists(folder)) Directory.Move(scratch, folder);
        else Directory.Delete(scratch, recursive: true);
        return (folder, "");
    }

    static async Task GitAsync(params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo("git", arguments) { RedirectStandardError = true })!;
        var errors = await process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync();
        Assert.True(process.ExitCode == 0, $"git {arguments[0]}: {errors}");
    }
}
