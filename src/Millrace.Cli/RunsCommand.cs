using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using Millrace.Flows;
using Millrace.Server;

namespace Millrace.Cli;

/// <summary><c>millrace runs</c>: what ran, one run's timeline, and what a person may decide about a run.</summary>
static class RunsCommand
{
    const int LimitStandard = 20;

    static readonly string[] Heads = ["RUN", "FLOW", "EVENT", "STATE", "ACCEPTED", "TOOK", "PARTITION"];

    public static Command Create(Screen screen, CliEnvironment environment)
    {
        var id = new Argument<string?>("run")
        {
            Description = "A run's id: shows its timeline.",
            Arity = ArgumentArity.ZeroOrOne,
        };
        var flow = new Option<string?>("--flow") { Description = "Only runs of this flow.", HelpName = "NAME" };
        var limit = new Option<int>("--limit")
        {
            Description = "So many at most, newest first.",
            DefaultValueFactory = _ => LimitStandard,
        };
        limit.Validators.Add(result =>
        {
            if (result.Tokens is not [{ Value: var text }]) return;
            if (!int.TryParse(text, CultureInfo.InvariantCulture, out var number) || number is < 1 or > 500)
                result.AddError($"--limit {text}: a number from 1 to 500");
        });
        var (data, json) = (DataFolder.Option(environment), DataFolder.JsonOption());
        var command = new Command("runs", """
            Lists runs, newest first; with a run's id its timeline: every operation with kind, state, time and tokens.

            millrace runs --flow code-review --limit 5
            millrace runs RUN
            millrace runs cancel RUN
            """) { id, flow, limit, data, json };
        command.Subcommands.Add(CreateCancel(screen, environment));
        command.Subcommands.Add(CreateResolve(screen, environment));
        command.SetAction(async (result, cancel) =>
        {
            await using var client = await DataFolder.OpenAsync(environment, result.GetRequiredValue(data), cancel);
            if (result.GetValue(id) is { } run)
                return Show(screen, await client.RunAsync(run, cancel), result.GetValue(json));
            var runs = await client.RunsAsync(result.GetValue(flow), limit: result.GetValue(limit), cancel: cancel);
            return List(screen, runs, result.GetValue(json));
        });
        return command;
    }

    static int Show(Screen screen, RunDetail run, bool isJson)
    {
        if (isJson) screen.Result(DataFolder.ToJson(run));
        else screen.Result(string.Join('\n', RunTree.Lines(run)));
        return 0;
    }

    static int List(Screen screen, IReadOnlyCollection<RunSummary> runs, bool isJson)
    {
        if (isJson) screen.Result(DataFolder.ToJson(runs));
        else if (runs.Count > 0) screen.Table(Heads, runs.Select(Row));
        else screen.Note("no runs yet");
        return 0;
    }

    static string[] Row(RunSummary run) =>
    [
        run.Id,
        $"{run.Flow} {run.Version}",
        run.EventType ?? "",
        RunTree.End(run),
        Words.At(run.CreatedAt),
        run is { StartedAt: { } start, EndedAt: { } end } ? Words.Took(end - start) : "",
        run.Partition ?? "",
    ];

    static Command CreateCancel(Screen screen, CliEnvironment environment)
    {
        var id = new Argument<string>("run") { Description = "The run's id." };
        var data = DataFolder.Option(environment);
        var command = new Command(
            "cancel", "Ends a run: it starts nothing more; what it sent is settled first.") { id, data };
        command.SetAction(async (result, cancel) =>
        {
            var run = result.GetRequiredValue(id);
            await using var client = await DataFolder.OpenAsync(environment, result.GetRequiredValue(data), cancel);
            if (!await client.CancelAsync(run, cancel))
                throw new CommandException($"run {run} has ended already: millrace runs {run}", MillraceCommand.Failed);
            screen.Note($"run {run} is being cancelled");
            return 0;
        });
        return command;
    }

    static Command CreateResolve(Screen screen, CliEnvironment environment)
    {
        var id = new Argument<string>("run") { Description = "The run's id." };
        var sequence = new Argument<long>("operation") { Description = "The operation's number in the timeline." };
        var outcome = new Option<string?>("--result")
        {
            Description = "It was applied; this is the head of its result.",
            HelpName = "JSON",
        };
        var notApplied = new Option<bool>("--not-applied")
        {
            Description = "It was not applied; a living run sends it again.",
        };
        var data = DataFolder.Option(environment);
        var command = new Command("resolve", """
            Decides what became of a write whose fate nobody knows. Look at the far side first.

            millrace runs resolve RUN 7 --result '{"id": 123}'
            millrace runs resolve RUN 7 --not-applied
            """) { id, sequence, outcome, notApplied, data };
        command.SetAction(async (result, cancel) =>
        {
            var (head, isNot) = (result.GetValue(outcome), result.GetValue(notApplied));
            if (head is null != isNot) throw new CommandException("say either --result JSON or --not-applied");
            CheckJson(head);
            var request = new ResolveRequest(result.GetRequiredValue(sequence), head);
            await using var client = await DataFolder.OpenAsync(environment, result.GetRequiredValue(data), cancel);
            await client.ResolveAsync(result.GetRequiredValue(id), request, cancel);
            screen.Note($"decided: operation {request.Sequence} was {(isNot ? "not applied" : "applied")}");
            return 0;
        });
        return command;
    }

    static void CheckJson(string? text)
    {
        if (text is null) return;
        try
        {
            using var document = JsonDocument.Parse(text);
        }
        catch (JsonException)
        {
            throw new CommandException($"--result {text}: this is no JSON");
        }
    }
}
