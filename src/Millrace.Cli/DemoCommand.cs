using System.CommandLine;
using Millrace.Cli.Changes;
using Millrace.Cli.Pulling;
using Millrace.Cli.Reviewing;
using Millrace.Cli.StandIn;
using Millrace.Flows;

namespace Millrace.Cli;

/// <summary><c>millrace demo</c>: the main job on this machine alone, with a real change of this repository.</summary>
static class DemoCommand
{
    const string DefaultSample = "small";

    public static Command Create(Screen screen, CliEnvironment environment, TimeProvider time)
    {
        var sample = new Argument<string>("sample")
        {
            Description = "A sample change; `--list` shows them.",
            DefaultValueFactory = _ => DefaultSample,
        };
        var list = new Option<bool>("--list") { Description = "Shows the sample changes." };
        var json = DataFolder.JsonOption();
        var keep = new Option<bool>("--keep") { Description = "Leaves server and stand-in running until Ctrl-C." };
        var model = new Option<string?>("--model") { Description = "A .gguf file, or a model's name at OPENAI_BASE_URL." };
        var remote = new Option<bool>("--remote") { Description = "Let OPENAI_MODEL at OPENAI_BASE_URL read: code leaves this machine." };
        var command = new Command(
            "demo", "A signed pull-request webhook becomes a posted code review: server, stand-in GitHub and model on this machine.")
            { sample, list, json, keep, model, remote };
        command.SetAction((result, cancel) => result.GetValue(list)
            ? Task.FromResult(List(screen, result.GetValue(json)))
            : RunAsync(
                screen, environment, time, result.GetRequiredValue(sample), result.GetValue(keep),
                new(result.GetValue(model), result.GetValue(remote)), cancel));
        return command;
    }

    static int List(Screen screen, bool isJson)
    {
        var samples = Shipped.Samples().Select(name => (name, change: SampleChange.Read(Shipped.Sample(name)))).ToList();
        if (isJson)
        {
            screen.Result(DataFolder.ToJson(samples.Select(sample => new
            {
                sample.name,
                sample.change.Title,
                Files = sample.change.Files.Length,
                sample.change.Additions,
                sample.change.Deletions,
                Commits = sample.change.Commits.Length,
            })));
            return 0;
        }

        var rows = samples.Select(sample => new[]
            {
                sample.name,
                $"{sample.change.Files.Length} files, +{sample.change.Additions} -{sample.change.Deletions}, "
                    + $"{sample.change.Commits.Length} commits",
                sample.change.Title,
            });
        screen.Table(["sample", "size", "title"], rows);
        return 0;
    }

    static async Task<int> RunAsync(
        Screen screen, CliEnvironment environment, TimeProvider time, string sample, bool keep, ModelWish wish,
        CancellationToken cancel)
    {
        if (!Shipped.Samples().Contains(sample))
            throw new CommandException($"there is no sample {sample}; there are: {string.Join(", ", Shipped.Samples())}");
        var change = SampleChange.Read(Shipped.Sample(sample));
        await using var choice = await ModelChoice.MakeAsync(wish, environment, "the samples of Millrace", screen, cancel);
        var setup = new ReviewSetup
        {
            LocalModels = choice.Local,
            Remote = choice.Remote,
            Verdicts = choice.Verdicts,
            Code = new(environment.CodeFolder),
            Settings = new() { ["time_budget"] = "60s" },
            Time = time,
        };
        await using var session = await screen.ProgressAsync(
            "starting the server and a stand-in GitHub", _ => ReviewSession.StartAsync(setup, cancel));
        await session.CheckRemoteAsync(choice.Remote, screen, cancel);
        screen.Note($"server {session.Server.Url}, stand-in GitHub {session.GitHub.Address}");
        screen.Note($"pull request: {change.Title} ({change.Files.Length} files, +{change.Additions} -{change.Deletions})");
        var pull = new PullRequest("millrace", "millrace", 1, change);
        session.GitHub.Add(pull);
        var result = await screen.ProgressAsync(
            "webhook sent, reviewing", progress => session.ReviewAsync(pull, null, progress, cancel));
        if (result.Comment is not { } comment) throw new CommandException($"nothing was posted: {result.Run.Summary.Message}");
        screen.Result(ReviewText.Visible(comment));
        screen.Note("");
        foreach (var line in RunTree.Lines(result.Run)) screen.Note(line);
        await ModelOffer.MakeAsync(screen, environment, choice, cancel);
        if (keep) await StayAsync(screen, session, cancel);
        return result.Run.Summary.Outcome == RunOutcome.Completed ? 0 : 2;
    }

    static async Task StayAsync(Screen screen, ReviewSession session, CancellationToken cancel)
    {
        screen.Note($"pages {session.Server.PagesUrl}");
        screen.Note("running until Ctrl-C");
        try
        {
            await Task.Delay(Timeout.Infinite, cancel);
        }
        catch (OperationCanceledException)
        {
            // Ctrl-C is how this ends.
        }
    }
}
