using System.Net;
using System.Net.Sockets;
using System.Text.Json.Nodes;
using Millrace.Flows;

namespace Millrace.Server.Tests;

public sealed class ControlTests
{
    static string Hello(string folder, string more = "triggers: [{on: http}]") => TestServer.WritePackage(
        folder, "flow.yaml", "millrace: 1\nname: hello\nmodule: a.wasm\n" + more, "a.wasm", TestServer.Echo);

    [Fact]
    public async Task Speaks_to_a_running_server()
    {
        await using var server = await TestServer.StartAsync();
        await using var client = await ControlClient.OpenAsync(server.Folder);

        var status = await client.StatusAsync();

        Assert.True(client.IsServerRunning);
        Assert.Equal(server.Host.Url, status.Url);
        Assert.Equal(Environment.ProcessId, status.ProcessId);
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(server.Host.SocketPath));
    }

    [Fact]
    public async Task Opens_the_folder_itself_where_no_server_runs()
    {
        var folder = TestServer.NewFolder();
        try
        {
            await using (var client = await ControlClient.OpenAsync(folder))
            {
                Assert.False(client.IsServerRunning);
                await client.DeployAsync(Hello(folder));
            }
            await using var again = await ControlClient.OpenAsync(folder);
            Assert.Equal("hello", (await again.FlowsAsync()).Single().Flow.Name);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [Fact]
    public async Task Is_not_misled_by_the_socket_of_a_server_that_was_killed()
    {
        var folder = TestServer.NewFolder();
        Directory.CreateDirectory(folder);
        try
        {
            using (var dead = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified))
                dead.Bind(new UnixDomainSocketEndPoint(Path.Combine(folder, "control.sock")));

            await using var client = await ControlClient.OpenAsync(folder);

            Assert.Empty(await client.FlowsAsync());
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [Fact]
    public async Task Deploys_a_folder_and_says_how_the_flow_is_called()
    {
        await using var server = await TestServer.StartAsync();
        await using var client = await ControlClient.OpenAsync(server.Folder);

        var first = await client.DeployAsync(Hello(server.Folder));
        var same = await client.DeployAsync(Hello(server.Folder));
        var flow = (await client.FlowsAsync()).Single();

        Assert.Equal((1, true), (first.Version, first.IsNew));
        Assert.Equal((1, false), (same.Version, same.IsNew));
        Assert.Equal($"{server.Host.Url}/run/hello", first.RunUrl);
        Assert.Equal(server.Host.TokenOf("hello"), flow.Token);
    }

    [Theory]
    [InlineData("limits: {wall: soon}", "flow.yaml:4:16: 'wall' is a duration like 500ms, 60s, 10m or 2h, not 'soon'")]
    [InlineData("grants: {shop: {connection: s, operations: [look]}}", "no integration 'shop' is deployed; deploy it first")]
    public async Task Says_what_is_wrong_with_a_package(string more, string expected)
    {
        await using var server = await TestServer.StartAsync();
        await using var client = await ControlClient.OpenAsync(server.Folder);

        var fault = await Assert.ThrowsAsync<ServerException>(() => client.DeployAsync(Hello(server.Folder, more)));

        Assert.Equal(expected, fault.Message);
    }

    [Fact]
    public async Task Shows_runs_with_their_output_and_log()
    {
        await using var server = await TestServer.WithShopAsync();
        await using var client = await ControlClient.OpenAsync(server.Folder);
        var answer = JsonNode.Parse(await (await server.SendHookAsync("{}")).Content.ReadAsStringAsync())!;
        var id = (string)answer["runs"]![0]!;

        var end = await client.WaitForEndAsync(id);
        using var output = new StreamReader(await client.OutputAsync(id));

        Assert.Equal(RunOutcome.Completed, end.Outcome);
        Assert.Equal("{}", await output.ReadToEndAsync());
        Assert.Equal(id, (await client.RunsAsync("echo")).Single().Id);
        Assert.Empty(await client.RunsAsync("other"));
        Assert.Equal("shop.sold", (await client.RunAsync(id)).Summary.EventType);
        Assert.Empty(await client.LogAsync(id));
        Assert.False(await client.CancelAsync(id));
    }

    [Fact]
    public async Task Says_that_there_is_no_such_run()
    {
        await using var server = await TestServer.StartAsync();
        await using var client = await ControlClient.OpenAsync(server.Folder);

        foreach (var ask in new Func<Task>[]
        {
            () => client.RunAsync("none"), () => client.LogAsync("none"), () => client.CancelAsync("none"),
            () => client.OutputAsync("none"), () => client.ResolveAsync("none", new ResolveRequest(1, null)),
        })
        {
            var fault = await Assert.ThrowsAsync<ServerException>(ask);
            Assert.Equal("There is no run 'none'.", fault.Message);
        }
    }

    [Fact]
    public async Task Adds_lists_and_removes_connections_and_never_shows_a_secret()
    {
        await using var server = await TestServer.WithShopAsync();
        await using var client = await ControlClient.OpenAsync(server.Folder);

        await client.AddConnectionAsync(new NewConnection("t", "shop")
        {
            BaseUrl = "http://127.0.0.1:1/",
            AllowsPrivate = true,
            Token = "another-token-1",
        });

        var listed = await client.ConnectionsAsync();
        Assert.Equal(["s", "t"], listed.Select(connection => connection.Name));
        Assert.Equal("http://127.0.0.1:1", listed[1].BaseUrl);
        Assert.DoesNotContain("token-", string.Join("", listed), StringComparison.Ordinal);
        Assert.Equal("127.0.0.1 does not take connections.", (await client.TestConnectionAsync("t")).Detail);
        await client.RemoveConnectionAsync("t");
        Assert.Single(await client.ConnectionsAsync());
        await Assert.ThrowsAsync<ServerException>(() => client.RemoveConnectionAsync("t"));
        var fault = await Assert.ThrowsAsync<ServerException>(
            () => client.AddConnectionAsync(new NewConnection("x", "none")));
        Assert.StartsWith("No integration 'none' is deployed", fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_folder_has_one_server()
    {
        await using var server = await TestServer.StartAsync();

        var fault = await Assert.ThrowsAsync<PlatformException>(
            () => ServerHost.StartAsync(TestServer.Options(server.Folder)));

        Assert.Equal(PlatformError.DataFolderLocked, fault.Error);
    }

    [Fact]
    public async Task A_port_in_use_is_said_and_leaves_the_folder_free()
    {
        using var other = new TcpListener(IPAddress.Loopback, 0);
        other.Start();
        var port = ((IPEndPoint)other.LocalEndpoint).Port;
        var folder = TestServer.NewFolder();
        try
        {
            var fault = await Assert.ThrowsAsync<ServerException>(
                () => ServerHost.StartAsync(TestServer.Options(folder) with { Port = port }));

            Assert.Equal(
                $"Port {port} is in use. Stop what listens there, or choose another port with --port.", fault.Message);
            await using var server = await ServerHost.StartAsync(TestServer.Options(folder));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [Fact]
    public async Task A_data_folder_whose_path_is_too_long_for_a_socket_is_said()
    {
        var folder = Path.Combine(Path.GetTempPath(), new string('x', 110));
        try
        {
            var fault = await Assert.ThrowsAsync<ServerException>(() => ServerHost.StartAsync(TestServer.Options(folder)));

            Assert.StartsWith("The data folder's path is too long", fault.Message, StringComparison.Ordinal);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }
}
