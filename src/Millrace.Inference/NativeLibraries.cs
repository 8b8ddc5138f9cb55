using System.Reflection;
using System.Runtime.InteropServices;
using System.Security.Cryptography;

namespace Millrace.Inference;

/// <summary>Where the build put the native engines.</summary>
public static class NativeLibraries
{
    /// <summary>The folder of llama.cpp's libraries for every machine of this kind; null where the build could not fetch them.</summary>
    public static string? LlamaFolder() => LlamaFolder(Cache, Package);

    /// <summary>Where a package of llama.cpp has its libraries, in one of the caches; null where it is not there.</summary>
    internal static string? LlamaFolder(string? cache, string package)
    {
        if (cache is null) return null;
        var folder = Path.Combine(cache, "node_modules", "@node-llama-cpp", package, "bins");
        return Directory.Exists(folder) ? Directory.EnumerateDirectories(folder).Order(StringComparer.Ordinal).FirstOrDefault() : null;
    }

    /// <summary>Why there are no libraries, and the way out; one sentence.</summary>
    public static string WhyAbsent => WhyMissing("llama.cpp", Package);

    /// <summary>ONNX Runtime's library for this machine; null where the build could not fetch it.</summary>
    public static string? OnnxRuntime()
    {
        var name = OperatingSystem.IsWindows() ? "onnxruntime.dll"
            : OperatingSystem.IsMacOS() ? "libonnxruntime.dylib" : "libonnxruntime.so";
        var path = Cache is { } cache ? Path.Combine(cache, "node_modules", OnnxPackage, name) : null;
        return File.Exists(path) ? path : null;
    }

    /// <summary>Why there is no ONNX Runtime, and the way out; one sentence.</summary>
    public static string WhyOnnxRuntimeIsAbsent => WhyMissing("ONNX Runtime", OnnxPackage);

    /// <summary>The folder of all caches; null where this user has no folder for data.</summary>
    internal static string? Root => RootIn(
        Environment.GetFolderPath(Environment.SpecialFolder.LocalApplicationData, Environment.SpecialFolderOption.DoNotVerify));

    /// <summary>Why there is no <see cref="Root"/>, and the way out; one sentence.</summary>
    internal const string WhyNoRoot =
        "there is no folder for this user's data, where native libraries lie: set HOME or XDG_DATA_HOME to a full path";

    // Code is never loaded from below the folder that one happens to stand in: anybody may have put it there.
    internal static string? RootIn(string userFolder) =>
        Path.IsPathFullyQualified(userFolder) ? Path.Combine(userFolder, "millrace", "natives") : null;

    // The lock file names versions and hashes, so its own hash names the cache: natives.targets computes the same.
    static string? Cache => CacheOf("natives.lock");

    static string WhyMissing(string engine, string package) => Cache is { } cache
        ? $"{engine} is not there (looked for {package} in {cache}): install npm and build again" : $"{engine} is not there: {WhyNoRoot}";

    /// <summary>Whether what every machine of this kind gets computes on its GPU as well.</summary>
    internal static bool IsMetal => Package.EndsWith("-metal", StringComparison.Ordinal);

    internal static string? CacheOf(string lockFile) => Root is { } root
        ? Path.Combine(root, Convert.ToHexStringLower(SHA256.HashData(Pinned(lockFile)))[..16]) : null;

    /// <summary>A file of <c>natives/</c>, as it was at the build.</summary>
    internal static byte[] Pinned(string name)
    {
        using var stream = Assembly.GetExecutingAssembly().GetManifestResourceStream(name)!;
        using var bytes = new MemoryStream();
        stream.CopyTo(bytes);
        return bytes.ToArray();
    }

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
}
