using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Millrace.Wasm;

namespace Millrace.Cli;

/// <summary><c>millrace inspect</c>: what a module asks for, offers and is made of; nothing of it runs.</summary>
static class InspectCommand
{
    public static Command Create(Screen screen)
    {
        var module = new Argument<FileInfo>("module") { Description = "The module: .wasm, or .wat text." };
        var json = DataFolder.JsonOption();
        var command = new Command("inspect", "Shows a module's imports, exports, features and sizes.") { module, json };
        command.SetAction(result => Run(screen, result.GetRequiredValue(module), result.GetValue(json)));
        return command;
    }

    static int Run(Screen screen, FileInfo file, bool isJson)
    {
        ModuleSummary summary;
        try
        {
            summary = ModuleSummary.Of(ModuleFile.Read(file));
        }
        catch (WasmException e)
        {
            throw new CommandException($"{file.Name}: {e.Message}");
        }

        if (isJson) screen.Result(ToJson(summary));
        else Show(screen, file.Name, summary);
        return 0;
    }

    static void Show(Screen screen, string name, ModuleSummary summary)
    {
        var features = Features(summary).ToArray();
        screen.Result($"{Words.Plain(summary.Name ?? name)}: {Words.Size(summary.Bytes)}, "
            + $"{Words.Count(summary.FunctionCount, "function")} in {Words.Size(summary.CodeBytes)} of code, "
            + $"{Words.Size(summary.DataBytes)} of data");
        screen.Result($"features: {(features.Length == 0 ? "none beyond 1.0" : string.Join(", ", features))}");
        ShowExterns(screen, "import", summary.Imports);
        ShowExterns(screen, "export", summary.Exports);
        screen.Result("");
        screen.Table(["SECTION", "BYTES"], summary.Sections.Select(section =>
            new[] { Words.Plain(section.Name), section.Bytes.ToString("N0", CultureInfo.InvariantCulture) }));
    }

    static void ShowExterns(Screen screen, string noun, IReadOnlyCollection<ExternSummary> externs)
    {
        screen.Result("");
        screen.Result($"{Words.Count(externs.Count, noun)}{(externs.Count == 0 ? "" : ":")}");
        foreach (var one in externs)
        {
            var name = one.Module is null ? one.Name : $"{one.Module}.{one.Name}";
            screen.Result($"  {Word(one.Kind)} {Words.Plain(name)}: {one.Type}");
        }
    }

    static JsonObject ToJson(ModuleSummary summary) => new()
    {
        ["name"] = summary.Name,
        ["bytes"] = summary.Bytes,
        ["features"] = new JsonArray([.. Features(summary).Select(feature => (JsonNode)feature)]),
        ["functions"] = summary.FunctionCount,
        ["code_bytes"] = summary.CodeBytes,
        ["data_bytes"] = summary.DataBytes,
        ["has_start"] = summary.HasStart,
        ["imports"] = new JsonArray([.. summary.Imports.Select(ToJson)]),
        ["exports"] = new JsonArray([.. summary.Exports.Select(ToJson)]),
        ["sections"] = new JsonArray([.. summary.Sections.Select(section =>
            new JsonObject { ["name"] = section.Name, ["bytes"] = section.Bytes })]),
    };

    static JsonObject ToJson(ExternSummary one)
    {
        var json = new JsonObject { ["name"] = one.Name, ["kind"] = Word(one.Kind), ["type"] = one.Type };
        if (one.Module is not null) json.Insert(0, "module", one.Module);
        return json;
    }

    static string Word(ExternKind kind) => JsonNamingPolicy.KebabCaseLower.ConvertName(kind.ToString());

    // Single bits only: the enumeration also names sets of them.
    static IEnumerable<string> Features(ModuleSummary summary) => Enum.GetValues<WasmFeatures>()
        .Where(feature => int.PopCount((int)feature) == 1 && summary.Features.HasFlag(feature))
        .Select(feature => JsonNamingPolicy.KebabCaseLower.ConvertName(feature.ToString()));
}
