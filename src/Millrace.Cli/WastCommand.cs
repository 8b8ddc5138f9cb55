using System.CommandLine;
using Millrace.Wasm;

namespace Millrace.Cli;

/// <summary><c>millrace wast</c>: scripts of the WebAssembly test suite.</summary>
static class WastCommand
{
    public static Command Create(Screen screen)
    {
        var path = new Argument<string>("path") { Description = "A .wast file, or a folder of them." };
        var json = new Option<bool>("--json")
        {
            Description = "End with one line {executed, passed, failed, excluded}.",
        };
        var guarded = new Option<bool>("--guard-pages") { Description = "Guard memories by pages, not compares." };
        var command = new Command(
            "wast", "Runs scripts of the WebAssembly test suite. A folder's proposals/ and legacy/ run only when named.")
        {
            path, json, guarded,
        };
        command.SetAction((result, cancel) =>
        {
            var checks = result.GetValue(guarded) ? MemoryChecks.Guarded : MemoryChecks.Explicit;
            return Task.FromResult(
                Run(screen, result.GetRequiredValue(path), checks, result.GetValue(json), cancel));
        });
        return command;
    }

    static int Run(Screen screen, string path, MemoryChecks checks, bool isJson, CancellationToken cancel)
    {
        IReadOnlyList<string> files;
        try
        {
            files = WastScript.FilesIn(path);
        }
        catch (FileNotFoundException e)
        {
            throw new CommandException(e.Message);
        }

        using var engine = EngineWith(checks);
        var totals = new WastTotals();
        foreach (var file in files)
        {
            var report = WastScript.Run(engine, file, cancel);
            totals.Add(report);
            screen.Result(WastTotals.Line(report));
            foreach (var finding in report.Findings.Take(20)) screen.Result($"  {finding}");
        }

        screen.Result(totals.Line());
        if (isJson) screen.Result(totals.ToJson());
        return totals.IsGood ? 0 : 1;
    }

    static Engine EngineWith(MemoryChecks checks)
    {
        try
        {
            return new Engine(new() { Features = WasmFeatures.All, MemoryChecks = checks });
        }
        catch (PlatformNotSupportedException e)
        {
            throw new CommandException(e.Message);
        }
    }
}
