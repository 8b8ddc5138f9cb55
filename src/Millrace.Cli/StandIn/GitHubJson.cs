using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;
using Millrace.Cli.Changes;

namespace Millrace.Cli.StandIn;

/// <summary>
/// The shapes of GitHub's REST answers and webhook payloads (its published OpenAPI description, version 2022-11-28).
/// </summary>
sealed class GitHubJson(Uri api)
{
    /// <summary>GitHub cuts a file's patch in its listings beyond these.</summary>
    public const int PatchLinesMax = 3_000;
    public const int PatchBytesMax = 100 * 1024;

    string Api(string path) => new Uri(api, path).ToString();

    public JsonObject User(string login, string type) => new()
    {
        ["login"] = login,
        ["id"] = StableId(login),
        ["node_id"] = NodeId("U", login),
        ["avatar_url"] = Api($"avatars/{login}"),
        ["gravatar_id"] = "",
        ["url"] = Api($"users/{login}"),
        ["html_url"] = Api(login),
        ["followers_url"] = Api($"users/{login}/followers"),
        ["following_url"] = Api($"users/{login}/following{{/other_user}}"),
        ["gists_url"] = Api($"users/{login}/gists{{/gist_id}}"),
        ["starred_url"] = Api($"users/{login}/starred{{/owner}}{{/repo}}"),
        ["subscriptions_url"] = Api($"users/{login}/subscriptions"),
        ["organizations_url"] = Api($"users/{login}/orgs"),
        ["repos_url"] = Api($"users/{login}/repos"),
        ["events_url"] = Api($"users/{login}/events{{/privacy}}"),
        ["received_events_url"] = Api($"users/{login}/received_events"),
        ["type"] = type,
        ["site_admin"] = false,
    };

    // Addresses of a repository in GitHub's answers: property, then path.
    static readonly (string Property, string Path)[] RepositoryPaths =
    [
        ("archive_url", "/{archive_format}{/ref}"), ("assignees_url", "/assignees{/user}"), ("blobs_url", "/git/blobs{/sha}"),
        ("branches_url", "/branches{/branch}"), ("collaborators_url", "/collaborators{/collaborator}"),
        ("comments_url", "/comments{/number}"), ("commits_url", "/commits{/sha}"), ("compare_url", "/compare/{base}...{head}"),
        ("contents_url", "/contents/{+path}"), ("contributors_url", "/contributors"), ("deployments_url", "/deployments"),
        ("downloads_url", "/downloads"), ("events_url", "/events"), ("forks_url", "/forks"),
        ("git_commits_url", "/git/commits{/sha}"), ("git_refs_url", "/git/refs{/sha}"), ("git_tags_url", "/git/tags{/sha}"),
        ("hooks_url", "/hooks"), ("issue_comment_url", "/issues/comments{/number}"),
        ("issue_events_url", "/issues/events{/number}"), ("issues_url", "/issues{/number}"), ("keys_url", "/keys{/key_id}"),
        ("labels_url", "/labels{/name}"), ("languages_url", "/languages"), ("merges_url", "/merges"),
        ("milestones_url", "/milestones{/number}"), ("notifications_url", "/notifications{?since,all,participating}"),
        ("pulls_url", "/pulls{/number}"), ("releases_url", "/releases{/id}"), ("stargazers_url", "/stargazers"),
        ("statuses_url", "/statuses/{sha}"), ("subscribers_url", "/subscribers"), ("subscription_url", "/subscription"),
        ("tags_url", "/tags"), ("teams_url", "/teams"), ("trees_url", "/git/trees{/sha}"),
    ];

    static readonly string[] RepositoryFlags =
        ["archived", "disabled", "has_downloads", "has_pages", "has_projects", "has_wiki"];

    static readonly string[] RepositoryCounts =
    [
        "forks", "forks_count", "open_issues", "open_issues_count", "size", "stargazers_count", "watchers",
        "watchers_count",
    ];

