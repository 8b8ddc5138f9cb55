using System.Collections.Immutable;
using System.ComponentModel;
using System.Diagnostics;
using System.Runtime.InteropServices;
using Millrace.Inference.Native;

namespace Millrace.Inference;

/// <summary>
/// A build of llama.cpp. Every machine has the one for its CPU; those for GPUs are large, are fetched when asked for, and
/// are chosen where their hardware is found.
/// </summary>
/// <param name="Name"><c>cpu</c>, <c>metal</c>, <c>vulkan</c>, <c>cuda</c>, or a folder of one's own.</param>
/// <param name="Folder">Where its libraries lie; null where they are not.</param>
/// <param name="Why">Why it is this one, in one sentence.</param>
public sealed record LlamaBuild(string Name, string? Folder, string Why)
{
    /// <summary>The environment's variable that names the build to use.</summary>
    public const string Variable = "MILLRACE_LLAMA_BUILD";

    internal const string Cpu = "cpu";

    const string Metal = "metal";

    static readonly TimeSpan FetchTimeout = TimeSpan.FromMinutes(30);

    internal static IReadOnlyDictionary<string, string> NoFailures { get; } = ImmutableDictionary<string, string>.Empty;

    /// <summary>The builds for GPUs that can be fetched, the better first.</summary>
    public static ImmutableArray<string> Fetchable => ["cuda", "vulkan"];

    /// <summary>Whether it is another one than that for the CPU, which is what is left when it fails.</summary>
    public bool IsGpu => Name != Cpu;

    /// <summary>Whether it is of use without a GPU: a folder of one's own may hold any build.</summary>
    internal bool NeedsGpu => IsGpu && !Path.IsPathFullyQualified(Name);

    /// <summary>The build to use: what the environment names, else the best that the hardware suits and that was fetched.</summary>
    public static LlamaBuild Choose() => Choose(null, NoFailures);

    /// <param name="wanted">A name or a folder, in place of the environment's.</param>
    /// <param name="failures">Builds that are passed over, each with what happened, in one sentence.</param>
    internal static LlamaBuild Choose(string? wanted, IReadOnlyDictionary<string, string> failures)
    {
        wanted ??= Environment.GetEnvironmentVariable(Variable);
        if (string.IsNullOrEmpty(wanted)) return OfHardware(GpuHardware.OfThisMachine, FolderOf, failures);
        return failures.TryGetValue(wanted, out var failure) ? OfCpu(failure) : Named(wanted);
    }

    /// <summary>
    /// The best build for the hardware that is found, fetched or not; null where there is no GPU for any, or the environment
    /// names the build to use.
    /// </summary>
    public static string? Suited() => string.IsNullOrEmpty(Environment.GetEnvironmentVariable(Variable))
        ? Fetchable.FirstOrDefault(name => GpuHardware.OfThisMachine.Find(name) is not null) : null;

    internal static LlamaBuild OfHardware(
        GpuHardware hardware, Func<string, string?> folderOf, IReadOnlyDictionary<string, string> failures)
    {
        if (NativeLibraries.IsMetal && !failures.ContainsKey(Metal)) return OfMetal();
        string? advice = null;
        foreach (var name in Fetchable)
        {
            if (failures.ContainsKey(name) || hardware.Find(name) is not { } device) continue;
            if (folderOf(name) is { } folder) return new(name, folder, string.Join("; ", [$"{device} is there", .. failures.Values]));
            advice ??= $"{device} is there, and the build for it is not: `millrace models engine {name}` fetches it";
        }

        string[] why = [.. failures.Values, .. advice is null ? [] : (string[])[advice]];
        return OfCpu(why.Length > 0 ? string.Join("; ", why) : "no GPU was found");
    }

