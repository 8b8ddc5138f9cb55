using System.Runtime.InteropServices;
using System.Text;

namespace Millrace.Inference.Native;

/// <summary>
/// Which GPUs a machine seems to have, told by files alone: a driver is loaded in the worker, never here.
/// </summary>
/// <param name="root">Where the system lies.</param>
/// <param name="searchPath">Where the loader looks before the system's own folders.</param>
sealed class GpuHardware(string root, string searchPath = "")
{
    // Where Linux's loader looks for what its cache does not name.
    static readonly string[] SystemFolders =
        ["usr/lib/x86_64-linux-gnu", "lib/x86_64-linux-gnu", "usr/lib64", "lib64", "usr/lib", "lib"];

    // The major version that the pinned build for CUDA was made with.
    const string CudaLibrary = "libcublas.so.13";

    public static GpuHardware OfThisMachine { get; } = new("/", Environment.GetEnvironmentVariable("LD_LIBRARY_PATH") ?? "");

    /// <summary>What is there for a build, in words; null for nothing.</summary>
    public string? Find(string build)
    {
        if (RuntimeInformation.ProcessArchitecture != Architecture.X64) return null;
        return OperatingSystem.IsWindows() ? FindOnWindows(build) : OperatingSystem.IsLinux() ? FindOnLinux(build) : null;
    }

    static string? FindOnWindows(string build)
    {
        var (library, words) = build == "cuda" ? ("nvcuda.dll", "an NVIDIA GPU") : ("vulkan-1.dll", "a GPU with Vulkan");
        return File.Exists(Path.Combine(Environment.SystemDirectory, library)) ? words : null;
    }

    string? FindOnLinux(string build)
    {
        // A driver in a container shows NVIDIA's own device alone.
        var isNvidia = File.Exists(Path.Combine(root, "dev/nvidiactl")) || File.Exists(Path.Combine(root, "dev/dxg"));
        if (build == "cuda")
            return isNvidia && Has("libcuda.so.1") && Has(CudaLibrary) ? "an NVIDIA GPU with CUDA's libraries" : null;

        // A loader without a device has drivers in software only: those are slower than the CPU's own build.
        var devices = Path.Combine(root, "dev/dri");
        var hasDevice = isNvidia || Directory.Exists(devices) && Directory.EnumerateFiles(devices, "renderD*").Any();
        return hasDevice && Has("libvulkan.so.1") ? "a GPU with Vulkan" : null;
    }

    // As Linux's loader finds it.
    bool Has(string library)
    {
        var cache = Path.Combine(root, "etc/ld.so.cache");
        return searchPath.Split(':', StringSplitOptions.RemoveEmptyEntries).Concat(SystemFolders)
                .Any(folder => File.Exists(Path.Combine(root, folder, library)))
            || File.Exists(cache) && File.ReadAllBytes(cache).AsSpan().IndexOf(Encoding.ASCII.GetBytes($"{library}\0")) >= 0;
    }
}
