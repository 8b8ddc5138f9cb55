using System.CommandLine;
using Millrace.Wasm;

namespace Millrace.Cli;

/// <summary><c>millrace compile</c>: modules to machine code, which <c>run</c> then loads.</summary>
static class CompileCommand
{
    public static Command Create(Screen screen, CliEnvironment environment)
    {
        var modules = new Argument<FileInfo[]>("modules")
        {
            Description = "The modules: .wasm, or .wat text.",
            Arity = ArgumentArity.OneOrMore,
        };
        var metered = new Option<bool>("--fuel") { Description = "For runs with --fuel: with instructions counted." };
        var guarded = new Option<bool>("--guard-pages") { Description = "For runs with --guard-pages." };
        var folder = CacheOption(environment);
        var command = new Command("compile", """
            Compiles modules to machine code ahead of time, into the cache that `millrace run` loads them from.

            millrace compile app.wasm
            """) { modules, metered, guarded, folder };
        command.SetAction((result, cancel) => RunAsync(
            screen, result.GetRequiredValue(modules), result.GetRequiredValue(folder),
            new()
            {
                IsMetered = result.GetValue(metered),
                MemoryChecks = result.GetValue(guarded) ? MemoryChecks.Guarded : MemoryChecks.Explicit,
            },
            cancel));
        return command;
    }

    /// <summary>The folder of compiled modules.</summary>
    public static Option<string> CacheOption(CliEnvironment environment) => new("--cache")
    {
        Description = "The folder of compiled modules.",
        HelpName = "DIR",
        DefaultValueFactory = _ => environment.CodeFolder,
    };

    static async Task<int> RunAsync(
        Screen screen, FileInfo[] files, string folder, EngineOptions options, CancellationToken cancel)
    {
        if (CodeCache.Unavailable is { } reason) throw new CommandException($"{reason}; `millrace run` uses the JIT");
        var cache = new CodeCache(folder);
        foreach (var file in files) await CompileAsync(screen, cache, file, options, cancel);
        return 0;
    }

    static async Task CompileAsync(
        Screen screen, CodeCache cache, FileInfo file, EngineOptions options, CancellationToken cancel)
    {
        try
        {
            var module = ModuleFile.Read(file);
            var report = await screen.ProgressAsync(
                $"compiling {file.Name}, {Words.Size(module.Length)}",
                _ => Task.Run(() => cache.Compile(options, module, cancel), cancel));
            screen.Result(Line(file.Name, module.Length, report));
        }
        catch (Exception e) when (e is WasmException or IOException or UnauthorizedAccessException
            or PlatformNotSupportedException)
        {
            throw new CommandException($"{file.Name}: {e.Message}");
        }
    }

    static string Line(string name, int bytes, AheadReport report)
    {
        if (report.Path.Length == 0) return $"{name}: no code";
        var left = report.Remaining == 0 ? "" : $"; {Words.Count(report.Remaining, "function")} left to the JIT";
        var how = report.WasThere ? "there already" : $"compiled in {Words.Took(report.Time)}";
        return $"{name}: {Words.Size(bytes)} to {Words.Size(report.Bytes)}, {how}{left}";
    }
}
