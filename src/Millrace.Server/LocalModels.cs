using System.Collections.Immutable;
using System.Globalization;
using System.Security.Cryptography;
using Millrace.Flows;
using Millrace.Inference;

namespace Millrace.Server;

/// <summary>Where local models lie.</summary>
/// <param name="Folders">Folders with <c>.gguf</c> and <c>.lora</c> files: the user's, and that of the environment.</param>
/// <param name="TinyModel">The tiny model that ships: it proves the path and nothing else.</param>
/// <param name="Worker">How the inference worker is started.</param>
public sealed record LocalModelOptions(ImmutableArray<string> Folders, string TinyModel, InferenceOptions Worker)
{
    /// <summary>The file the user named; null to choose.</summary>
    public string? ChosenFile { get; init; }
}

/// <summary>One model file.</summary>
/// <param name="Name">How flows name it: the file name without its ending.</param>
/// <param name="Path">The file.</param>
/// <param name="Bytes">Its size.</param>
public sealed record ModelFile(string Name, string Path, long Bytes)
{
    /// <summary>The model that a file holds.</summary>
    public static ModelFile Of(string path) => new(
        System.IO.Path.GetFileNameWithoutExtension(path), path, ModelFolder.BytesOf(path));
}

/// <summary>The models of this machine, behind the inference worker.</summary>
public sealed class LocalModels : ILanguageModel, IAsyncDisposable
{
    readonly LocalModelOptions _options;
    readonly ModelCheckStore _checks;
    readonly InferenceClient _client;
    string? _default;

    /// <summary>Opens the folders; no model is loaded yet.</summary>
    public LocalModels(LocalModelOptions options, ModelCheckStore checks)
    {
        (_options, _checks) = (options, checks);
        _client = new(options.Worker);
    }

    /// <summary>
    /// All model files, largest first, then those with adapters; the tiny one last. A chosen file alone, when one was named.
    /// </summary>
    public ImmutableArray<ModelFile> Files()
    {
        if (_options.ChosenFile is { } chosen) return [ModelFile.Of(chosen)];
        var files = _options.Folders.Where(Directory.Exists)
            .SelectMany(ModelFolder.Files).Where(IsThere).Select(ModelFile.Of).DistinctBy(file => file.Name)
            .OrderBy(file => AdaptedModel.IsOne(file.Path)).ThenByDescending(file => file.Bytes).ToList();
        if (File.Exists(_options.TinyModel))
        {
            var tiny = ModelFile.Of(_options.TinyModel);
            files.RemoveAll(file => file.Name == tiny.Name);
            files.Add(tiny);
        }

        return [.. files];
    }

    static bool IsThere(string path)
    {
        try
        {
            return ModelFolder.FileAt(path).Exists;
        }
        catch (IOException)
        {
            // A link that leads to itself; those that lead nowhere are no files either.
            return false;
        }
    }

    /// <summary>
    /// Chooses the default model: the file the user named, else the largest that passed the check, else the tiny one.
    /// Models without a verdict are checked, with progress; verdicts are remembered.
    /// </summary>
    /// <param name="progress">Told each model and its report so far.</param>
    /// <param name="cancel">Breaks the choice off.</param>
    /// <returns>The model with its verdict; null where there is none, or no native library.</returns>
    public async Task<LanguageModel?> ChooseAsync(
        IProgress<(ModelFile Model, ModelCheckReport Report)>? progress, CancellationToken cancel)
    {
        if (NativeLibraries.LlamaFolder() is null) return null;
        LanguageModel? last = null;
        foreach (var file in Files())
        {
            last = await CheckAsync(file, isForced: false, progress, cancel);
            if (last.Passed) break;
        }

        _default = last?.Name;
        return last;
    }

    /// <summary>What runs them.</summary>
    public InferenceClient Client => _client;

    /// <summary>The model for whoever names none: the one that was chosen, else the first; null where there is none.</summary>
    public ModelFile? Default()
    {
        var files = Files();
        return files.FirstOrDefault(file => file.Name == _default) ?? files.FirstOrDefault();
    }

