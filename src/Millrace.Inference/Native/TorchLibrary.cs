using System.Diagnostics;
using System.Reflection;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;
using System.Text.RegularExpressions;
using Millrace.Nn;

namespace Millrace.Inference.Native;

/// <summary>
/// The libtorch of this machine. Its interface is C++'s and differs from version to version, so what lies between is
/// compiled here, once for a version.
/// </summary>
/// <param name="root">Where the system lies.</param>
sealed partial class TorchLibrary(string root = "/")
{
    const string WayOut = "apt-get install libtorch-dev g++";
    static readonly TimeSpan CompileTime = TimeSpan.FromMinutes(10);

    /// <summary>Its version; null where it is not there.</summary>
    public string? Version => field ??= ReadVersion();

    /// <summary>Null when it can work; else one sentence why not, and the way out.</summary>
    public string? WhyAbsent
    {
        get
        {
            if (NativeLibraries.Root is null) return NativeLibraries.WhyNoRoot;
            if (!OperatingSystem.IsLinux()) return "PyTorch models run on Linux only: libtorch is taken from the system's packages";
            if (Version is null) return $"libtorch is not there (looked for {Header}): {WayOut}";
            return File.Exists(Shim) || File.Exists(Compiler)
                ? null : $"libtorch {Version} is there, and no compiler for what lies between (looked for {Compiler}): {WayOut}";
        }
    }

    string Header => Path.Combine(Include, "torch/version.h");

    string Include => Path.Combine(root, "usr/include/torch/csrc/api/include");

    string Compiler => Path.Combine(root, "usr/bin/g++");

    string Shim => Path.Combine(
        NativeLibraries.Root ?? throw new NnException(NnErrno.RuntimeError, NativeLibraries.WhyNoRoot), $"torch-{Key()}", "shim.so");

    /// <summary>The library between, compiled first where that was not done yet: some seconds, once.</summary>
    /// <exception cref="NnException">It does not compile.</exception>
    public string Make()
    {
        if (!File.Exists(Shim)) Compile(Shim);
        return Shim;
    }

    void Compile(string to)
    {
        var folder = Path.GetDirectoryName(to)!;
        var scratch = $"{folder}.{Guid.NewGuid():N}";
        Directory.CreateDirectory(scratch);
        try
        {
            File.WriteAllText(Path.Combine(scratch, "shim.cpp"), Source());
            var start = new ProcessStartInfo(Compiler) { WorkingDirectory = scratch, RedirectStandardError = true };
            string[] arguments =
            [
                "-O1", "-std=c++17", "-shared", "-fPIC", "-fvisibility=hidden", "-w", $"-I{Include}", "shim.cpp", "-o", "shim.so",
                "-ltorch", "-ltorch_cpu", "-lc10",
            ];
            foreach (var argument in arguments) start.ArgumentList.Add(argument);
            Run(start);
            // A rename is atomic: of two processes that compile at once, one whole folder stays.
            if (!File.Exists(to)) Directory.Move(scratch, folder);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            if (File.Exists(to)) return;
            throw new NnException(NnErrno.RuntimeError, $"what lies between here and libtorch cannot be kept: {e.Message}");
        }
        finally
        {
            if (Directory.Exists(scratch)) Directory.Delete(scratch, recursive: true);
        }
    }

    void Run(ProcessStartInfo start)
    {
        using var compiler = Process.Start(start)!;
        var said = compiler.StandardError.ReadToEndAsync();
        if (!compiler.WaitForExit(CompileTime)) compiler.Kill(entireProcessTree: true);
        compiler.WaitForExit();
        if (compiler.ExitCode == 0) return;
        var fault = said.Result.Split('\n').FirstOrDefault(line => line.Contains("error", StringComparison.Ordinal));
        var why = fault?.Trim() ?? $"exit code {compiler.ExitCode}";
        throw new NnException(NnErrno.RuntimeError, $"what lies between here and libtorch {Version} does not compile: {why}");
    }

    string? ReadVersion()
    {
        if (!File.Exists(Header)) return null;
        var parts = VersionPart().Matches(File.ReadAllText(Header)).Select(match => match.Groups[1].Value);
        return string.Join('.', parts);
    }

    [GeneratedRegex(@"#define TORCH_VERSION_(?:MAJOR|MINOR|PATCH) (\d+)")]
    private static partial Regex VersionPart();

    // Another source or another libtorch is another library.
    string Key() => Convert.ToHexStringLower(SHA256.HashData(
        Encoding.UTF8.GetBytes($"{Source()}\n{Version}\n{RuntimeInformation.ProcessArchitecture}")))[..16];

    static string Source()
    {
        using var stream = Assembly.GetExecutingAssembly().GetManifestResourceStream("torch.shim")!;
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd();
    }
}
