using System.Diagnostics;
using System.Formats.Tar;
using System.IO.Compression;
using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using Millrace.Flows;

namespace Millrace.Server.Tests;

/// <summary>GitHub's own payloads, as @octokit publishes them; fetched when the test runs.</summary>
public sealed class WebhookExamplesTests
{
    const string ExamplesPackage = "@octokit/webhooks-examples@7.6.1";

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
        var examples = await ExamplesAsync("pull_request");
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
        foreach (var (example, index) in examples.Select((example, index) => (example, index)))
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

    static async Task<List<JsonNode>> ExamplesAsync(string name)
    {
        var folder = Directory.CreateTempSubdirectory("millrace-npm-").FullName;
        try
        {
            var file = await PackAsync(folder);
            Skip.If(file is null, $"npm is missing, or cannot fetch {ExamplesPackage}");
            await using var packed = new GZipStream(File.OpenRead(file!), CompressionMode.Decompress);
            await using var tar = new TarReader(packed);
            while (await tar.GetNextEntryAsync(copyData: true) is { } entry)
            {
                if (entry.Name != "package/api.github.com/index.json") continue;
                var all = (await JsonNode.ParseAsync(entry.DataStream!))!.AsArray();
                return [.. all.Single(hook => (string)hook!["name"]! == name)!["examples"]!.AsArray().Select(e => e!)];
            }
            throw new InvalidOperationException("The package holds no examples.");
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    /// <summary>The fetched file; null when npm is missing or fetches nothing.</summary>
    static async Task<string?> PackAsync(string folder)
    {
        var start = new ProcessStartInfo("npm", ["pack", ExamplesPackage, "--silent"])
        {
            WorkingDirectory = folder,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        try
        {
            using var npm = Process.Start(start)!;
            var output = npm.StandardOutput.ReadToEndAsync();
            await npm.StandardError.ReadToEndAsync();
            await output;
            await npm.WaitForExitAsync();
            return Directory.EnumerateFiles(folder, "*.tgz").FirstOrDefault();
        }
        catch (System.ComponentModel.Win32Exception)
        {
            return null;
        }
    }
}