    /// <summary>Runs the check on one file, or recalls its verdict.</summary>
    public async Task<LanguageModel> CheckAsync(
        ModelFile file, bool isForced, IProgress<(ModelFile Model, ModelCheckReport Report)>? progress,
        CancellationToken cancel)
    {
        var key = Key(file);
        if (!isForced && _checks.Find(key) is { } known) return Describe(file, known);
        int context;
        try
        {
            context = (await _client.DescribeAsync(file.Path, cancel)).ContextTokens;
        }
        catch (InferenceException e)
        {
            return new(file.Name, 0, false, e.Message);
        }

        var relay = progress is null ? null : new Relay<ModelCheckReport>(report => progress.Report((file, report)));
        var report = await ModelCheck.RunAsync(file.Name, ChatAsync, relay, cancel);
        var remembered = new RememberedCheck(report, context);
        _checks.Remember(key, remembered);
        return Describe(file, remembered);
    }

    static LanguageModel Describe(ModelFile file, RememberedCheck check) =>
        new(file.Name, check.ContextTokens, check.Report.Passed, check.Report.Reason);

    /// <inheritdoc/>
    public Task<ImmutableArray<LanguageModel>> ListAsync(CancellationToken cancel)
    {
        if (NativeLibraries.LlamaFolder() is null) return Task.FromResult(ImmutableArray<LanguageModel>.Empty);
        var models = Files().Select(file => (file, check: _checks.Find(Key(file))))
            .Where(entry => entry.check is not null).Select(entry => Describe(entry.file, entry.check!));
        return Task.FromResult(models.OrderByDescending(model => model.Name == _default).ToImmutableArray());
    }

    /// <inheritdoc/>
    public Task<int> CountTokensAsync(string model, ImmutableArray<ChatMessage> messages, CancellationToken cancel) =>
        AskAsync(() => _client.CountTokensAsync(Find(model).Path, Turns(messages), cancel));

    /// <inheritdoc/>
    public async Task<ChatAnswer> ChatAsync(ChatRequest request, CancellationToken cancel)
    {
        var sampling = new Sampling(request.Temperature, request.TopP, unchecked((uint)(request.Seed ?? 0)));
        var job = new ChatJob(
            Find(request.Model).Path, Turns(request.Messages), request.MaxTokens, sampling, request.Stop);
        var reply = await AskAsync(() => _client.ChatAsync(job, cancel));
        return new(reply.Content, reply.FinishReason, reply.PromptTokens, reply.CompletionTokens);
    }

    static async Task<T> AskAsync<T>(Func<Task<T>> ask)
    {
        try
        {
            return await ask();
        }
        catch (InferenceException e)
        {
            throw new LanguageModelException(e.Type, e.Message, e.IsTransient);
        }
    }

    ModelFile Find(string name) => Files().FirstOrDefault(file => file.Name == name)
        ?? throw new LanguageModelException("model-unavailable", $"there is no local model {name}; `millrace models list` shows them");

    static ImmutableArray<ChatTurn> Turns(ImmutableArray<ChatMessage> messages) =>
        [.. messages.Select(message => new ChatTurn(message.Role, message.Content))];

    string Key(ModelFile file)
    {
        if (!AdaptedModel.IsOne(file.Path)) return KeyOf(file);
        try
        {
            var adapted = AdaptedModel.Read(file.Path);
            var adapters = adapted.Adapters.Select(one => string.Create(
                CultureInfo.InvariantCulture, $"{KeyOf(ModelFile.Of(one.Path))}={one.Scale:R}"));
            return string.Join('+', adapters.Prepend(KeyOf(ModelFile.Of(adapted.Model))));
        }
        catch (Exception e) when (e is InferenceException or IOException or UnauthorizedAccessException)
        {
            // A file that is gone: nothing is known of the model until it is back.
            return $"broken:{file.Path}";
        }
    }

    string KeyOf(ModelFile file)
    {
        var state = string.Create(
            CultureInfo.InvariantCulture, $"{file.Path}|{file.Bytes}|{ModelFolder.FileAt(file.Path).LastWriteTimeUtc.Ticks}");
        if (_checks.FindHash(state) is { } known) return known;
        using var stream = File.OpenRead(file.Path);
        var hash = "sha256:" + Convert.ToHexStringLower(SHA256.HashData(stream));
        _checks.RememberHash(state, hash);
        return hash;
    }

    /// <summary>Ends the inference worker.</summary>
    public ValueTask DisposeAsync() => _client.DisposeAsync();

    // Progress<T> posts to a context; a terminal wants the reports in order and at once.
    sealed class Relay<T>(Action<T> report) : IProgress<T>
    {
        public void Report(T value) => report(value);
    }
}
