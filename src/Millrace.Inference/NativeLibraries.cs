using System.Reflection;
using System.Runtime.InteropServices;
using System.Security.Cryptography;

namespace Millrace.Inference;

/// <summary>Where the build put the native engines.</summary>
public static class NativeLibraries
{
    /// <summary>The folder of llama.cpp's libraries for this machine; null where the build could not fetch them.</summary>
    public static string? LlamaFolder()
    {
        var folder = Path.Combine(Cache, "node_modules", "@node-llama-cpp", Package, "bins");
        return Directory.Exists(folder) ? Directory.EnumerateDirectories(folder).Order(StringComparer.Ordinal).FirstOrDefault() : null;
    }

    /// <summary>Why there are no libraries, and the way out; one sentence.</summary>
    public static string WhyAbsent =>
        $"llama.cpp is not there (looked for {Package} in {Cache}): install npm and build again";

    // The lock file names versions and hashes, so its own hash names the cache: natives.targets computes the same.
    static string Cache => Path.Combine(
        Environment.GetFolderPath(Environment.SpecialFolder.LocalApplicationData), "millrace", "natives", LockHash()[..16]);

    static string Package
    {
        get
        {
            var arch = RuntimeInformation.ProcessArchitecture == Architecture.Arm64 ? "arm64" : "x64";
            if (OperatingSystem.IsMacOS()) return arch == "arm64" ? "mac-arm64-metal" : "mac-x64";
            return OperatingSystem.IsWindows() ? "win-x64" : $"linux-{arch}";
        }
    }

    static string LockHash()
    {
        using var stream = Assembly.GetExecutingAssembly().GetManifestResourceStream("natives.lock")!;
        return Convert.ToHexStringLower(SHA256.HashData(stream));
    }
}
