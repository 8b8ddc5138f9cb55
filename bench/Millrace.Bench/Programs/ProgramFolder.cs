using System.Diagnostics;
using System.Security.Cryptography;
using Millrace.Bench.Kernels;

namespace Millrace.Bench.Programs;

/// <summary>Lua, QuickJS, SQLite and CPython, built when they are first needed of Debian's source packages, and kept.</summary>
static class ProgramFolder
{
    static readonly string Sources = KernelProcess.Shipped("programs");

    /// <summary>The folder, where the build went well; else null and what it said.</summary>
    public static async Task<(string? Folder, string Reason)> BuildAsync(CancellationToken cancel)
    {
        if (!File.Exists("/etc/debian_version")) return (null, "the programs come of Debian's sources, and this is no Debian");
        var folder = Path.Combine(
            Environment.GetFolderPath(Environment.SpecialFolder.LocalApplicationData), "millrace", "bench-programs", Key());
        var build = Path.Combine(Sources, "build");
        // Its words are progress, and go where progress goes; an error of the compiler stands there too.
        using var process = Process.Start(new ProcessStartInfo("bash", ["-c", "exec bash \"$0\" \"$1\" >&2", build, folder]))!;
        await process.WaitForExitAsync(cancel);
        return process.ExitCode == 0 ? (folder, "") : (null, "the programs could not be built; the reason stands above");
    }

    /// <summary>Scripts of each program.</summary>
    public static Work[] Works(string folder) =>
    [
        .. from program in (string[])["lua", "js", "sql", "py"]
           from script in Directory.GetFiles(Path.Combine(Sources, program)).Order(StringComparer.Ordinal)
           select new Work(folder, program, script),
    ];

    /// <summary>What they were built of.</summary>
    public static string Versions(string folder) => string.Join(", ", File.ReadAllLines(Path.Combine(folder, "versions")));

    // Another recipe or runner is another folder.
    static string Key()
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (var file in Directory.GetFiles(Sources).Order(StringComparer.Ordinal)) hash.AppendData(File.ReadAllBytes(file));
        return Convert.ToHexStringLower(hash.GetHashAndReset().AsSpan(0, 6));
    }
}