    public JsonObject Repository(PullRequest pull)
    {
        var page = Api(pull.FullName);
        JsonObject json = new()
        {
            ["id"] = StableId(pull.FullName),
            ["node_id"] = NodeId("R", pull.FullName),
            ["name"] = pull.Repository,
            ["full_name"] = pull.FullName,
            ["private"] = false,
            ["owner"] = User(pull.Owner, "User"),
            ["html_url"] = page,
            ["description"] = null,
            ["fork"] = false,
            ["url"] = Api($"repos/{pull.FullName}"),
            ["git_url"] = page + ".git",
            ["ssh_url"] = page + ".git",
            ["clone_url"] = page + ".git",
            ["svn_url"] = page,
            ["created_at"] = Time(DateTimeOffset.UnixEpoch),
            ["updated_at"] = Time(DateTimeOffset.UnixEpoch),
            ["pushed_at"] = Time(DateTimeOffset.UnixEpoch),
            ["default_branch"] = "main",
            ["visibility"] = "public",
        };
        foreach (var (property, path) in RepositoryPaths) json[property] = $"{Api($"repos/{pull.FullName}")}{path}";
        foreach (var name in (string[])["homepage", "language", "mirror_url", "license"]) json[name] = null;
        foreach (var name in RepositoryFlags) json[name] = false;
        foreach (var name in RepositoryCounts) json[name] = 0;
        json["has_issues"] = true;
        return json;
    }

    public JsonObject PullRequest(PullRequest pull)
    {
        var change = pull.Change;
        return new()
        {
            ["url"] = Api($"repos/{pull.FullName}/pulls/{pull.Number}"),
            ["id"] = StableId($"{pull.FullName}#{pull.Number}"),
            ["node_id"] = NodeId("PR", $"{pull.FullName}#{pull.Number}"),
            ["html_url"] = Api($"{pull.FullName}/pull/{pull.Number}"),
            ["diff_url"] = Api($"{pull.FullName}/pull/{pull.Number}.diff"),
            ["patch_url"] = Api($"{pull.FullName}/pull/{pull.Number}.patch"),
            ["issue_url"] = Api($"repos/{pull.FullName}/issues/{pull.Number}"),
            ["commits_url"] = Api($"repos/{pull.FullName}/pulls/{pull.Number}/commits"),
            ["review_comments_url"] = Api($"repos/{pull.FullName}/pulls/{pull.Number}/comments"),
            ["review_comment_url"] = Api($"repos/{pull.FullName}/pulls/comments{{/number}}"),
            ["comments_url"] = Api($"repos/{pull.FullName}/issues/{pull.Number}/comments"),
            ["statuses_url"] = Api($"repos/{pull.FullName}/statuses/{change.HeadSha}"),
            ["number"] = pull.Number,
            ["state"] = "open",
            ["locked"] = false,
            ["title"] = change.Title,
            ["user"] = User(Login(change.Author), "User"),
            ["body"] = change.Body.Length == 0 ? null : change.Body,
            ["labels"] = new JsonArray(),
            ["milestone"] = null,
            ["active_lock_reason"] = null,
            ["created_at"] = Time(change.Commits.IsEmpty ? DateTimeOffset.UnixEpoch : change.Commits[0].AuthoredAt),
            ["updated_at"] = Time(change.Commits.IsEmpty ? DateTimeOffset.UnixEpoch : change.Commits[^1].AuthoredAt),
            ["closed_at"] = null,
            ["merged_at"] = null,
            ["merge_commit_sha"] = null,
            ["assignee"] = null,
            ["assignees"] = new JsonArray(),
            ["requested_reviewers"] = new JsonArray(),
            ["requested_teams"] = new JsonArray(),
            ["head"] = Side(pull, change.HeadRef, change.HeadSha, pull.IsForkDeleted),
            ["base"] = Side(pull, change.BaseRef, change.BaseSha, false),
            ["_links"] = Links(pull, change),
            ["author_association"] = "CONTRIBUTOR",
            ["auto_merge"] = null,
            ["draft"] = pull.IsDraft,
            ["merged"] = false,
            ["mergeable"] = true,
            ["rebaseable"] = true,
            ["mergeable_state"] = "clean",
            ["merged_by"] = null,
            ["comments"] = pull.Comments.Count,
            ["review_comments"] = 0,
            ["maintainer_can_modify"] = false,
            ["commits"] = change.Commits.Length,
            ["additions"] = change.Additions,
            ["deletions"] = change.Deletions,
            ["changed_files"] = change.Files.Length,
        };
    }

    JsonObject Side(PullRequest pull, string name, string sha, bool isRepositoryGone) => new()
    {
        ["label"] = $"{pull.Owner}:{name}",
        ["ref"] = name,
        ["sha"] = sha,
        ["user"] = User(pull.Owner, "User"),
        ["repo"] = isRepositoryGone ? null : Repository(pull),
    };

