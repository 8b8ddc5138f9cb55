using System.ComponentModel;
using System.Diagnostics;
using System.Globalization;
using Millrace.Fuzz;

namespace Millrace.Bench.Kernels;

/// <summary>Runs the kernels in another process, which answers a line with a line.</summary>
sealed class KernelProcess : KernelEngine
{
    readonly Process _process;

    KernelProcess(string name, string program, params string[] arguments) : base(name) =>
        _process = Process.Start(new ProcessStartInfo(program, arguments)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
        })!;

    /// <summary>V8 in the Node that npm brings; null and the reason where it cannot be had.</summary>
    public static async Task<(KernelProcess? Engine, string Reason)> PinnedNodeAsync()
    {
        var (program, reason) = await OtherEngine.FetchAsync();
        return program is null ? (null, reason) : (Node(OtherEngine.Name, program), "");
    }

    /// <summary>V8 in the Node that is installed.</summary>
    public static async Task<(KernelProcess? Engine, string Reason)> InstalledNodeAsync() =>
        await OutputAsync("node", "--version") is { } version
            ? (Node($"Node {version.TrimStart('v')}", "node"), "")
            : (null, "no node is installed");

    /// <summary>The source as the C compiler builds it for this machine's baseline.</summary>
    public static async Task<(KernelProcess? Engine, string Reason)> NativeAsync(string folder)
    {
        var program = Path.Combine(folder, "kernels");
        return await OutputAsync(
            "gcc", "-O2", "-std=gnu11", "-ffp-contract=off", "-fno-math-errno", "-DNATIVE", Shipped("kernels.c"),
            "-o", program, "-lm") is null
            ? (null, "no gcc is installed")
            : (new($"gcc {await OutputAsync("gcc", "-dumpversion")} -O2", program), "");
    }

    /// <summary>A file of bench/kernels.</summary>
    public static string Shipped(string name) => Path.Combine(AppContext.BaseDirectory, name);

    public override async Task<KernelSample> RunAsync(string kernel, int rounds)
    {
        var words = (await AskAsync($"{kernel} {rounds}")).Split(' ');
        return new(
            TimeSpan.FromMicroseconds(long.Parse(words[0], CultureInfo.InvariantCulture) / 1000.0),
            ulong.Parse(words[1], CultureInfo.InvariantCulture));
    }

    public async Task<string> AskAsync(string line)
    {
        await _process.StandardInput.WriteLineAsync(line);
        await _process.StandardInput.FlushAsync();
        return await _process.StandardOutput.ReadLineAsync()
            ?? throw new InvalidOperationException($"{Name} ended; its last words stand above");
    }

    public override void Dispose()
    {
        _process.StandardInput.Close();
        _process.WaitForExit(1000);
        _process.Dispose();
    }

    static KernelProcess Node(string name, string program) =>
        new(name, program, Shipped("kernels.mjs"), Shipped("kernels.wasm"));

    /// <summary>What a program printed; null where there is no such program.</summary>
    public static async Task<string?> OutputAsync(string program, params string[] arguments)
    {
        try
        {
            using var process = Process.Start(
                new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true })!;
            var text = await process.StandardOutput.ReadToEndAsync();
            await process.WaitForExitAsync();
            return process.ExitCode == 0 ? text.Trim()
                : throw new InvalidOperationException($"{program} failed; its last words stand above");
        }
        catch (Win32Exception)
        {
            return null;
        }
    }
}
