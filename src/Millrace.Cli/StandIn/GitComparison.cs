using Millrace.Cli.Changes;

namespace Millrace.Cli.StandIn;

/// <summary>Comparisons of a pull request whose commits lie in a git repository, as GitHub answers them.</summary>
static class GitComparison
{
    /// <summary>How <paramref name="head"/> stands to <paramref name="origin"/>; null where git knows one of them not.</summary>
    public static async Task<Comparison?> MakeAsync(
        GitRepository repository, string origin, string head, CancellationToken ct)
    {
        try
        {
            var mergeBase = await repository.MergeBaseAsync(origin, head, ct);
            var change = await repository.BetweenAsync(origin, mergeBase, head, head, ct);
            if (mergeBase == origin) return new(origin == head ? "identical" : "ahead", 0, mergeBase, change);
            var missing = await repository.BetweenAsync(head, mergeBase, origin, origin, ct);
            return new(mergeBase == head ? "behind" : "diverged", missing.Commits.Length, mergeBase, change);
        }
        catch (GitException)
        {
            return null;
        }
    }
}
