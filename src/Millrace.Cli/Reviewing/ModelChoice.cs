using Millrace.Flows;
using Millrace.Server;

namespace Millrace.Cli.Reviewing;

/// <summary>What the person said about models on the command line.</summary>
/// <param name="Model">A file, or a name at the endpoint; null to choose.</param>
/// <param name="IsRemote">Whether the endpoint of the environment may be used.</param>
sealed record ModelWish(string? Model, bool IsRemote);

/// <summary>Which model reads, decided before anything is sent anywhere; said on screen.</summary>
sealed class ModelChoice : IAsyncDisposable
{
    ModelChoice(LocalModels? local, RemoteModel? remote, ModelCheckStore verdicts) =>
        (Local, Remote, Verdicts) = (local, remote, verdicts);

    /// <summary>The local model that reads; null: none, or another one.</summary>
    public LanguageModel? Chosen { get; private init; }

    /// <summary>The user named the model that reads.</summary>
    public bool IsNamed { get; private init; }

    public LocalModels? Local { get; }

    public RemoteModel? Remote { get; }

    /// <summary>The user's verdicts on models, shared by all commands and servers.</summary>
    public ModelCheckStore Verdicts { get; }

    /// <summary>
    /// In order: the file or name of <c>--model</c>; the environment's endpoint, if asked for or agreed to; the largest
    /// local model that passed the check; the tiny one.
    /// </summary>
    public static async Task<ModelChoice> MakeAsync(
        ModelWish wish, CliEnvironment environment, string? repository, Screen screen, CancellationToken cancel)
    {
        var verdicts = MachineModels.Checks(environment);
        var isLocal = wish.Model is { } model && MachineModels.IsLocal(environment, model);
        if (!isLocal && wish.Model?.EndsWith(".gguf", StringComparison.Ordinal) == true)
            throw new CommandException($"there is no model file {wish.Model}");
        if (!isLocal && FindRemote(wish, environment, repository, screen) is { } remote)
        {
            screen.Note($"code leaves this machine: {remote.Name} at {remote.Host} reads it");
            return new(null, remote, verdicts) { IsNamed = true };
        }

        var local = MachineModels.Open(environment, isLocal ? wish.Model : null);
        var chosen = await MachineModels.ChooseAsync(screen, local, cancel);
        MachineModels.Tell(screen, chosen is null ? [] : [chosen]);
        return new(local, null, verdicts) { Chosen = chosen, IsNamed = wish.Model is not null };
    }

    static RemoteModel? FindRemote(ModelWish wish, CliEnvironment environment, string? repository, Screen screen)
    {
        var isAsked = wish.IsRemote || wish.Model is not null;
        if (environment.OpenAiBaseUrl is not { } address)
        {
            return isAsked ? throw new CommandException(wish.Model is null
                ? "--remote needs OPENAI_BASE_URL and OPENAI_MODEL in the environment"
                : $"{wish.Model} is no file, and OPENAI_BASE_URL names no endpoint that could know it") : null;
        }

        var name = wish.Model ?? environment.OpenAiModel;
        if (name is null)
            return isAsked ? throw new CommandException("OPENAI_MODEL is not set: name the model, or use --model NAME") : null;
        if (!Uri.TryCreate(address, UriKind.Absolute, out var url) || url.Scheme is not ("http" or "https"))
            throw new CommandException($"OPENAI_BASE_URL is no http address: {address}");
        var remote = new RemoteModel(url, name, environment.OpenAiApiKey);
        return isAsked || IsAgreed(remote, environment, repository, screen) ? remote : null;
    }

    static bool IsAgreed(RemoteModel remote, CliEnvironment environment, string? repository, Screen screen)
    {
        if (repository is null) return false;
        var consents = new ConsentStore(Path.Combine(environment.Folder, "consents.json"));
        if (consents.Has(repository, remote.Host)) return true;
        if (!screen.Ask($"Send the changes of {repository} to {remote.Name} at {remote.Host}, now and later?")) return false;
        consents.Add(repository, remote.Host);
        return true;
    }

    public ValueTask DisposeAsync() => Local?.DisposeAsync() ?? ValueTask.CompletedTask;
}
