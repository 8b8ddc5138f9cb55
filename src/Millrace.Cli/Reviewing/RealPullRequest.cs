using System.Collections.Immutable;
using System.Globalization;
using System.Text.Json.Nodes;
using Millrace.Cli.Changes;
using Millrace.Cli.StandIn;

namespace Millrace.Cli.Reviewing;

/// <summary>A pull request at a real GitHub, read with the user's own token.</summary>
sealed class RealPullRequest : IDisposable
{
    readonly Upstream _upstream;

    RealPullRequest(Uri api, string? token, string owner, string repository, int number)
    {
        (Api, Owner, Repository, Number) = (api, owner, repository, number);
        _upstream = new(api, token);
    }

    public Uri Api { get; }

    public string Owner { get; }

    public string Repository { get; }

    public int Number { get; }

    /// <summary>The repository, with its host.</summary>
    public string Name => $"{Api.Host}/{Owner}/{Repository}";

    /// <summary>Reads <c>https://HOST/OWNER/REPOSITORY/pull/NUMBER</c>; an Enterprise host's API is below <c>/api/v3</c>.</summary>
    /// <exception cref="CommandException">The text is no such address.</exception>
    public static RealPullRequest Parse(string url, string? token)
    {
        var isAddress = Uri.TryCreate(url, UriKind.Absolute, out var address) && address.Scheme is "http" or "https";
        var path = isAddress ? address!.AbsolutePath.Trim('/').Split('/') : [];
        if (path.Length < 4 || path[2] is not ("pull" or "pulls") || !int.TryParse(path[3], CultureInfo.InvariantCulture, out var number))
            throw new CommandException($"--pr {url}: write the pull request's address, https://github.com/OWNER/REPOSITORY/pull/NUMBER");
        var api = address!.Host == "github.com" ? new Uri("https://api.github.com/") : new Uri(address, "/api/v3/");
        return new(api, token, path[0], path[1], number);
    }

    /// <summary>Puts the stand-in before it: reads pass through, comments stay here. Answers the webhook's payload.</summary>
    /// <exception cref="CommandException">It cannot be read.</exception>
    public async Task<(PullRequest Pull, JsonObject Payload)> JoinAsync(StandInGitHub github, CancellationToken cancel)
    {
        github.Upstream = _upstream;
        var json = await ReadAsync(cancel);
        JsonObject payload = new()
        {
            ["action"] = "opened",
            ["number"] = Number,
            ["pull_request"] = json,
            ["repository"] = new JsonObject
            {
                ["name"] = Repository,
                ["full_name"] = $"{Owner}/{Repository}",
                ["owner"] = new JsonObject { ["login"] = Owner },
            },
            ["sender"] = new JsonObject { ["login"] = (string?)json["user"]?["login"], ["type"] = "User" },
        };
        // What the stand-in keeps of it are its comments; everything else is read through.
        var shell = new Change
        {
            Title = (string?)json["title"] ?? "",
            Body = "",
            Author = Owner,
            BaseRef = "",
            BaseSha = "",
            HeadRef = "",
            HeadSha = "",
            Commits = [],
            Files = ImmutableArray<ChangedFile>.Empty,
            Diff = default,
        };
        return (new(Owner, Repository, Number, shell), payload);
    }

    async Task<JsonObject> ReadAsync(CancellationToken cancel)
    {
        try
        {
            using var answer = await _upstream.GetAsync($"repos/{Owner}/{Repository}/pulls/{Number}", "", cancel);
            var text = await answer.Content.ReadAsStringAsync(cancel);
            if (answer.IsSuccessStatusCode && JsonNode.Parse(text) is JsonObject json) return json;
            throw new CommandException((int)answer.StatusCode switch
            {
                401 => "not reviewed: GitHub refused the token in GITHUB_TOKEN",
                404 => $"not reviewed: there is no pull request {Owner}/{Repository}#{Number}, or GITHUB_TOKEN may not see it",
                var status => $"not reviewed: GitHub answered {status}",
            });
        }
        catch (HttpRequestException e)
        {
            throw new CommandException($"not reviewed: {Api.Host} cannot be reached ({e.Message})");
        }
    }

    public void Dispose() => _upstream.Dispose();
}
