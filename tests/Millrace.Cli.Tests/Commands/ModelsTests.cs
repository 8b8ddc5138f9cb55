namespace Millrace.Cli.Tests.Commands;

public sealed class ModelsTests
{
    [Fact]
    public async Task A_connection_s_model_is_checked_through_its_integration_and_the_verdict_is_remembered()
    {
        await using var model = await ScriptedModelServer.StartAsync();
        await using var shell = new Shell { User = Directory.CreateTempSubdirectory("millrace-user-").FullName };
        await ConnectAsync(shell, model);

        var before = await shell.OnDataAsync("models", "list");
        var first = await shell.OnDataAsync("models", "check", "--remote");
        var asked = model.Ledger.Entries.Length;
        var second = await shell.OnDataAsync("models", "check", ScriptedModelServer.Model);

        Assert.Contains("It has not been checked yet", before.Output, StringComparison.Ordinal);
        Assert.Equal((0, "scripted-reader passed the check"), (first.Code, first.Output.Trim()));
        Assert.Equal((10, 10), (asked, model.Ledger.Entries.Length));
        Assert.Equal(0, second.Code);
        var listed = (await shell.OnDataAsync("models", "list", "--json")).Json.AsArray();
        Assert.True((bool)listed.Single(entry => (string?)entry!["name"] == ScriptedModelServer.Model)!["passed"]!);
    }

    [Fact]
    public async Task A_running_server_asks_for_the_command()
    {
        await using var model = await ScriptedModelServer.StartAsync();
        await using var shell = new Shell { User = Directory.CreateTempSubdirectory("millrace-user-").FullName };
        await shell.ServeAsync();
        await ConnectAsync(shell, model);

        var answer = await shell.OnDataAsync("models", "check", "--remote");

        Assert.Equal((0, "scripted-reader passed the check"), (answer.Code, answer.Output.Trim()));
    }

    [Fact]
    public async Task A_model_server_that_is_down_fails_the_check_and_is_asked_again_next_time()
    {
        await using var shell = new Shell { User = Directory.CreateTempSubdirectory("millrace-user-").FullName };
        var model = await ScriptedModelServer.StartAsync();
        await ConnectAsync(shell, model);
        await model.DisposeAsync();

        var answer = await shell.OnDataAsync("models", "check", "--remote");

        Assert.Equal(1, answer.Code);
        Assert.Contains("scripted-reader did not pass the check: ", answer.Output, StringComparison.Ordinal);
        var listed = await shell.OnDataAsync("models", "list");
        Assert.Contains("not been checked yet", listed.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_unknown_model_is_refused_with_the_way_out()
    {
        await using var shell = new Shell();

        var one = await shell.OnDataAsync("models", "check", "nothing-like-it");
        var remote = await shell.OnDataAsync("models", "check", "--remote");
        var served = await shell.OnDataAsync("serve", "--port", "0", "--pages-port", "0", "--model", "nothing-like-it");

        Assert.Equal((2, 2, 2), (one.Code, remote.Code, served.Code));
        Assert.Contains("there is no model nothing-like-it; `millrace models list`", one.Words, StringComparison.Ordinal);
        Assert.Contains("no connection lists models; add one:", remote.Words, StringComparison.Ordinal);
        Assert.Contains("--model nothing-like-it: no such file", served.Words, StringComparison.Ordinal);
    }

    static async Task ConnectAsync(Shell shell, ScriptedModelServer model)
    {
        var added = await shell.OnDataAsync(
            "connections", "add", "ai", "--integration", "openai", "--base-url", model.BaseUrl.ToString(),
            "--allow-private", "--set", $"models={ScriptedModelServer.Model}");
        Assert.Equal(0, added.Code);
    }
}
