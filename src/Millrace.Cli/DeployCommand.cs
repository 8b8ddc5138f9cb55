using System.CommandLine;
using Millrace.Flows;
using Millrace.Server;

namespace Millrace.Cli;

/// <summary><c>millrace deploy</c>: makes a folder's flow or integration the newest version of its name.</summary>
static class DeployCommand
{
    public static Command Create(Screen screen, CliEnvironment environment)
    {
        var what = new Argument<string>("folder")
        {
            Description = "A folder with flow.yaml or integration.yaml, or the name of one that ships: "
                + $"{ShippedPackages.Names}.",
        };
        var set = new Option<string[]>("--set")
        {
            Description = "A setting's value over the manifest's default; may be repeated.",
            HelpName = "KEY=VALUE",
        };
        var (data, json) = (DataFolder.Option(environment), DataFolder.JsonOption());
        var command = new Command("deploy", """
            Deploys a flow or an integration. The running server takes it up at once; without one it waits in the
            data folder.

            millrace deploy hello
            millrace deploy review --set max_findings=5
            """) { what, set, data, json };
        command.SetAction(async (result, cancel) =>
        {
            var settings = DataFolder.Settings(result.GetValue(set) ?? []);
            var folder = ShippedPackages.Find(result.GetRequiredValue(what));
            var package = ShippedPackages.Load(folder, settings);
            await using var client = await DataFolder.OpenAsync(environment, result.GetRequiredValue(data), cancel);
            foreach (var integration in package.Requires)
                await ShippedPackages.EnsureAsync(client, integration, screen, cancel);
            if (package.AsksModels) await ShippedPackages.EnsureAsync(client, "openai", screen, cancel);
            var reply = await client.DeployAsync(folder, settings, cancel);
            if (result.GetValue(json)) screen.Result(DataFolder.ToJson(reply));
            else await TellAsync(screen, client, reply, package, cancel);
            if (package.AsksModels) await MachineModels.CheckAllAsync(screen, environment, client, cancel);
            return 0;
        });
        return command;
    }

    static async Task TellAsync(
        Screen screen, ControlClient client, DeployReply reply, Package package, CancellationToken cancel)
    {
        var kind = reply.IsIntegration ? "the integration " : "";
        screen.Result(reply.IsNew
            ? $"deployed {kind}{reply.Name}, version {reply.Version}"
            : $"{kind}{reply.Name} is as deployed: version {reply.Version}");
        foreach (var remark in reply.Remarks) screen.Note($"to do: {remark}");
        if (!package.HasHttpTrigger) return;
        if (reply.RunUrl is null)
        {
            screen.Note("next: millrace serve, then call it at /run/" + reply.Name);
            return;
        }

        var flow = (await client.FlowsAsync(cancel)).First(entry => entry.Flow.Name == reply.Name);
        screen.Result(CallLine(flow));
    }

    /// <summary>How a flow is called, as a line for the shell.</summary>
    public static string CallLine(FlowReply flow) => flow.Token is { } token
        ? $"curl -H 'Authorization: Bearer {token}' -d '{{}}' {flow.RunUrl}"
        : $"curl -d World {flow.RunUrl}";
}