    JsonObject Links(PullRequest pull, Change change)
    {
        JsonObject Link(string path) => new() { ["href"] = Api(path) };
        var root = $"repos/{pull.FullName}";
        return new()
        {
            ["self"] = Link($"{root}/pulls/{pull.Number}"),
            ["html"] = Link($"{pull.FullName}/pull/{pull.Number}"),
            ["issue"] = Link($"{root}/issues/{pull.Number}"),
            ["comments"] = Link($"{root}/issues/{pull.Number}/comments"),
            ["review_comments"] = Link($"{root}/pulls/{pull.Number}/comments"),
            ["review_comment"] = Link($"{root}/pulls/comments{{/number}}"),
            ["commits"] = Link($"{root}/pulls/{pull.Number}/commits"),
            ["statuses"] = Link($"{root}/statuses/{change.HeadSha}"),
        };
    }

    public JsonObject Commit(PullRequest pull, ChangeCommit commit, string parent)
    {
        JsonObject person = new()
        {
            ["name"] = commit.AuthorName,
            ["email"] = commit.AuthorEmail,
            ["date"] = Time(commit.AuthoredAt),
        };
        var root = $"repos/{pull.FullName}";
        return new()
        {
            ["sha"] = commit.Sha,
            ["node_id"] = NodeId("C", commit.Sha),
            ["commit"] = new JsonObject
            {
                ["author"] = person,
                ["committer"] = person.DeepClone(),
                ["message"] = commit.Message,
                ["tree"] = new JsonObject { ["sha"] = commit.Sha, ["url"] = Api($"{root}/git/trees/{commit.Sha}") },
                ["url"] = Api($"{root}/git/commits/{commit.Sha}"),
                ["comment_count"] = 0,
            },
            ["url"] = Api($"{root}/commits/{commit.Sha}"),
            ["html_url"] = Api($"{pull.FullName}/commit/{commit.Sha}"),
            ["comments_url"] = Api($"{root}/commits/{commit.Sha}/comments"),
            ["author"] = User(Login(commit.AuthorName), "User"),
            ["committer"] = User(Login(commit.AuthorName), "User"),
            ["parents"] = new JsonArray(new JsonObject
            {
                ["sha"] = parent,
                ["url"] = Api($"{root}/commits/{parent}"),
                ["html_url"] = Api($"{pull.FullName}/commit/{parent}"),
            }),
        };
    }

    public JsonObject File(PullRequest pull, ChangedFile file)
    {
        var path = Uri.EscapeDataString(file.Path);
        JsonObject json = new()
        {
            ["sha"] = NodeId("F", file.Path)[..8].PadRight(40, '0').ToLowerInvariant(),
            ["filename"] = file.Path,
            ["status"] = file.Status,
            ["additions"] = file.Additions,
            ["deletions"] = file.Deletions,
            ["changes"] = file.Additions + file.Deletions,
            ["blob_url"] = Api($"{pull.FullName}/blob/{pull.Change.HeadSha}/{path}"),
            ["raw_url"] = Api($"{pull.FullName}/raw/{pull.Change.HeadSha}/{path}"),
            ["contents_url"] = Api($"repos/{pull.FullName}/contents/{path}?ref={pull.Change.HeadSha}"),
        };
        if (file.Hunks is not null) json["patch"] = CutPatch(file.Hunks);
        if (file.PreviousPath is not null) json["previous_filename"] = file.PreviousPath;
        return json;
    }

    /// <summary>A patch as GitHub lists it: whole lines, at most 3,000 of them and 100 KiB.</summary>
    static string CutPatch(string hunks)
    {
        var (lines, bytes, at) = (0, 0, 0);
        while (at < hunks.Length && lines < PatchLinesMax)
        {
            var end = hunks.IndexOf('\n', at);
            if (end < 0) end = hunks.Length - 1;
            bytes += Encoding.UTF8.GetByteCount(hunks.AsSpan(at, end + 1 - at));
            if (bytes > PatchBytesMax) break;
            lines++;
            at = end + 1;
        }

        return hunks[..at].TrimEnd('\n');
    }

