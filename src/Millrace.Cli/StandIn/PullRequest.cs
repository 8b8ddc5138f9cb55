using Millrace.Cli.Changes;

namespace Millrace.Cli.StandIn;

/// <summary>A comment on a pull request.</summary>
sealed record Comment(long Id, string Body, string Login, string UserType, DateTimeOffset CreatedAt, DateTimeOffset UpdatedAt);

/// <summary>One pull request of the stand-in, with what changes about it. Locked by its owner.</summary>
sealed class PullRequest(string owner, string repository, int number, Change change)
{
    public string Owner { get; } = owner;
    public string Repository { get; } = repository;
    public int Number { get; } = number;

    /// <summary>The change at the present head; a push replaces it.</summary>
    public Change Change { get; set; } = change;

    public bool IsDraft { get; set; }

    /// <summary>Whether the fork that the head came from was deleted since: GitHub then says <c>head.repo: null</c>.</summary>
    public bool IsForkDeleted { get; set; }

    public List<Comment> Comments { get; } = [];

    /// <summary>Answers a comparison of two commits; null where one is unknown. By default only base to head is known.</summary>
    public Func<string, string, CancellationToken, Task<Comparison?>>? Compare { get; set; }

    public string FullName => $"{Owner}/{Repository}";
}

/// <summary>How a head stands to a base (GitHub's words), and the change from their merge base to the head.</summary>
/// <param name="Status">ahead, behind, diverged or identical.</param>
/// <param name="BehindBy">Commits of the base that the head lacks.</param>
/// <param name="MergeBase">The merge base's hash.</param>
/// <param name="Change">From merge base to head.</param>
sealed record Comparison(string Status, int BehindBy, string MergeBase, Change Change);
