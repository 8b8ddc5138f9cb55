using System.Text;
using Millrace.Cli;
using Millrace.Cli.Changes;
using Millrace.Cli.StandIn;
using Millrace.Cli.Tests.Realism;
using Millrace.Flows;

namespace Millrace.Bench;

/// <summary>From a signed webhook to its 202, beside one commit of the same rows.</summary>
static class WebhookBench
{
    const int WarmUps = 100;

    public static async Task<Section> RunAsync(BenchPlan plan)
    {
        await using var site = await Site.StartAsync(plan.Folder, Receiver);
        var (payload, origin) = (await WebhookExamples.FetchAsync("pull_request")).Examples is { } examples
            ? (Site.Sign(Encoding.UTF8.GetBytes(examples.Of("opened").ToJsonString())),
                $"GitHub's own example of a pull_request payload ({WebhookExamples.Package})")
            : (site.Opened(new PullRequest("millrace", "millrace", 1, SampleChange.Read(Shipped.Sample("small")))),
                "the stand-in's pull_request payload (npm fetched none)");
        using var commit = new OneCommit(
            Path.Combine(site.Folder, "commit.db"), Path.Combine(site.Folder, "data", "millrace.db"));
        var (webhooks, commits, healths) = (new Samples(), new Samples(), new Samples());
        for (var i = -WarmUps; i < plan.Samples; i++)
        {
            plan.Cancel.ThrowIfCancellationRequested();
            var (run, accepted) = await site.SendAsync(payload);
            await site.Control.WaitForEndAsync(run);
            var envelope = (await site.Control.RunAsync(run)).Event;
            var health = await site.HealthAsync();
            var committed = commit.Run(envelope, payload.Body);
            if (i < 0) continue;
            webhooks.Add(accepted);
            commits.Add(committed);
            healths.Add(health);
        }

        var aim = (1.5 * commits.P50Ms) + 1;
        return new("Webhook to 202",
            $"""
            {origin}, {payload.Body.Length:#,0} bytes, sent over one loopback connection to a server in its own process;
            a flow listens to it, so that an event and a run are committed. In turn with one commit of the same two rows
            into the same tables with `synchronous=FULL` on the same disk. {webhooks.Count} samples of each.
            """,
            new("webhook to 202, p50 / p90 / p99", $"{webhooks.Ms(0.5)} / {webhooks.Ms(0.9)} / {webhooks.Ms(0.99)}",
                $"p50 ≤ {Samples.Number(aim, "ms")} (1.5 × one commit + 1 ms)"),
            new("one commit, p50 / p90 / p99", $"{commits.Ms(0.5)} / {commits.Ms(0.9)} / {commits.Ms(0.99)}"),
            new("HTTP alone (`/health`), p50", healths.Ms(0.5)),
            new("p50 over the one commit's", Samples.Number(webhooks.P50Ms / commits.P50Ms, "×")));
    }

    /// <summary>A flow that ends as soon as it began: what it does is not measured here.</summary>
    static Package Receiver(string folder)
    {
        var path = Directory.CreateDirectory(Path.Combine(folder, "receiver")).FullName;
        File.Copy(Path.Combine(Shipped.Guest("hello"), "hello.wasm"), Path.Combine(path, "receiver.wasm"));
        File.WriteAllText(Path.Combine(path, "flow.yaml"), """
            millrace: 1
            name: receiver
            module: receiver.wasm
            triggers:
              - {on: github.pull_request, connection: gh, where: {action: [opened]},
                 partition: "{repository.full_name}#{pull_request.number}", concurrency: cancel-running}
            limits: {wall: 10s, cpu: 1s, memory: 16MiB}
            """);
        return Package.Load(path);
    }
}
