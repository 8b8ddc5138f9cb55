using System.ComponentModel;
using System.Diagnostics;

namespace Millrace.Guests.Tests;

/// <summary>The guests' sources: they build to the committed modules, and their own tests pass. Rust is not required.</summary>
public class ToolchainTests
{
    [SkippableFact]
    public async Task The_committed_modules_are_what_the_sources_build_to()
    {
        var hasRustup = await RunAsync("rustup", "target", "list", "--installed") is (0, var targets)
            && targets.Split('\n').Contains("wasm32-wasip1");
        var hasDebian = File.Exists("/usr/bin/cargo") && Directory.Exists("/usr/lib/rustlib/src/rust/library")
            && File.Exists("/usr/lib/wasm32-wasi/libc.a");
        Skip.If(!hasRustup && !hasDebian, "no Rust for wasm32-wasip1 here (guests/build says how to get it)");

        var (code, output) = await RunAsync(Path.Combine(Folders.Guests, "build"), "--check");

        Assert.True(code == 0, output);
    }

    [SkippableFact]
    public async Task The_tests_of_the_Rust_sources_pass()
    {
        Skip.If(await RunAsync("cargo", "--version") is not (0, _), "no cargo here");

        var (code, output) = await RunAsync("cargo", "test", "--offline", "--quiet", "--workspace", "--target-dir",
            Path.Combine(Path.GetTempPath(), "millrace-guests-" + Environment.UserName));

        Assert.True(code == 0, output);
    }

    static async Task<(int Code, string Output)> RunAsync(string program, params string[] arguments)
    {
        var start = new ProcessStartInfo(program, arguments)
        {
            WorkingDirectory = Folders.Guests,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        try
        {
            using var process = Process.Start(start)!;
            var errors = process.StandardError.ReadToEndAsync();
            var output = await process.StandardOutput.ReadToEndAsync();
            await process.WaitForExitAsync();
            return (process.ExitCode, output + await errors);
        }
        catch (Win32Exception)
        {
            return (127, $"{program} is not installed");
        }
    }
}
