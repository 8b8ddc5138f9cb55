using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using Millrace.Cli.Tests.Realism;
using Millrace.Flows;

namespace Millrace.Server.Tests;

/// <summary>GitHub's own payloads, as @octokit publishes them; fetched when the test runs.</summary>
public sealed class WebhookExamplesTests
{
    static string Repository
    {
        get
        {
            var folder = new DirectoryInfo(AppContext.BaseDirectory);
            while (!File.Exists(Path.Combine(folder.FullName, "Millrace.slnx"))) folder = folder.Parent!;
            return folder.FullName;
        }
    }

    [SkippableFact]
    public async Task Real_pull_request_webhooks_are_taken_and_reach_the_guest_unchanged()
    {
        var (examples, reason) = await WebhookExamples.FetchAsync("pull_request");
        Skip.If(examples is null, reason);
        await using var server = await TestServer.StartAsync();
        await server.Platform.DeployAsync(Package.Load(Path.Combine(Repository, "guests", "github")));
        server.Platform.Connections.Add(new NewConnection("gh", "github") { WebhookSecret = TestServer.WebhookSecret },
            server.Platform.Find("github", isIntegration: true)!);
        await server.DeployAsync("echo", TestServer.Echo, """
            triggers:
              - {on: github.pull_request, connection: gh, where: {action: [opened, synchronize]},
                 partition: "{repository.full_name}#{pull_request.number}"}
            """);

        var taken = 0;
        foreach (var (example, index) in examples!.Select((example, index) => (example!, index)))
        {
            var body = Encoding.UTF8.GetBytes(example.ToJsonString());
            using var request = new HttpRequestMessage(HttpMethod.Post, "/hooks/github/gh")
            {
                Content = new ByteArrayContent(body),
            };
            request.Headers.Add("X-GitHub-Delivery", $"delivery-{index}");
            request.Headers.Add("X-GitHub-Event", "pull_request");
            request.Headers.Add("X-Hub-Signature-256", TestServer.Sign(body));
            var response = await server.Http.SendAsync(request);

            Assert.Equal(HttpStatusCode.Accepted, response.StatusCode);
            var runs = JsonNode.Parse(await response.Content.ReadAsStringAsync())!["runs"]!.AsArray();
            var isWanted = (string?)example["action"] is "opened" or "synchronize";
            Assert.Equal(isWanted ? 1 : 0, runs.Count);
            if (!isWanted) continue;
            taken++;
            var run = (await server.Platform.RunAsync((string)runs[0]!))!;
            Assert.Equal($"{example["repository"]!["full_name"]}#{example["pull_request"]!["number"]}", run.Summary.Partition);
            Assert.Equal(body, await server.OutputAsync(run.Summary.Id));
        }
        Assert.NotEqual(0, taken);
    }
}
