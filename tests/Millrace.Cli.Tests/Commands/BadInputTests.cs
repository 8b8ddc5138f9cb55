using System.Net;
using System.Net.Sockets;

namespace Millrace.Cli.Tests.Commands;

public sealed class BadInputTests
{
    [Theory]
    [InlineData("deplyo hello", "did you mean deploy?")]
    [InlineData("runs --fllow hello", "there is no option --fllow")]
    [InlineData("runs --fllow hello", "did you mean --flow?")]
    [InlineData("runs --limit 0", "--limit 0: a number from 1 to 500")]
    [InlineData("runs --limit many", "--limit many: a number from 1 to 500")]
    [InlineData("runs resolve x 1", "say either --result JSON or --not-applied")]
    [InlineData("runs resolve x 1 --result {", "--result {: this is no JSON")]
    [InlineData("deploy nothing-here", "there is no folder nothing-here, and nothing of that name ships")]
    [InlineData("deploy hello --set oops", "--set oops: write KEY=VALUE")]
    [InlineData("deploy hello --set colour=red", "unknown setting 'colour'")]
    [InlineData("deploy", "Required argument missing")]
    [InlineData("serve --port 70000", "--port 70000: a port is a number from 0 to 65535")]
    [InlineData("serve --listen here", "--listen here: write an address, as 127.0.0.1 or 0.0.0.0")]
    [InlineData("connections", "Required command was not provided")]
    [InlineData("review --patch no-such.patch", "there is no file")]
    [InlineData("review --post", "--post goes with --pr URL")]
    [InlineData("demo no-such-sample", "there is no sample no-such-sample; there are:")]
    public async Task Words_that_make_no_sense_end_with_2_and_say_what_to_write(string words, string expected)
    {
        await using var shell = new Shell();

        var answer = await shell.RunAsync(words.Split(' '));

        Assert.Equal(2, answer.Code);
        Assert.Empty(answer.Output);
        Assert.Contains(expected, answer.Words, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("runs nothing", "There is no run 'nothing'.")]
    [InlineData("runs cancel nothing", "There is no run 'nothing'.")]
    [InlineData("runs resolve nothing 1 --not-applied", "There is no run 'nothing'.")]
    [InlineData("logs nothing", "There is no run 'nothing'.")]
    [InlineData("connections test nothing", "There is no connection 'nothing'.")]
    public async Task What_is_not_there_ends_with_1(string words, string expected)
    {
        await using var shell = new Shell();

        var answer = await shell.OnDataAsync(words.Split(' '));

        Assert.Equal((1, $"millrace: {expected}"), (answer.Code, answer.Words.Trim().Split('\n')[^1]));
    }

    [Fact]
    public async Task A_port_in_use_is_named_with_the_option_that_chooses_another()
    {
        await using var shell = new Shell();
        using var taken = new TcpListener(IPAddress.Loopback, 0);
        taken.Start();
        var port = ((IPEndPoint)taken.LocalEndpoint).Port;

        var answer = await shell.OnDataAsync("serve", "--port", $"{port}", "--pages-port", "0");

        Assert.Equal(2, answer.Code);
        Assert.Contains($"Port {port} is in use.", answer.Words, StringComparison.Ordinal);
        Assert.Contains("--port", answer.Words, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_second_server_on_a_data_folder_is_refused()
    {
        await using var shell = new Shell();
        await shell.ServeAsync();

        var answer = await shell.OnDataAsync("serve", "--port", "0", "--pages-port", "0");

        Assert.Equal(2, answer.Code);
        Assert.Contains($"Another server has the data folder '{shell.Data}'", answer.Words, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_locked_data_folder_is_named()
    {
        await using var shell = new Shell();
        await using var held = new FileStream(
            Path.Combine(shell.Data, "lock"), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);

        var answer = await shell.OnDataAsync("flows");

        Assert.Equal(2, answer.Code);
        Assert.Contains(shell.Data, answer.Words, StringComparison.Ordinal);
        Assert.Contains("name another folder with --data", answer.Words, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("flows")]
    [InlineData("deploy hello")]
    [InlineData("serve --port 0 --pages-port 0")]
    public async Task A_corrupt_database_is_named_with_what_to_do(string words)
    {
        await using var shell = new Shell();
        await File.WriteAllTextAsync(Path.Combine(shell.Data, "millrace.db"), new string('x', 8192));

        var answer = await shell.OnDataAsync(words.Split(' '));

        Assert.Equal(2, answer.Code);
        Assert.Contains(shell.Data, answer.Words, StringComparison.Ordinal);
        Assert.Contains("restore a backup, or move the file away", answer.Words, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_faulty_manifest_is_named_with_line_and_column()
    {
        await using var shell = new Shell();
        var folder = Path.Combine(shell.Data, "faulty");
        await shell.RunAsync(["new", "hello", folder]);
        await File.AppendAllTextAsync(Path.Combine(folder, "flow.yaml"), "colour: red\n");

        var answer = await shell.OnDataAsync("deploy", folder);

        Assert.Equal(2, answer.Code);
        Assert.Matches(@"flow\.yaml:\d+:\d+: .*colour", answer.Words);
    }

    [Theory]
    [InlineData("MILLRACE_FAILPOINT", "somewhere:kv.set:1", "write POINT:OPERATION:NTH")]
    [InlineData("MILLRACE_FAILPOINT", "after-intent:kv.set:0", "write POINT:OPERATION:NTH")]
    [InlineData("MILLRACE_LEASE_MS", "soon", "MILLRACE_LEASE_MS=soon: a number of milliseconds")]
    [InlineData("MILLRACE_SEND_DEADLINE_MS", "-1", "MILLRACE_SEND_DEADLINE_MS=-1: a number of milliseconds")]
    public async Task A_variable_of_the_server_that_makes_no_sense_is_named(string variable, string value, string words)
    {
        await using var shell = new Shell();
        shell.Set(variable, value);

        var answer = await shell.OnDataAsync("serve", "--port", "0", "--pages-port", "0");

        Assert.Equal(2, answer.Code);
        Assert.Contains(words, answer.Words, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Help_teaches_by_examples()
    {
        await using var shell = new Shell();

        var all = await shell.RunAsync([]);
        var one = await shell.RunAsync(["connections", "add", "--help"]);

        Assert.Equal((0, 0), (all.Code, one.Code));
        Assert.Contains("millrace new hello && millrace deploy hello", all.Output, StringComparison.Ordinal);
        Assert.Contains("--token-env GITHUB_TOKEN", one.Output, StringComparison.Ordinal);
    }
}
