using System.Text.Json;
using Millrace.Flows;

namespace Millrace.Server;

/// <summary>A remembered verdict.</summary>
/// <param name="Report">How the model did.</param>
/// <param name="ContextTokens">Its context; 0 where unknown (remote).</param>
public sealed record RememberedCheck(ModelCheckReport Report, int ContextTokens);

/// <summary>
/// Verdicts by key: <c>sha256:…</c> of a model file, or <c>host model</c> of a remote one. One small JSON file that
/// all of a user's servers share. Thread-safe.
/// </summary>
public sealed class ModelCheckStore(string path)
{
    // Raised when the tasks change: verdicts of other tasks say nothing.
    const int Version = 1;

    static readonly JsonSerializerOptions Indented = new() { WriteIndented = true };

    readonly Lock _lock = new();

    sealed record Content(
        int Version, SortedDictionary<string, RememberedCheck> Checks, SortedDictionary<string, string> Hashes);

    /// <summary>The verdict for a key, or null.</summary>
    public RememberedCheck? Find(string key)
    {
        lock (_lock) return Read().Checks.GetValueOrDefault(key);
    }

    /// <summary>What is known of a remote model, for <see cref="PlatformOptions.RemoteVerdict"/>; null: not checked.</summary>
    public ModelVerdict? RemoteVerdict(string key) =>
        Find(key) is { Report: var report } ? new(report.Passed, report.Reason) : null;

    /// <summary>The hash of a file in a given state (path, size, time of change), or null.</summary>
    public string? FindHash(string fileState)
    {
        lock (_lock) return Read().Hashes.GetValueOrDefault(fileState);
    }

    /// <summary>Keeps a file's hash: hashing gigabytes takes seconds.</summary>
    public void RememberHash(string fileState, string hash) => Change(content => content.Hashes[fileState] = hash);

    /// <summary>Keeps a verdict.</summary>
    public void Remember(string key, RememberedCheck check) => Change(content => content.Checks[key] = check);

    // Written beside and renamed, so that a crash leaves the old file whole.
    void Change(Action<Content> change)
    {
        lock (_lock)
        {
            var content = Read();
            change(content);
            Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(path))!);
            var beside = $"{path}.{Guid.NewGuid():N}";
            File.WriteAllText(beside, JsonSerializer.Serialize(content, Indented));
            File.Move(beside, path, overwrite: true);
        }
    }

    Content Read()
    {
        try
        {
            var content = JsonSerializer.Deserialize<Content>(File.ReadAllText(path));
            if (content is { Version: Version, Checks: not null, Hashes: not null }) return content;
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException or JsonException)
        {
            // A verdict can be had again: a missing or damaged file is an empty one.
        }

        return new(Version, [], []);
    }
}
