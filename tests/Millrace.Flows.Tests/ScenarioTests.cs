using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Millrace.Flows.Execution;
using Millrace.Flows.Manifests;
using Millrace.Wasm;

namespace Millrace.Flows.Tests;

/// <summary>Folders of flow.yaml, event.json, guest.wat and expected.json, through the whole platform.</summary>
public sealed class ScenarioTests
{
    static string Folder => Path.Combine(AppContext.BaseDirectory, "scenarios");

    public static TheoryData<string> Scenarios =>
        [.. Directory.GetDirectories(Folder).Select(path => Path.GetFileName(path)).Order(StringComparer.Ordinal)];

    [Theory]
    [MemberData(nameof(Scenarios))]
    public async Task Goes_as_expected(string scenario)
    {
        var folder = Path.Combine(Folder, scenario);
        var expected = JsonNode.Parse(await File.ReadAllTextAsync(Path.Combine(folder, "expected.json")))!;
        var data = Directory.CreateTempSubdirectory("millrace-scenario-").FullName;
        await using (var platform = await Platform.OpenAsync(new PlatformOptions { DataFolder = data }))
        {
            await platform.DeployAsync(Read(folder));
            var accepted = await platform.AcceptAsync(new()
            {
                Source = "test",
                DeliveryId = "1",
                Type = "http",
                Flow = scenario,
                Body = await File.ReadAllBytesAsync(Path.Combine(folder, "event.json")),
            });
            using var timeout = new CancellationTokenSource(TestPlatform.Timeout);
            await platform.WaitForEndAsync(accepted.Runs[0], timeout.Token);
            var run = (await platform.RunAsync(accepted.Runs[0]))!;

            Assert.Equal((string)expected["outcome"]!, Words.Of(run.Summary.Outcome!.Value));
            Assert.Equal(
                expected["operations"].Deserialize<string[]>(),
                run.Operations.Select(operation => $"{operation.Name} {Words.Of(operation.State)}"));
            Assert.Contains((string?)expected["message"] ?? "", run.Summary.Message);
            var output = new StringBuilder();
            await foreach (var part in platform.ReadOutputAsync(accepted.Runs[0], cancel: timeout.Token))
                output.Append(Encoding.UTF8.GetString(part.Span));
            Assert.Equal((string)expected["output"]!, output.ToString());
        }
        Directory.Delete(data, recursive: true);
    }

    static Package Read(string folder)
    {
        var files = new Dictionary<string, ReadOnlyMemory<byte>>
        {
            ["flow.yaml"] = File.ReadAllBytes(Path.Combine(folder, "flow.yaml")),
            ["guest.wasm"] = WatText.ToBinary(File.ReadAllText(Path.Combine(folder, "guest.wat"))),
        };
        return Package.Read(PackageContent.Of(folder, files));
    }
}
