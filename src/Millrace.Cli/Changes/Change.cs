using System.Collections.Immutable;

namespace Millrace.Cli.Changes;

/// <summary>One file of a change, as GitHub lists it.</summary>
/// <param name="Path">Path at the head (for a removed file: at the base).</param>
/// <param name="PreviousPath">Path at the base, when the file was renamed or copied.</param>
/// <param name="Status">added, removed, modified, renamed, copied or changed (mode only).</param>
/// <param name="Additions">Lines added.</param>
/// <param name="Deletions">Lines removed.</param>
/// <param name="Hunks">The hunks, from the first <c>@@</c> on; null for binary files and pure renames.</param>
sealed record ChangedFile(
    string Path, string? PreviousPath, string Status, int Additions, int Deletions, string? Hunks);

/// <summary>One commit of a change.</summary>
sealed record ChangeCommit(string Sha, string Message, string AuthorName, string AuthorEmail, DateTimeOffset AuthoredAt);

/// <summary>What lies between a base and a head: what a pull request shows.</summary>
sealed record Change
{
    public required string Title { get; init; }
    public required string Body { get; init; }
    public required string Author { get; init; }
    public required string BaseRef { get; init; }
    public required string BaseSha { get; init; }
    public required string HeadRef { get; init; }
    public required string HeadSha { get; init; }
    public required ImmutableArray<ChangeCommit> Commits { get; init; }
    public required ImmutableArray<ChangedFile> Files { get; init; }

    /// <summary>The whole unified diff, byte for byte as git wrote it.</summary>
    public required ReadOnlyMemory<byte> Diff { get; init; }

    public int Additions => Files.Sum(file => file.Additions);
    public int Deletions => Files.Sum(file => file.Deletions);
}
