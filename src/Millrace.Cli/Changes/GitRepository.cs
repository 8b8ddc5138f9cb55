using System.Collections.Immutable;
using System.Diagnostics;
using System.Globalization;
using System.Text;

namespace Millrace.Cli.Changes;

/// <summary>Git said no; the message is git's own, with the command.</summary>
sealed class GitException(string message) : Exception(message);

/// <summary>A user's git repository, read through the git program.</summary>
sealed class GitRepository
{
    GitRepository(string folder) => Folder = folder;

    public string Folder { get; }

    /// <summary>The repository that contains <paramref name="folder"/>.</summary>
    /// <exception cref="GitException">It is in none, or git is missing.</exception>
    public static async Task<GitRepository> OpenAsync(string folder, CancellationToken ct)
    {
        var root = await new GitRepository(folder).TextAsync(["rev-parse", "--show-toplevel"], ct);
        return new(root.Trim());
    }

    /// <summary>What a pull request of <c>B</c> into <c>A</c> shows, for <c>A..B</c>, <c>A...B</c> or just <c>A</c> (to HEAD).</summary>
    public async Task<Change> RangeAsync(string range, CancellationToken ct)
    {
        var dots = range.IndexOf("..", StringComparison.Ordinal);
        var left = dots < 0 ? range : range[..dots];
        var right = dots < 0 ? "HEAD" : range[dots..].TrimStart('.');
        if (left.Length == 0) left = "HEAD";
        if (right.Length == 0) right = "HEAD";
        var (target, head) = (await CommitAsync(left, ct), await CommitAsync(right, ct));
        return await BetweenAsync(left, await MergeBaseAsync(target, head, ct), right, head, ct);
    }

    /// <summary>The working tree with uncommitted changes, against the merge base with the default branch.</summary>
    public async Task<Change> WorkingTreeAsync(CancellationToken ct)
    {
        var (branch, target) = await DefaultBranchAsync(ct);
        var snapshot = await SnapshotAsync(ct);
        return await BetweenAsync(branch, await MergeBaseAsync(target, snapshot, ct), "working tree", snapshot, ct);
    }

    /// <summary>The change from one commit to another, without looking for a merge base.</summary>
    public async Task<Change> BetweenAsync(
        string baseRef, string baseSha, string headRef, string headSha, CancellationToken ct)
    {
        var diff = await BytesAsync(
            ["-c", "core.quotepath=true", "diff", "--no-color", "--no-ext-diff", "--no-textconv", "-M", "--src-prefix=a/",
             "--dst-prefix=b/", baseSha, headSha, "--"], ct);
        var commits = await CommitsAsync(baseSha, headSha, ct);
        var first = commits.IsEmpty ? null : commits[^1].Message;
        var title = commits.Length == 1 ? first!.Split('\n')[0] : headRef == "HEAD" ? await BranchNameAsync(ct) : headRef;
        var body = commits.Length == 1 ? string.Join('\n', first!.Split('\n').Skip(1)).Trim() : "";
        return new()
        {
            Title = title,
            Body = body,
            Author = commits.IsEmpty ? "you" : commits[^1].AuthorName,
            BaseRef = baseRef,
            BaseSha = baseSha,
            HeadRef = headRef,
            HeadSha = headSha,
            Commits = commits,
            Files = UnifiedDiff.Files(diff),
            Diff = diff,
        };
    }

    public async Task<string> MergeBaseAsync(string left, string right, CancellationToken ct)
    {
        try
        {
            return (await TextAsync(["merge-base", left, right], ct)).Trim();
        }
        catch (GitException)
        {
            throw new GitException($"{left} and {right} have no common commit; name a range whose ends share history");
        }
    }

    /// <summary>Whether <paramref name="ancestor"/> is an ancestor of <paramref name="commit"/> (or the same).</summary>
    public async Task<bool> IsAncestorAsync(string ancestor, string commit, CancellationToken ct) =>
        await MergeBaseAsync(ancestor, commit, ct) == ancestor;

