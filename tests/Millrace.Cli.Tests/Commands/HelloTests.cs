using System.Text;
using Millrace.Inference;

namespace Millrace.Cli.Tests.Commands;

public sealed class HelloTests
{
    static readonly HttpClient Http = new();

    [Fact]
    public async Task Hello_is_made_deployed_called_and_seen()
    {
        await using var shell = new Shell();
        var folder = Path.Combine(shell.Data, "my-hello");
        var server = await shell.ServeAsync();

        var made = await shell.RunAsync(["new", "hello", folder]);
        var deployed = await shell.OnDataAsync("deploy", folder);
        var said = await Http.PostAsync(server.Url + "/run/hello", new StringContent("World", Encoding.UTF8));

        Assert.Equal(0, made.Code);
        Assert.Equal(0, deployed.Code);
        Assert.Contains("deployed hello, version 1", deployed.Output, StringComparison.Ordinal);
        Assert.Contains($"curl -d World {server.Url}/run/hello", deployed.Output, StringComparison.Ordinal);
        Assert.StartsWith("Hello, World!", await said.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        await SeesTheRunAsync(shell);
        Assert.Equal(0, await server.StopAsync());
        Assert.Contains("stopping", server.Words, StringComparison.Ordinal);
    }

    static async Task SeesTheRunAsync(Shell shell)
    {
        var list = await shell.OnDataAsync("runs", "--flow", "hello", "--json");
        var id = (string)list.Json[0]!["id"]!;
        await shell.OnDataAsync("logs", id, "--follow");
        var run = (await shell.OnDataAsync("runs", id, "--json")).Json;
        Assert.Equal("completed", (string?)run["summary"]!["outcome"]);

        var tree = await shell.OnDataAsync("runs", id);
        Assert.Contains($"{id}  hello version 1  Completed", tree.Output, StringComparison.Ordinal);
        Assert.Contains("event http", tree.Output, StringComparison.Ordinal);
        var log = await shell.OnDataAsync("logs", "hello");
        Assert.Contains("greeting 5 characters", log.Output, StringComparison.Ordinal);
        Assert.Contains(id, (await shell.OnDataAsync("runs")).Output, StringComparison.Ordinal);
        var ended = await shell.OnDataAsync("runs", "cancel", id);
        Assert.Equal((1, $"millrace: run {id} has ended already: millrace runs {id}"), (ended.Code, ended.Words.Trim()));
    }

    [Fact]
    public async Task What_is_deployed_without_a_server_is_there_when_one_starts()
    {
        await using var shell = new Shell();

        var deployed = await shell.OnDataAsync("deploy", "hello", "--json");
        var again = await shell.OnDataAsync("deploy", "hello");
        var server = await shell.ServeAsync();
        var said = await Http.PostAsync(server.Url + "/run/hello", new StringContent(""));

        Assert.True((bool)deployed.Json["is_new"]!);
        Assert.Contains("is as deployed", again.Output, StringComparison.Ordinal);
        Assert.Contains("next: millrace serve", again.Words, StringComparison.Ordinal);
        Assert.StartsWith("Hello, stranger!", await said.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        Assert.Equal("hello", (string?)(await shell.OnDataAsync("flows", "--json")).Json[0]!["flow"]!["name"]);
    }

    [Fact]
    public async Task Deploying_the_review_brings_its_integrations_and_says_what_is_missing()
    {
        await using var shell = new Shell();

        var deployed = await shell.OnDataAsync("deploy", "review", "--set", "max_findings=5");

        Assert.Equal(0, deployed.Code);
        Assert.Contains("deployed code-review, version 1", deployed.Output, StringComparison.Ordinal);
        Assert.Contains("deployed the integration github", deployed.Words, StringComparison.Ordinal);
        Assert.Contains("deployed the integration openai", deployed.Words, StringComparison.Ordinal);
        Assert.Contains("to do: the connection 'gh' does not exist yet", deployed.Words, StringComparison.Ordinal);
        Assert.Contains("so reviews hold only what is computed", deployed.Words, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_doctor_finds_the_sandbox_working()
    {
        await using var shell = new Shell();

        var answer = await shell.OnDataAsync("doctor", "--json");

        var findings = answer.Json.AsArray().ToDictionary(f => (string)f!["name"]!, f => (string)f!["state"]!);
        Assert.Equal(("ok", "ok", "ok"), (findings["sandbox"], findings["data folder"], findings["server"]));
        Assert.Equal("warn", findings["git"]);
        Assert.Equal("ok", findings["wasi-nn tensorflowlite"]);
        string[] engines = ["ggml", "onnx", "openvino", "tensorflow", "tensorflowlite", "pytorch", "llama2"];
        Assert.All(engines, engine => Assert.Contains($"wasi-nn {engine}", findings.Keys));
        Assert.Contains("→ install git", (await shell.OnDataAsync("doctor")).Output, StringComparison.Ordinal);
    }

    [SkippableFact]
    public async Task The_doctor_tells_files_that_are_no_models()
    {
        Skip.If(NativeLibraries.LlamaFolder() is null, NativeLibraries.WhyAbsent);
        await using var shell = new Shell();
        await File.WriteAllTextAsync(Path.Combine(shell.Data, "page.gguf"), "<html>");
        shell.Set("MILLRACE_MODELS", shell.Data);

        var answer = await shell.OnDataAsync("doctor", "--json");

        var page = answer.Json.AsArray().Single(finding => (string?)finding!["name"] == "model page")!;
        Assert.Equal("warn", (string?)page["state"]);
        Assert.Contains("it does not begin with GGUF", (string?)page["detail"], StringComparison.Ordinal);
        Assert.Equal("fetch it again, or delete it", (string?)page["to_do"]);
    }
}
