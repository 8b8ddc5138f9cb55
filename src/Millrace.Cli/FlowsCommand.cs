using System.CommandLine;
using System.Globalization;

namespace Millrace.Cli;

/// <summary><c>millrace flows</c>: what is deployed.</summary>
static class FlowsCommand
{
    public static Command Create(Screen screen, CliEnvironment environment)
    {
        var (data, json) = (DataFolder.Option(environment), DataFolder.JsonOption());
        var command = new Command("flows", "Lists the deployed flows, and how each is called.") { data, json };
        command.SetAction(async (result, cancel) =>
        {
            await using var client = await DataFolder.OpenAsync(environment, result.GetRequiredValue(data), cancel);
            var flows = await client.FlowsAsync(cancel);
            if (result.GetValue(json))
            {
                screen.Result(DataFolder.ToJson(flows));
                return 0;
            }

            if (flows.IsEmpty)
            {
                screen.Note("nothing is deployed yet; try: millrace deploy hello");
                return 0;
            }

            screen.Table(["FLOW", "VERSION", "DEPLOYED", "TRIGGERS", "ADDRESS"], flows.Select(flow => new[]
            {
                flow.Flow.Name,
                flow.Flow.Version.ToString(CultureInfo.InvariantCulture),
                Words.At(flow.Flow.DeployedAt),
                string.Join(", ", flow.Flow.Triggers.Distinct()),
                flow.RunUrl ?? "",
            }));
            foreach (var flow in flows.Where(flow => flow.RunUrl is not null))
                screen.Note(DeployCommand.CallLine(flow));
            return 0;
        });
        return command;
    }
}
