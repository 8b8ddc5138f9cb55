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
        var command = new Command(
            "wast", "Runs scripts of the WebAssembly test suite. A folder's proposals/ and legacy/ run only when named.") { path, json };
        command.SetAction((result, cancel) =>
            Task.FromResult(Run(screen, result.GetRequiredValue(path), result.GetValue(json), cancel)));
        return command;
    }

    static int Run(Screen screen, string path, bool isJson, CancellationToken cancel)
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

        using var engine = new Engine(new() { Features = WasmFeatures.All });
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
}
