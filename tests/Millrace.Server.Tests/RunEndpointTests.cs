using System.Net;
using System.Net.Http.Headers;
using System.Text;

namespace Millrace.Server.Tests;

public sealed class RunEndpointTests
{
    /// <summary>Echoes, and then exits with 3.</summary>
    static readonly string EchoAndFail = TestServer.Echo.Replace(
        "(func (export \"_start\") (call $copy))", "(func (export \"_start\") (call $copy) (call $exit (i32.const 3)))",
        StringComparison.Ordinal);

    static readonly string Fail = TestServer.Echo.Replace(
        "(func (export \"_start\") (call $copy))", "(func (export \"_start\") (call $exit (i32.const 3)))",
        StringComparison.Ordinal);

    /// <summary>Asks http.respond, then echoes.</summary>
    static readonly string Respond = TestServer.Echo.Replace("(memory (export \"memory\") 1)", """
        (import "millrace" "start" (func $start (param i32 i32 i32 i32 i32 i32) (result i32)))
        (import "millrace" "wait" (func $wait (param i32 i32 i32 i32) (result i32)))
        (memory (export "memory") 1)
        (data (i32.const 100) "http.respond")
        (data (i32.const 200) "{\"status\":201,\"headers\":{\"content-type\":\"application/json\",\"x-a\":\"b\"}}")
        """, StringComparison.Ordinal).Replace("(func (export \"_start\") (call $copy))", """
        (func (export "_start")
          (i32.store (i32.const 64) (call $start (i32.const 100) (i32.const 12) (i32.const 200) (i32.const 70) (i32.const 0) (i32.const 0)))
          (drop (call $wait (i32.const 64) (i32.const 1) (i32.const -1) (i32.const 72)))
          (call $copy))
        """, StringComparison.Ordinal);

    static async Task<TestServer> WithFlowAsync(string wat, string auth = "auth: none")
    {
        var server = await TestServer.StartAsync();
        await server.DeployAsync("echo", wat, $"triggers: [{{on: http{(auth.Length > 0 ? ", " + auth : "")}}}]");
        return server;
    }

    static StringContent Body(string text) => new(text, Encoding.UTF8);

    [Fact]
    public async Task The_output_is_the_answer()
    {
        await using var server = await WithFlowAsync(TestServer.Echo);

        var response = await server.Http.PostAsync("/run/echo", Body("Hello"));

        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Equal("Hello", await response.Content.ReadAsStringAsync());
        var run = response.Headers.GetValues("millrace-run").Single();
        Assert.NotNull(await server.Platform.RunAsync(run));
    }

    [Fact]
    public async Task The_guest_chooses_status_and_headers()
    {
        await using var server = await WithFlowAsync(Respond);

        var response = await server.Http.PostAsync("/run/echo", Body("{}"));

        Assert.Equal(HttpStatusCode.Created, response.StatusCode);
        Assert.Equal("application/json", response.Content.Headers.ContentType!.MediaType);
        Assert.Equal("b", response.Headers.GetValues("x-a").Single());
        Assert.Equal("{}", await response.Content.ReadAsStringAsync());
    }

    [Fact]
    public async Task Without_auth_none_the_flows_token_is_needed()
    {
        await using var server = await WithFlowAsync(TestServer.Echo, auth: "");
        var headers = server.Http.DefaultRequestHeaders;

        var without = await server.Http.PostAsync("/run/echo", Body("x"));
        headers.Authorization = new AuthenticationHeaderValue("Bearer", server.Host.TokenOf("other"));
        var wrong = await server.Http.PostAsync("/run/echo", Body("x"));
        headers.Authorization = new AuthenticationHeaderValue("Bearer", server.Host.TokenOf("echo"));
        var right = await server.Http.PostAsync("/run/echo", Body("x"));

        await TestServer.AssertProblemAsync(without, HttpStatusCode.Unauthorized, "token");
        await TestServer.AssertProblemAsync(wrong, HttpStatusCode.Unauthorized, "token");
        Assert.Equal("x", await right.Content.ReadAsStringAsync());
    }

    [Fact]
    public async Task A_token_outlives_the_server()
    {
        await using var server = await WithFlowAsync(TestServer.Echo, auth: "");
        var token = server.Host.TokenOf("echo");

        await server.RestartAsync();

        Assert.Equal(token, server.Host.TokenOf("echo"));
    }

    [Fact]
    public async Task The_same_idempotency_key_gets_the_same_answer_of_the_same_run()
    {
        await using var server = await WithFlowAsync(TestServer.Echo);
        server.Http.DefaultRequestHeaders.Add("Idempotency-Key", "k1");

        var first = await server.Http.PostAsync("/run/echo", Body("one"));
        var second = await server.Http.PostAsync("/run/echo", Body("one"));

        Assert.Equal("one", await second.Content.ReadAsStringAsync());
        Assert.Equal(first.Headers.GetValues("millrace-run"), second.Headers.GetValues("millrace-run"));
        Assert.Single(await server.Platform.RunsAsync());
    }

    [Fact]
    public async Task A_run_that_fails_without_a_word_is_a_problem()
    {
        await using var server = await WithFlowAsync(Fail);

        var said = await TestServer.AssertProblemAsync(
            await server.Http.PostAsync("/run/echo", Body("x")), HttpStatusCode.InternalServerError, "run-failed");

        Assert.Contains("ended as Failed", said, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_run_that_fails_after_its_first_byte_breaks_the_connection()
    {
        await using var server = await WithFlowAsync(EchoAndFail);

        var failure = await Assert.ThrowsAnyAsync<Exception>(async () =>
        {
            var response = await server.Http.PostAsync("/run/echo", Body("part"));
            await response.Content.ReadAsStringAsync();
        });

        Assert.True(failure is HttpRequestException or IOException, failure.ToString());
    }

    [Theory]
    [InlineData("/run/none")]
    [InlineData("/run/quiet")]
    public async Task A_flow_that_is_not_called_over_HTTP_is_not_found(string path)
    {
        await using var server = await WithFlowAsync(TestServer.Echo);
        await server.DeployAsync("quiet", TestServer.Echo, "triggers: []");

        await TestServer.AssertProblemAsync(
            await server.Http.PostAsync(path, Body("x")), HttpStatusCode.NotFound, "not-found");
    }

    [Fact]
    public async Task A_body_that_where_leaves_out_makes_no_run()
    {
        await using var server = await WithFlowAsync(TestServer.Echo, "auth: none, where: {kind: wanted}");

        await TestServer.AssertProblemAsync(
            await server.Http.PostAsync("/run/echo", Body("{}")), HttpStatusCode.UnprocessableEntity, "no-match");
        Assert.Equal("""{"kind":"wanted"}""", await (await server.Http.PostAsync(
            "/run/echo", Body("""{"kind":"wanted"}"""))).Content.ReadAsStringAsync());
    }

    [Fact]
    public async Task Hello_answers()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(folder.FullName, "Millrace.slnx"))) folder = folder.Parent!;
        await using var server = await TestServer.StartAsync();
        await server.Platform.DeployAsync(Flows.Package.Load(Path.Combine(folder.FullName, "guests", "hello")));

        var response = await server.Http.PostAsync("/run/hello", Body("World"));

        Assert.StartsWith("Hello, World!", await response.Content.ReadAsStringAsync(), StringComparison.Ordinal);
    }
}
