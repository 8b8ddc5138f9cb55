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

    /// <summary>ONNX Runtime's library for this machine; null where the build could not fetch it.</summary>
    public static string? OnnxRuntime()
    {
        var name = OperatingSystem.IsWindows() ? "onnxruntime.dll"
            : OperatingSystem.IsMacOS() ? "libonnxruntime.dylib" : "libonnxruntime.so";
        var path = Path.Combine(Cache, "node_modules", OnnxPackage, name);
        return File.Exists(path) ? path : null;
    }

    /// <summary>Why there is no ONNX Runtime, and the way out; one sentence.</summary>
    public static string WhyOnnxRuntimeIsAbsent =>
        $"ONNX Runtime is not there (looked for {OnnxPackage} in {Cache}): install npm and build again";

    // The lock file names versions and hashes, so its own hash names the cache: natives.targets computes the same.
    static string Cache => Path.Combine(
        Environment.GetFolderPath(Environment.SpecialFolder.LocalApplicationData), "millrace", "natives", LockHash()[..16]);

    static string Arch => RuntimeInformation.ProcessArchitecture == Architecture.Arm64 ? "arm64" : "x64";

    static string Package
    {
        get
        {
            if (OperatingSystem.IsMacOS()) return Arch == "arm64" ? "mac-arm64-metal" : "mac-x64";
            return OperatingSystem.IsWindows() ? "win-x64" : $"linux-{Arch}";
        }
    }

    static string OnnxPackage
    {
        get
        {
            if (OperatingSystem.IsWindows()) return "sherpa-onnx-win-x64";
            return $"sherpa-onnx-{(OperatingSystem.IsMacOS() ? "darwin" : "linux")}-{Arch}";
        }
    }

    static string LockHash()
    {
        using var stream = Assembly.GetExecutingAssembly().GetManifestResourceStream("natives.lock")!;
        return Convert.ToHexStringLower(SHA256.HashData(stream));
    }
}
