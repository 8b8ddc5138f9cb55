using System.Collections.Immutable;
using System.Text.Json;

namespace Millrace.Cli.Changes;

/// <summary>A change from <c>samples/</c>: <c>change.diff</c> with <c>change.json</c> beside it.</summary>
static class SampleChange
{
    static readonly JsonSerializerOptions Web = new(JsonSerializerDefaults.Web);

    sealed record SampleCommit(string Sha, DateTimeOffset At, string Message);

    sealed record SampleHead(
        string Title, string Body, string Author, string Base, string Head, ImmutableArray<SampleCommit> Commits);

    /// <summary>Reads a sample's folder.</summary>
    public static Change Read(string folder)
    {
        var head = JsonSerializer.Deserialize<SampleHead>(File.ReadAllBytes(Path.Combine(folder, "change.json")), Web)
            ?? throw new InvalidDataException($"{folder}/change.json is empty");
        var diff = File.ReadAllBytes(Path.Combine(folder, "change.diff"));
        return new()
        {
            Title = head.Title,
            Body = head.Body,
            Author = head.Author,
            BaseRef = "main",
            BaseSha = head.Base,
            HeadRef = Path.GetFileName(folder),
            HeadSha = head.Head,
            Commits = [.. head.Commits.Select(commit => new ChangeCommit(
                commit.Sha, commit.Message, head.Author, $"{head.Author}@users.noreply.example", commit.At))],
            Files = UnifiedDiff.Files(diff),
            Diff = diff,
        };
    }
}
