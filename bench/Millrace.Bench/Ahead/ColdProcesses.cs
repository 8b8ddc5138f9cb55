using System.Diagnostics;
using System.Runtime.InteropServices;
using Millrace.Cli;

namespace Millrace.Bench.Ahead;

/// <summary>
/// Processes of their own, from start to end: one that does nothing, and one that goes to a module's first call of the
/// host, with the cache and without.
/// </summary>
static class ColdProcesses
{
    const int Rounds = 25;

    public static async Task<Figure[]> MeasureAsync(BenchPlan plan, string folder)
    {
        plan.Screen.Note("  publishing bench/Millrace.Cold");
        var program = await PublishAsync(folder, plan.Cancel);
        if (program is null) return [new("cold process", "not measured: `dotnet publish bench/Millrace.Cold` failed")];
        var path = Path.Combine(Shipped.Guest("code_review"), "code_review.wasm");
        var (filled, none) = (Path.Combine(folder, "cold"), Path.Combine(folder, "none"));
        var bytes = new FileInfo(path).Length;
        Run(program, "--fill", path, filled);
        var (empty, cached, jit) = (new Twice(), new Twice(), new Twice());
        for (var round = 0; round < Rounds; round++)
        {
            plan.Cancel.ThrowIfCancellationRequested();
            empty.Add(Run(program));
            cached.Add(Run(program, path, filled));
            jit.Add(Run(program, path, none));
        }
        return
        [
            new("empty .NET process: wall, CPU, p50", empty.ToString()),
            new($"process to the first call of the host by `code_review.wasm` ({bytes:#,0} bytes), with the cache",
                cached.ToString()),
            new("more than the empty process", Twice.Difference(cached, empty), "≤ 20 ms"),
            new("the same without the cache", jit.ToString()),
        ];
    }

    static async Task<string?> PublishAsync(string folder, CancellationToken cancel)
    {
        var project = ProjectFolder();
        if (project is null) return null;
        var output = Path.Combine(folder, "published");
        using var publish = Process.Start(new ProcessStartInfo("dotnet",
        [
            "publish", project, "-c", "Release", "-r", RuntimeInformation.RuntimeIdentifier, "--self-contained", "false",
            "-p:PublishReadyToRun=true", "-o", output, "-v", "q", "-nologo",
        ]))!;
        await publish.WaitForExitAsync(cancel);
        return publish.ExitCode == 0 ? Path.Combine(output, "Millrace.Cold") : null;
    }

    static string? ProjectFolder()
    {
        for (var at = new DirectoryInfo(AppContext.BaseDirectory); at is not null; at = at.Parent)
        {
            var project = Path.Combine(at.FullName, "bench", "Millrace.Cold");
            if (Directory.Exists(project)) return project;
        }
        return null;
    }

    static (TimeSpan Wall, TimeSpan Cpu) Run(string program, params string[] arguments)
    {
        var began = Stopwatch.GetTimestamp();
        using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true })!;
        var ticks = new byte[sizeof(long)];
        process.StandardOutput.BaseStream.ReadAtLeast(ticks, ticks.Length, throwOnEndOfStream: false);
        process.WaitForExit();
        return process.ExitCode == 0
            ? (Stopwatch.GetElapsedTime(began), TimeSpan.FromTicks(BitConverter.ToInt64(ticks)))
            : throw new InvalidOperationException($"{string.Join(' ', arguments)} ended with {process.ExitCode}");
    }

    /// <summary>Samples on the wall's clock, and of CPU time, which other processes spoil less.</summary>
    sealed class Twice
    {
        readonly Samples _wall = new();
        readonly Samples _cpu = new();

        public void Add((TimeSpan Wall, TimeSpan Cpu) sample)
        {
            _wall.Add(sample.Wall);
            _cpu.Add(sample.Cpu);
        }

        public static string Difference(Twice more, Twice less) =>
            $"{Samples.Number(more._wall.P50Ms - less._wall.P50Ms, "ms")}, {Samples.Number(more._cpu.P50Ms - less._cpu.P50Ms, "ms")}";

        public override string ToString() => $"{_wall.Ms(0.5)}, {_cpu.Ms(0.5)}";
    }
}