    public JsonObject Comment(PullRequest pull, Comment comment) => new()
    {
        ["id"] = comment.Id,
        ["node_id"] = NodeId("IC", comment.Id.ToString(CultureInfo.InvariantCulture)),
        ["url"] = Api($"repos/{pull.FullName}/issues/comments/{comment.Id}"),
        ["html_url"] = Api($"{pull.FullName}/pull/{pull.Number}#issuecomment-{comment.Id}"),
        ["issue_url"] = Api($"repos/{pull.FullName}/issues/{pull.Number}"),
        ["body"] = comment.Body,
        ["user"] = User(comment.Login, comment.UserType),
        ["created_at"] = Time(comment.CreatedAt),
        ["updated_at"] = Time(comment.UpdatedAt),
        ["author_association"] = comment.UserType == "Bot" ? "NONE" : "MEMBER",
        ["performed_via_github_app"] = null,
    };

    public JsonObject Comparison(PullRequest pull, Comparison comparison)
    {
        var change = comparison.Change;
        var root = $"repos/{pull.FullName}";
        var address = $"{root}/compare/{change.BaseSha}...{change.HeadSha}";
        var origin = new ChangeCommit(change.BaseSha, "base", change.Author, "", DateTimeOffset.UnixEpoch);
        return new()
        {
            ["url"] = Api(address),
            ["html_url"] = Api($"{pull.FullName}/compare/{change.BaseSha}...{change.HeadSha}"),
            ["permalink_url"] = Api($"{pull.FullName}/compare/{change.BaseSha}...{change.HeadSha}"),
            ["diff_url"] = Api($"{address}.diff"),
            ["patch_url"] = Api($"{address}.patch"),
            ["base_commit"] = Commit(pull, origin, origin.Sha),
            ["merge_base_commit"] = Commit(pull, origin with { Sha = comparison.MergeBase }, origin.Sha),
            ["status"] = comparison.Status,
            ["ahead_by"] = change.Commits.Length,
            ["behind_by"] = comparison.BehindBy,
            ["total_commits"] = change.Commits.Length,
        };
    }

    public JsonObject PullRequestEvent(PullRequest pull, string action, string? before)
    {
        JsonObject payload = new()
        {
            ["action"] = action,
            ["number"] = pull.Number,
            ["pull_request"] = PullRequest(pull),
            ["repository"] = Repository(pull),
            ["sender"] = User(Login(pull.Change.Author), "User"),
        };
        if (before is not null) (payload["before"], payload["after"]) = (before, pull.Change.HeadSha);
        return payload;
    }

    public JsonObject CommentEvent(PullRequest pull, Comment comment, string association)
    {
        var json = Comment(pull, comment);
        json["author_association"] = association;
        return new()
        {
            ["action"] = "created",
            ["issue"] = new JsonObject
            {
                ["url"] = Api($"repos/{pull.FullName}/issues/{pull.Number}"),
                ["id"] = StableId($"{pull.FullName}#{pull.Number}"),
                ["number"] = pull.Number,
                ["title"] = pull.Change.Title,
                ["user"] = User(Login(pull.Change.Author), "User"),
                ["state"] = "open",
                ["comments"] = pull.Comments.Count,
                ["pull_request"] = new JsonObject
                {
                    ["url"] = Api($"repos/{pull.FullName}/pulls/{pull.Number}"),
                    ["html_url"] = Api($"{pull.FullName}/pull/{pull.Number}"),
                    ["diff_url"] = Api($"{pull.FullName}/pull/{pull.Number}.diff"),
                    ["patch_url"] = Api($"{pull.FullName}/pull/{pull.Number}.patch"),
                    ["merged_at"] = null,
                },
            },
            ["comment"] = json,
            ["repository"] = Repository(pull),
            ["sender"] = User(comment.Login, comment.UserType),
        };
    }

    /// <summary>A login as GitHub allows it: letters, digits and single hyphens.</summary>
    public static string Login(string name)
    {
        var kept = string.Concat(name.Select(c => char.IsAsciiLetterOrDigit(c) ? char.ToLowerInvariant(c) : '-'));
        while (kept.Contains("--", StringComparison.Ordinal)) kept = kept.Replace("--", "-", StringComparison.Ordinal);
        kept = kept.Trim('-');
        return kept.Length == 0 ? "someone" : kept.Length > 39 ? kept[..39].TrimEnd('-') : kept;
    }

    static string Time(DateTimeOffset at) => at.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);

    static long StableId(string text)
    {
        var hash = 14695981039346656037UL;
        foreach (var b in Encoding.UTF8.GetBytes(text)) hash = (hash ^ b) * 1099511628211UL;
        return (long)(hash % 1_000_000_000);
    }

    static string NodeId(string kind, string text) =>
        kind + "_" + Convert.ToHexStringLower(BitConverter.GetBytes(StableId(text)));
}
