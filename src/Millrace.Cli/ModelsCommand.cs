using System.Collections.Immutable;
using System.CommandLine;
using System.Globalization;
using Millrace.Flows;
using Millrace.Inference;
using Millrace.Server;

namespace Millrace.Cli;

/// <summary><c>millrace models</c>: which models there are, and whether they may write prose.</summary>
static class ModelsCommand
{
    const string NotChecked = "not checked yet: millrace models check";

    static readonly string[] Heads = ["MODEL", "WHERE", "SIZE", "CONTEXT", "CHECK"];

    sealed record Entry(string Name, string Where, long? Bytes, int? ContextTokens, bool? Passed, string Reason);

    public static Command Create(Screen screen, CliEnvironment environment) =>
        new("models", "Lists, fetches and checks models: .gguf files of this machine, and those that connections offer.")
        {
            CreateList(screen, environment),
            ModelFilesCommand.CreatePull(screen, environment),
            ModelFilesCommand.CreateShow(screen, environment),
            AddCommand.Create(screen, environment),
            CreateCheck(screen, environment),
            EngineCommand.Create(screen, environment),
            ModelFilesCommand.CreateRemove(screen, environment),
        };

    static Command CreateList(Screen screen, CliEnvironment environment)
    {
        var (data, json) = (DataFolder.Option(environment), DataFolder.JsonOption());
        var command = new Command("list", "Lists the models, and what the check found.") { data, json };
        command.SetAction(async (result, cancel) =>
        {
            await using var models = MachineModels.Open(environment);
            await using var client = await DataFolder.OpenAsync(environment, result.GetRequiredValue(data), cancel);
            ImmutableArray<Entry> all = [.. await LocalAsync(models, cancel), .. await RemoteAsync(client, cancel)];
            if (result.GetValue(json))
            {
                screen.Result(DataFolder.ToJson(all));
                return 0;
            }

            screen.Table(Heads, all.Select(Row));
            if (NativeLibraries.LlamaFolder() is null)
                screen.Note($"local models cannot be used: {NativeLibraries.WhyAbsent}");
            else
                screen.Note(Build(LlamaBuild.Choose()));
            screen.Note($"local models are .gguf and .lora files in {MachineModels.Folder(environment)} and in MILLRACE_MODELS");
            return 0;
        });
        return command;
    }

    static string Build(LlamaBuild build) => $"local models are computed by llama.cpp's {build.Name} build ({build.Why})"
        + (build.IsGpu ? "; `millrace doctor` tries it" : "");

    static async Task<IEnumerable<Entry>> LocalAsync(LocalModels models, CancellationToken cancel)
    {
        var verdicts = (await models.ListAsync(cancel)).ToDictionary(model => model.Name);
        return models.Files().Select(file => verdicts.GetValueOrDefault(file.Name) is { } verdict
            ? new Entry(file.Name, file.Path, file.Bytes, verdict.ContextTokens, verdict.Passed, verdict.Reason)
            : new Entry(file.Name, file.Path, file.Bytes, null, null, NotChecked));
    }

    static async Task<IEnumerable<Entry>> RemoteAsync(ControlClient client, CancellationToken cancel) =>
        (await client.ModelsAsync(cancel)).Where(model => model.Connection is not null).Select(model => new Entry(
            model.Name, $"connection {model.Connection}", null, model.ContextTokens, model.Verdict.Passed,
            model.Verdict.Reason));

    static string[] Row(Entry entry) =>
    [
        entry.Name,
        entry.Where,
        entry.Bytes is { } bytes ? Words.Size(bytes) : "",
        entry.ContextTokens is { } tokens ? tokens.ToString(CultureInfo.InvariantCulture) : "",
        entry.Passed == true ? "passed" : entry.Reason,
    ];

    static Command CreateCheck(Screen screen, CliEnvironment environment)
    {
        var name = new Argument<string?>("name")
        {
            Description = "One model, by name or .gguf file; all local ones when left out.",
            Arity = ArgumentArity.ZeroOrOne,
        };
        var remote = new Option<bool>("--remote")
        {
            Description = "Check the models of connections; this costs some hundred tokens each.",
        };
        var again = new Option<bool>("--again") { Description = "Ask again where a verdict is remembered." };
        var (data, json) = (DataFolder.Option(environment), DataFolder.JsonOption());
        var command = new Command("check", $"""
            Asks {ModelCheck.Tasks} small questions about a diff; {ModelCheck.RightMin} right answers pass. Prose of a
            model that did not pass is never posted.

            millrace models check
            millrace models check ~/models/reader.gguf
            millrace models check --remote
            """) { name, remote, again, data, json };
        command.SetAction(async (result, cancel) =>
        {
            var checkedModels = new List<LanguageModel>();
            var (one, isRemote, isForced) = (result.GetValue(name), result.GetValue(remote), result.GetValue(again));
            var isLocal = one is not null && !isRemote && MachineModels.IsLocal(environment, one);
            if (isLocal || (one is null && !isRemote))
            {
                checkedModels.AddRange(await CheckLocalAsync(screen, environment, one, isForced, cancel));
            }
            else
            {
                await using var client = await DataFolder.OpenAsync(environment, result.GetRequiredValue(data), cancel);
                checkedModels.AddRange(await CheckRemoteAsync(screen, environment, client, one, isForced, cancel));
            }

            if (result.GetValue(json)) screen.Result(DataFolder.ToJson(checkedModels));
            else checkedModels.ForEach(model => screen.Result(MachineModels.Verdict(model)));
            return checkedModels.Any(model => model.Passed) ? 0 : MillraceCommand.Failed;
        });
        return command;
    }

    static async Task<List<LanguageModel>> CheckLocalAsync(
        Screen screen, CliEnvironment environment, string? one, bool isForced, CancellationToken cancel)
    {
        if (NativeLibraries.LlamaFolder() is null) throw new CommandException(NativeLibraries.WhyAbsent);
        await using var models = MachineModels.Open(environment, one);
        var found = new List<LanguageModel>();
        foreach (var file in models.Files())
            found.Add(await MachineModels.CheckAsync(screen, models, file, isForced, cancel));
        return found;
    }

    static async Task<List<LanguageModel>> CheckRemoteAsync(
        Screen screen, CliEnvironment environment, ControlClient client, string? one, bool isForced,
        CancellationToken cancel)
    {
        var models = (await client.ModelsAsync(cancel))
            .Where(model => model.VerdictKey is not null && (one is null || model.Name == one)).ToList();
        if (models.Count == 0)
        {
            throw new CommandException(one is null
                ? "no connection lists models; add one: "
                    + "millrace connections add ai --integration openai --set models=NAME"
                : $"there is no model {one}; `millrace models list` shows them");
        }

        var (checks, found) = (MachineModels.Checks(environment), new List<LanguageModel>());
        foreach (var model in models)
            found.Add(await MachineModels.CheckAsync(screen, checks, client.AskModelAsync, model, isForced, cancel));
        return found;
    }
}