    static LlamaBuild Named(string wanted)
    {
        if (wanted == Cpu) return OfCpu($"{Variable} says so");
        if (wanted == Metal && NativeLibraries.IsMetal) return OfMetal();
        if (Path.IsPathFullyQualified(wanted)) return new(wanted, wanted, $"{Variable} names it");
        if (!Fetchable.Contains(wanted)) return OfCpu($"{Variable} is {wanted}; cpu, vulkan, cuda and full paths are known");
        return FolderOf(wanted) is { } folder ? new(wanted, folder, $"{Variable} says so")
            : OfCpu($"{Variable} is {wanted}, and that build is not there: `millrace models engine {wanted}` fetches it");
    }

    static LlamaBuild OfMetal() => new(Metal, NativeLibraries.LlamaFolder(), "Apple's processors have a GPU");

    static LlamaBuild OfCpu(string why) => new(Cpu, NativeLibraries.LlamaFolder(), why);

    /// <summary>Where a fetched build for GPUs lies; null where it was not fetched.</summary>
    public static string? FolderOf(string name) =>
        NativeLibraries.LlamaFolder(NativeLibraries.CacheOf($"{name}.lock"), $"{Platform}-x64-{name}");

    /// <summary>Fetches a build with npm, which checks it against the pinned hashes. Nothing to do where it is there.</summary>
    /// <param name="name">One of <see cref="Fetchable"/>.</param>
    /// <param name="cancel">Breaks it off.</param>
    /// <exception cref="InferenceException">It did not come; the message says why, and the way out.</exception>
    public static async Task FetchAsync(string name, CancellationToken cancel)
    {
        if (!Fetchable.Contains(name)) throw Unfetched($"there is no build {name}; {string.Join(" and ", Fetchable)} can be fetched");
        if (RuntimeInformation.ProcessArchitecture != Architecture.X64 || OperatingSystem.IsMacOS())
            throw Unfetched($"there is no {name} build for this system; Linux and Windows on x64 have one");
        if (FolderOf(name) is not null) return;
        var target = NativeLibraries.CacheOf($"{name}.lock") ?? throw Unfetched(NativeLibraries.WhyNoRoot);
        var scratch = Path.Combine(Path.GetDirectoryName(target)!, $".fetch-{Guid.NewGuid():N}");
        Directory.CreateDirectory(scratch);
        try
        {
            File.WriteAllBytes(Path.Combine(scratch, "package.json"), NativeLibraries.Pinned($"{name}.json"));
            File.WriteAllBytes(Path.Combine(scratch, "package-lock.json"), NativeLibraries.Pinned($"{name}.lock"));
            await NpmAsync(scratch, cancel);
            // A rename is atomic: of two that fetch at once, one whole folder stays.
            if (!Directory.Exists(target)) Directory.Move(scratch, target);
        }
        catch (IOException) when (Directory.Exists(target))
        {
            // Another one was first.
        }
        finally
        {
            if (Directory.Exists(scratch)) Directory.Delete(scratch, recursive: true);
        }

        if (FolderOf(name) is null) throw Unfetched($"npm brought no {name} build into {target}; delete that folder and try again");
    }

    static string Platform => OperatingSystem.IsWindows() ? "win" : "linux";

    static async Task NpmAsync(string folder, CancellationToken cancel)
    {
        var start = new ProcessStartInfo(OperatingSystem.IsWindows() ? "npm.cmd" : "npm")
        {
            WorkingDirectory = folder,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach (var argument in (string[])["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"])
            start.ArgumentList.Add(argument);
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        patience.CancelAfter(FetchTimeout);
        try
        {
            using var npm = Process.Start(start)!;
            using var killing = patience.Token.Register(() => npm.Kill(entireProcessTree: true));
            var said = npm.StandardError.ReadToEndAsync(CancellationToken.None);
            await npm.StandardOutput.ReadToEndAsync(CancellationToken.None);
            await npm.WaitForExitAsync(CancellationToken.None);
            cancel.ThrowIfCancellationRequested();
            if (npm.ExitCode != 0) throw Unfetched($"npm ended with {npm.ExitCode}: {(await said).Trim()}");
        }
        catch (Win32Exception e)
        {
            throw Unfetched($"npm cannot be started ({e.Message}): install it and try again");
        }
    }

    static InferenceException Unfetched(string why) => new("model-unavailable", why);
}
