using System.Collections.Immutable;
using Millrace.Flows;
using Millrace.Inference;
using Millrace.Server;

namespace Millrace.Cli;

/// <summary>The models of this machine and of its connections, checked before any event needs them.</summary>
static class MachineModels
{
    /// <summary>Verdicts, shared by all of the user's data folders.</summary>
    public static ModelCheckStore Checks(CliEnvironment environment) =>
        new(Path.Combine(environment.Folder, "model-checks.json"));

    /// <summary>The user's model folder.</summary>
    public static string Folder(CliEnvironment environment) => Path.Combine(environment.Folder, "models");

    /// <param name="environment">Names the folders.</param>
    /// <param name="chosen">A model file, or a local model's name, that is used alone; null: all.</param>
    public static LocalModels Open(CliEnvironment environment, string? chosen = null)
    {
        var folders = Folders(environment);
        var options = new LocalModelOptions(
            folders, Shipped.TinyModel, new InferenceOptions(InferenceWorkerCommand.CommandLine()))
        {
            ChosenFile = chosen is null ? null : FileOf(chosen, folders),
        };
        return new(options, Checks(environment));
    }

    /// <summary>Whether the text means a model of this machine: a file, or the name of one in its folders.</summary>
    public static bool IsLocal(CliEnvironment environment, string model) =>
        FileOf(model, Folders(environment)) is not null;

    /// <summary>The file of a model of this machine, by name or path.</summary>
    /// <exception cref="CommandException">There is none.</exception>
    public static string Find(CliEnvironment environment, string model) => FileOf(model, Folders(environment))
        ?? throw new CommandException($"there is no model {model}; `millrace models list` shows them");

    static ImmutableArray<string> Folders(CliEnvironment environment) => environment.ModelsFolder is { } more
        ? [Folder(environment), more] : [Folder(environment)];

    static string? FileOf(string model, ImmutableArray<string> folders)
    {
        if (File.Exists(model)) return Path.GetFullPath(model);
        if (model == Path.GetFileNameWithoutExtension(Shipped.TinyModel)) return Shipped.TinyModel;
        return folders.Select(folder => ModelFolder.Find(folder, model)).FirstOrDefault(static path => path is not null);
    }

    /// <summary>Chooses the local default model, checking what was not checked yet; null: none can be used.</summary>
    public static async Task<LanguageModel?> ChooseAsync(Screen screen, LocalModels models, CancellationToken cancel)
    {
        if (NativeLibraries.LlamaFolder() is null)
        {
            screen.Note($"no local model: {NativeLibraries.WhyAbsent}");
            return null;
        }

        var chosen = await screen.ProgressAsync("checking local models", progress => models.ChooseAsync(
            new Relay<(ModelFile Model, ModelCheckReport Report)>(
                step => progress.Report(Step(step.Model.Name, step.Report))),
            cancel));
        if (chosen is null) screen.Note("no local model; fetch one: millrace models pull");
        return chosen;
    }

    /// <summary>Checks one local model, or recalls its verdict.</summary>
    public static Task<LanguageModel> CheckAsync(
        Screen screen, LocalModels models, ModelFile file, bool isForced, CancellationToken cancel) =>
        screen.ProgressAsync($"checking {file.Name}", progress => models.CheckAsync(
            file, isForced,
            new Relay<(ModelFile Model, ModelCheckReport Report)>(step => progress.Report(Step("", step.Report))),
            cancel));

    /// <summary>Checks one model of a connection, or recalls its verdict.</summary>
    /// <param name="screen">Shows how far it is.</param>
    /// <param name="checks">Keeps the verdict.</param>
    /// <param name="ask">Asks the model, through the integration that connects it.</param>
    /// <param name="model">The model.</param>
    /// <param name="isForced">Whether a known verdict is found anew.</param>
    /// <param name="cancel">Breaks it off.</param>
    public static async Task<LanguageModel> CheckAsync(
        Screen screen, ModelCheckStore checks, Func<ChatRequest, CancellationToken, Task<ChatAnswer>> ask,
        ModelSummary model, bool isForced, CancellationToken cancel)
    {
        var key = model.VerdictKey!;
        if (!isForced && checks.Find(key) is { } known) return Describe(model, known.Report);
        try
        {
            var report = await screen.ProgressAsync($"checking {model.Name} through {model.Connection}", progress =>
                ModelCheck.RunAsync(
                    model.Name, ask,
                    new Relay<ModelCheckReport>(step => progress.Report(Step("", step))), cancel));
            // A model that answered no question at all was not judged: the next check asks again.
            if (report.Asked > 0) checks.Remember(key, new(report, model.ContextTokens));
            return Describe(model, report);
        }
        catch (LanguageModelException e)
        {
            return new(model.Name, model.ContextTokens, false, e.Message);
        }
    }

    /// <summary>Checks whatever was not checked yet, and says which model will answer.</summary>
    public static async Task CheckAllAsync(
        Screen screen, CliEnvironment environment, ControlClient client, CancellationToken cancel)
    {
        await using var models = Open(environment);
        var local = await ChooseAsync(screen, models, cancel);
        var remote = await CheckRemoteAsync(screen, environment, client, cancel);
        Tell(screen, [.. remote.Prepend(local).OfType<LanguageModel>()]);
    }

    /// <summary>Checks the models of all connections that were not checked yet.</summary>
    public static async Task<ImmutableArray<LanguageModel>> CheckRemoteAsync(
        Screen screen, CliEnvironment environment, ControlClient client, CancellationToken cancel)
    {
        var (checks, checkedModels) = (Checks(environment), ImmutableArray.CreateBuilder<LanguageModel>());
        foreach (var model in await client.ModelsAsync(cancel))
        {
            if (model.VerdictKey is null) continue;
            checkedModels.Add(await CheckAsync(screen, checks, client.AskModelAsync, model, isForced: false, cancel));
        }

        return checkedModels.ToImmutable();
    }

    /// <summary>One line on the model that answers, or why no prose will be written.</summary>
    public static void Tell(Screen screen, ImmutableArray<LanguageModel> models)
    {
        var passed = models.FirstOrDefault(model => model.Passed);
        if (passed is not null) screen.Note($"model: {passed.Name} (passed the check)");
        else if (models.IsEmpty) screen.Note("model: none, so reviews hold only what is computed");
        else screen.Note($"model: {Verdict(models[0])}, so reviews hold only what is computed");
    }

    public static string Verdict(LanguageModel model) =>
        model.Passed ? $"{model.Name} passed the check" : $"{model.Name} did not pass the check: {model.Reason}";

    static LanguageModel Describe(ModelSummary model, ModelCheckReport report) =>
        new(model.Name, model.ContextTokens, report.Passed, report.Reason);

    static string Step(string name, ModelCheckReport report) =>
        $"{name} {report.Right} of {report.Asked} right, {ModelCheck.Tasks} questions at most".TrimStart();

    // Progress<T> posts to a context; a terminal wants the reports in order and at once.
    sealed class Relay<T>(Action<T> report) : IProgress<T>
    {
        public void Report(T value) => report(value);
    }
}
