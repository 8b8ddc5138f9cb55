using System.CommandLine;
using Millrace.Flows;
using Millrace.Server;

namespace Millrace.Cli;

/// <summary><c>millrace logs</c>: what a run wrote to standard error and <c>log.write</c>.</summary>
static class LogsCommand
{
    static readonly TimeSpan LookAgain = TimeSpan.FromMilliseconds(300);

    public static Command Create(Screen screen, CliEnvironment environment)
    {
        var id = new Argument<string>("run")
        {
            Description = "A run's id, as `millrace runs` lists them; or a flow's name, for its newest run.",
        };
        var follow = new Option<bool>("--follow", "-f") { Description = "Go on until the run has ended." };
        var (data, json) = (DataFolder.Option(environment), DataFolder.JsonOption());
        var command = new Command("logs", "Shows a run's log. Texts that look like secrets are masked.")
        {
            id, follow, data, json,
        };
        command.SetAction(async (result, cancel) =>
        {
            await using var client = await DataFolder.OpenAsync(environment, result.GetRequiredValue(data), cancel);
            var named = result.GetRequiredValue(id);
            var run = (await client.RunsAsync(named, limit: 1, cancel: cancel)).FirstOrDefault()?.Id ?? named;
            var isJson = result.GetValue(json);
            if (isJson) screen.Result(DataFolder.ToJson(await client.LogAsync(run, cancel)));
            else if (result.GetValue(follow)) await FollowAsync(screen, client, run, cancel);
            else Write(screen, await client.LogAsync(run, cancel));
            return 0;
        });
        return command;
    }

    static async Task FollowAsync(Screen screen, ControlClient client, string run, CancellationToken cancel)
    {
        if (!client.IsServerRunning)
            throw new CommandException("no server runs, so nothing can be followed: millrace serve");
        var end = client.WaitForEndAsync(run, cancel);
        for (var shown = 0; ;)
        {
            // Asked before the log is read: what came before the end is in it.
            var isOver = end.IsCompleted;
            var lines = await client.LogAsync(run, cancel);
            Write(screen, lines.Skip(shown));
            shown = lines.Length;
            if (isOver) break;
            await Task.WhenAny(end, Task.Delay(LookAgain, cancel));
        }

        screen.Note($"run {run} has ended: {RunTree.End(await end)}");
    }

    static void Write(Screen screen, IEnumerable<LogEntry> lines)
    {
        foreach (var line in lines) screen.Result($"{Words.At(line.At)} {line.Level,-6} {line.Text.TrimEnd('\n')}");
    }
}
