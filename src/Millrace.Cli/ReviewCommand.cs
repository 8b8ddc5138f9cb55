using System.CommandLine;
using Millrace.Cli.Changes;
using Millrace.Cli.Pulling;
using Millrace.Cli.Reviewing;
using Millrace.Cli.StandIn;
using Millrace.Flows;
using Millrace.Server;

namespace Millrace.Cli;

/// <summary><c>millrace review</c>: reviews a change of one's own, by the way that a pull request goes.</summary>
static class ReviewCommand
{
    sealed record Request(
        string? Range, FileInfo? Patch, string? PullRequest, bool Post, bool IsJson, string? FailOn, ModelWish Wish, string[] Settings);

    public static Command Create(Screen screen, CliEnvironment environment, TimeProvider time)
    {
        var range = new Argument<string?>("range")
        {
            Description = "A..B or A...B: what a pull request of B into A shows. Left out: the working tree against the default branch.",
            Arity = ArgumentArity.ZeroOrOne,
        };
        var patch = new Option<FileInfo?>("--patch") { Description = "A patch file instead, from git diff or git format-patch." };
        var pull = new Option<string?>("--pr") { Description = "A pull request instead: its URL. Token from GITHUB_TOKEN." };
        var post = new Option<bool>("--post") { Description = "With --pr: post the review there, not only print it." };
        var json = new Option<bool>("--json") { Description = "One JSON document instead of the review's text." };
        var failOn = new Option<string?>("--fail-on") { Description = "Exit 1 when a finding is at least that severe." };
        failOn.AcceptOnlyFromAmong([.. ReviewText.SeverityNames]);
        var model = new Option<string?>("--model") { Description = "A .gguf file, or a model's name at OPENAI_BASE_URL." };
        var remote = new Option<bool>("--remote") { Description = "Let OPENAI_MODEL at OPENAI_BASE_URL read: code leaves this machine." };
        var set = new Option<string[]>("--set") { Description = "A setting of the review function: NAME=VALUE." };
        var command = new Command("review", "Reviews your own change: exit 0 reviewed, 1 by --fail-on, 2 not reviewed.")
            { range, patch, pull, post, json, failOn, model, remote, set };
        command.SetAction(async (result, cancel) =>
        {
            var request = new Request(
                result.GetValue(range), result.GetValue(patch), result.GetValue(pull), result.GetValue(post),
                result.GetValue(json), result.GetValue(failOn), new(result.GetValue(model), result.GetValue(remote)),
                result.GetValue(set) ?? []);
            try
            {
                return await RunAsync(screen, environment, time, request, cancel);
            }
            catch (Exception e) when (e is ServerException or PlatformException or ManifestException)
            {
                // 1 says that there are findings; whatever kept the review from being made is 2.
                throw new CommandException($"not reviewed: {e.Message}");
            }
        });
        return command;
    }

    static async Task<int> RunAsync(
        Screen screen, CliEnvironment environment, TimeProvider time, Request request, CancellationToken cancel)
    {
        var settings = DataFolder.Settings(request.Settings);
        if (request.Post && request.PullRequest is null) throw new CommandException("--post goes with --pr URL");
        using var real = request.PullRequest is null ? null : RealPullRequest.Parse(request.PullRequest, environment.GitHubToken);
        if (request.Post && environment.GitHubToken is null) throw new CommandException("--post needs a token in GITHUB_TOKEN");
        var (change, repository) = real is not null ? (null, real.Name) : await ChangeAsync(request, time, cancel);
        if (change is { Files.IsEmpty: true }) throw new CommandException("there is nothing to review: the change is empty");

        await using var choice = await ModelChoice.MakeAsync(request.Wish, environment, repository, screen, cancel);
        var setup = new ReviewSetup
        {
            LocalModels = choice.Local,
            Remote = choice.Remote,
            Verdicts = choice.Verdicts,
            Code = new(environment.CodeFolder),
            Settings = settings,
            Time = time,
            Real = request.Post ? (real!.Api, environment.GitHubToken!) : null,
        };
        await using var session = await screen.ProgressAsync("starting the server", _ => ReviewSession.StartAsync(setup, cancel));
        await session.CheckRemoteAsync(choice.Remote, screen, cancel);
        var (pull, payload) = real is null
            ? (Local(change!), null)
            : await real.JoinAsync(session.GitHub, cancel);
        session.GitHub.Add(pull);
        var result = await screen.ProgressAsync(
            $"reviewing {pull.Change.Title}", progress => session.ReviewAsync(pull, payload, progress, cancel));
        var code = Show(screen, request, result);
        if (!request.IsJson) await ModelOffer.MakeAsync(screen, environment, choice, cancel);
        return code;
    }

    static int Show(Screen screen, Request request, ReviewResult result)
    {
        var document = ReviewText.Document(result.Output);
        if (result.Run.Summary.Outcome != RunOutcome.Completed || document is null)
        {
            if (result.Comment is { } mended && !request.IsJson) screen.Result(ReviewText.Visible(mended));
            throw new CommandException($"not reviewed: {result.Reason}");
        }

        if (request.IsJson) screen.Result(document);
        else screen.Result(ReviewText.Visible(result.Comment ?? ""));
        return request.FailOn is { } severity && ReviewText.Fails(document, severity) ? 1 : 0;
    }

    static PullRequest Local(Change change) => new("you", "your-repository", 1, change);

    /// <summary>The change, and the repository whose code it is; null where nobody can tell.</summary>
    static async Task<(Change? Change, string? Repository)> ChangeAsync(Request request, TimeProvider time, CancellationToken cancel)
    {
        try
        {
            if (request.Patch is { } patch)
            {
                if (!patch.Exists) throw new CommandException($"there is no file {patch}");
                return (PatchFile.Read(await File.ReadAllBytesAsync(patch.FullName, cancel), patch.Name, time.GetUtcNow()), null);
            }

            var repository = await GitRepository.OpenAsync(Environment.CurrentDirectory, cancel);
            var change = request.Range is { } range
                ? await repository.RangeAsync(range, cancel)
                : await repository.WorkingTreeAsync(cancel);
            return (change, repository.Folder);
        }
        catch (Exception e) when (e is GitException or FormatException)
        {
            throw new CommandException($"not reviewed: {e.Message}");
        }
    }
}
