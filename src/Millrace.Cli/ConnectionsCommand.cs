using System.Collections.Immutable;
using System.CommandLine;
using Millrace.Flows;

namespace Millrace.Cli;

/// <summary><c>millrace connections</c>: accounts at outside systems. Secrets go in, and never come out.</summary>
static class ConnectionsCommand
{
    static readonly string[] Heads = ["NAME", "INTEGRATION", "TOKEN", "WEBHOOK SECRET", "HOSTS"];

    public static Command Create(Screen screen, CliEnvironment environment) =>
        new("connections", "Adds, lists, tests and removes accounts at outside systems, with their secrets.")
        {
            ConnectionsAddCommand.Create(screen, environment),
            CreateList(screen, environment),
            CreateTest(screen, environment),
            CreateRemove(screen, environment),
        };

    static Command CreateList(Screen screen, CliEnvironment environment)
    {
        var (data, json) = (DataFolder.Option(environment), DataFolder.JsonOption());
        var command = new Command("list", "Lists the connections, without their secrets.") { data, json };
        command.SetAction(async (result, cancel) =>
        {
            await using var client = await DataFolder.OpenAsync(environment, result.GetRequiredValue(data), cancel);
            var connections = await client.ConnectionsAsync(cancel);
            return List(screen, connections, result.GetValue(json));
        });
        return command;
    }

    static int List(Screen screen, ImmutableArray<ConnectionSummary> connections, bool isJson)
    {
        if (isJson) screen.Result(DataFolder.ToJson(connections));
        else if (!connections.IsEmpty) screen.Table(Heads, connections.Select(Row));
        else screen.Note("no connections yet; add one: millrace connections add gh --integration github");
        return 0;
    }

    static string[] Row(ConnectionSummary connection) =>
    [
        connection.Name,
        connection.Integration,
        connection.HasToken ? "yes" : "no",
        connection.HasWebhookSecret ? "yes" : "no",
        connection.Problem ?? (connection.BaseUrl.Length > 0 ? connection.BaseUrl
            : connection.Hosts.IsEmpty ? "the integration's" : string.Join(", ", connection.Hosts)),
    ];

    static Command CreateTest(Screen screen, CliEnvironment environment)
    {
        var name = new Argument<string>("name") { Description = "The connection." };
        var data = DataFolder.Option(environment);
        var command = new Command("test", "Asks the connection's address, with its secret.") { name, data };
        command.SetAction(async (result, cancel) =>
        {
            var connection = result.GetRequiredValue(name);
            await using var client = await DataFolder.OpenAsync(environment, result.GetRequiredValue(data), cancel);
            var report = await screen.ProgressAsync(
                $"asking {connection}", _ => client.TestConnectionAsync(connection, cancel));
            if (!report.IsGood)
                throw new CommandException($"{connection} cannot be used: {report.Detail}", MillraceCommand.Failed);
            screen.Result($"{connection} works: {report.Detail}");
            return 0;
        });
        return command;
    }

    static Command CreateRemove(Screen screen, CliEnvironment environment)
    {
        var name = new Argument<string>("name") { Description = "The connection." };
        var data = DataFolder.Option(environment);
        var command = new Command("rm", "Removes a connection and its secrets.") { name, data };
        command.Aliases.Add("remove");
        command.SetAction(async (result, cancel) =>
        {
            var connection = result.GetRequiredValue(name);
            await using var client = await DataFolder.OpenAsync(environment, result.GetRequiredValue(data), cancel);
            await client.RemoveConnectionAsync(connection, cancel);
            screen.Note($"removed {connection}");
            return 0;
        });
        return command;
    }
}