    /// <summary>The commit's full hash.</summary>
    /// <exception cref="GitException">There is no such commit.</exception>
    public async Task<string> CommitAsync(string revision, CancellationToken ct)
    {
        try
        {
            return (await TextAsync(["rev-parse", "--verify", "--quiet", "--end-of-options", revision + "^{commit}"], ct)).Trim();
        }
        catch (GitException)
        {
            throw new GitException($"`{revision}` is no commit of this repository; `git branch -a` and `git log` show what there is");
        }
    }

    async Task<(string Name, string Sha)> DefaultBranchAsync(CancellationToken ct)
    {
        foreach (var name in (string[])["origin/HEAD", "origin/main", "origin/master", "main", "master", "trunk"])
        {
            try
            {
                return (name, await CommitAsync(name, ct));
            }
            catch (GitException)
            {
                // the next name
            }
        }

        throw new GitException("no default branch found (origin/HEAD, main, master); name a range, such as `HEAD~1..HEAD`");
    }

    async Task<string> BranchNameAsync(CancellationToken ct) =>
        (await TextAsync(["rev-parse", "--abbrev-ref", "HEAD"], ct)).Trim();

    /// <summary>A commit object of the working tree, untracked files included, that no branch or index learns of.</summary>
    async Task<string> SnapshotAsync(CancellationToken ct)
    {
        var index = Path.Combine(Path.GetTempPath(), $"millrace-index-{Guid.NewGuid():N}");
        try
        {
            var own = (await TextAsync(["rev-parse", "--git-path", "index"], ct)).Trim();
            var ownPath = Path.Combine(Folder, own);
            if (File.Exists(ownPath)) File.Copy(ownPath, index);
            await RunAsync(["add", "--all"], index, ct);
            var tree = Encoding.UTF8.GetString(await RunAsync(["write-tree"], index, ct)).Trim();
            var head = await CommitAsync("HEAD", ct);
            if (tree == (await TextAsync(["rev-parse", head + "^{tree}"], ct)).Trim()) return head;
            return (await TextAsync(
                ["-c", "user.name=you", "-c", "user.email=you@localhost", "commit-tree", tree, "-p", head,
                 "-m", "Uncommitted changes"], ct)).Trim();
        }
        finally
        {
            File.Delete(index);
        }
    }

    async Task<ImmutableArray<ChangeCommit>> CommitsAsync(string from, string to, CancellationToken ct)
    {
        var text = await TextAsync(["log", "-z", "--reverse", "--format=%H%x1f%an%x1f%ae%x1f%aI%x1f%B", $"{from}..{to}"], ct);
        return [.. text.Split('\0', StringSplitOptions.RemoveEmptyEntries).Select(Commit)];

        static ChangeCommit Commit(string record)
        {
            var field = record.TrimStart('\n').Split('\x1f', 5);
            var at = DateTimeOffset.Parse(field[3], CultureInfo.InvariantCulture);
            return new(field[0], field[4].TrimEnd(), field[1], field[2], at);
        }
    }

    async Task<string> TextAsync(string[] arguments, CancellationToken ct) =>
        Encoding.UTF8.GetString(await BytesAsync(arguments, ct));

    Task<byte[]> BytesAsync(string[] arguments, CancellationToken ct) => RunAsync(arguments, null, ct);

    async Task<byte[]> RunAsync(string[] arguments, string? indexFile, CancellationToken ct)
    {
        var start = new ProcessStartInfo("git", arguments)
        {
            WorkingDirectory = Folder,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        if (indexFile is not null) start.Environment["GIT_INDEX_FILE"] = indexFile;
        start.Environment["LC_ALL"] = "C";
        using var process = Start(start);
        using var output = new MemoryStream();
        var errors = process.StandardError.ReadToEndAsync(ct);
        await process.StandardOutput.BaseStream.CopyToAsync(output, ct);
        await process.WaitForExitAsync(ct);
        if (process.ExitCode == 0) return output.ToArray();
        throw new GitException($"git {arguments[0]}: {(await errors).Trim()}");
    }

    static Process Start(ProcessStartInfo start)
    {
        try
        {
            return Process.Start(start)!;
        }
        catch (System.ComponentModel.Win32Exception)
        {
            throw new GitException("the git program was not found; install git, or use --patch FILE");
        }
    }
}
