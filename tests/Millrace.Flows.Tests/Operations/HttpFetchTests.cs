using System.IO.Compression;
using System.Net;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Millrace.Flows.Door;
using Millrace.Flows.Manifests;
using Millrace.Flows.Operations;
using Millrace.Sandbox;

namespace Millrace.Flows.Tests.Operations;

public sealed class HttpFetchTests
{
    const string Secret = "s3cr3t/tok=en+1";

    static async Task<OperationOutcome> FetchAsync(
        OperationContext context, object head, string body = "", Func<string, Connection?>? connections = null,
        Resolve? resolve = null, CancellationToken cancel = default)
    {
        using var fetch = new HttpFetch(connections ?? (_ => null), _ => null,
            resolve ?? ((host, _) => throw new InvalidOperationException($"Nobody resolves {host} in this test.")));
        var request = new OperationRequest(
            "http.fetch", JsonSerializer.SerializeToUtf8Bytes(head), Encoding.UTF8.GetBytes(body));
        return await fetch.BuiltIn.Execute(context, request, cancel);
    }

    static JsonNode HeadOf(OperationOutcome outcome) => JsonNode.Parse(outcome.Result.Head.Span)!;

    static string TypeOf(OperationOutcome outcome)
    {
        Assert.Equal(ResultState.Error, outcome.Result.State);
        return (string)HeadOf(outcome)["type"]!;
    }

    static string BodyOf(OperationOutcome outcome) => Encoding.UTF8.GetString(outcome.Result.Body.Span);

    static OperationContext Function(string host, params string[] methods) => OperationContexts.OfFunction(
        Grants.None with { Http = new HttpGrant(OperationContexts.Hosts(host), [.. methods]) { AllowsPrivate = true } });

    [Fact]
    public async Task A_head_with_half_a_surrogate_pair_is_invalid_and_no_write()
    {
        using var fetch = new HttpFetch(_ => null, _ => null, (_, _) => throw new InvalidOperationException());
        var request = new OperationRequest("http.fetch", """{"method":"\ud83d"}"""u8.ToArray(), default);

        var kind = fetch.BuiltIn.Kind(request);
        var outcome = await fetch.BuiltIn.Execute(Function("far.example", "POST"), request, default);

        Assert.Equal(OperationKind.Read, kind);
        Assert.Equal("invalid", TypeOf(outcome));
    }

    [Fact]
    public async Task Sends_what_the_guest_asked_and_answers_with_status_headers_and_body()
    {
        using var server = new FakeFarServer(_ => FakeFarServer.Response(404, "x-a: 1\r\nx-a: 2\r\nset-cookie: s=1\r\n", "no"));

        var outcome = await FetchAsync(Function(server.Origin, "POST"),
            new { method = "POST", url = server.Origin + "/p?q=1#f", headers = new { accept = "text/plain" } }, "body");

        Assert.Equal(FailureKind.Final, outcome.Failure);
        Assert.Equal(404, (int)HeadOf(outcome)["status"]!);
        Assert.Equal("""{"x-a":"1, 2"}""", HeadOf(outcome)["headers"]!.ToJsonString());
        Assert.Equal(server.Origin + "/p?q=1", (string)HeadOf(outcome)["url"]!);
        Assert.Equal("no", BodyOf(outcome));
        var request = server.Requests.Single();
        Assert.StartsWith("POST /p?q=1 HTTP/1.1\r\n", request, StringComparison.Ordinal);
        Assert.Contains("accept: text/plain", request, StringComparison.OrdinalIgnoreCase);
        Assert.EndsWith("\r\n\r\nbody", request, StringComparison.Ordinal);
        Assert.DoesNotContain("authorization", request, StringComparison.OrdinalIgnoreCase);
    }

    [Fact]
    public async Task A_paid_request_may_take_longer_than_a_write_may_be_on_its_way()
    {
        using var server = new FakeFarServer(_ => FakeFarServer.Response(200, "", "thought"));
        var context = Function(server.Origin, "POST") with { SendDeadline = TimeSpan.Zero };
        var head = new { method = "POST", url = server.Origin };

        var paid = await FetchAsync(context with { Kind = OperationKind.Paid }, head);
        var write = await FetchAsync(context with { Kind = OperationKind.Write }, head);

        Assert.Equal("thought", BodyOf(paid));
        Assert.Equal("timeout", TypeOf(write));
    }

    [Theory]
    [InlineData("bearer", null, "Authorization: Bearer s3cr3t/tok=en+1\r\n")]
    [InlineData("basic", "me", "Authorization: Basic bWU6czNjcjN0L3Rvaz1lbisx\r\n")]
    [InlineData("header", "x-key", "x-key: s3cr3t/tok=en+1\r\n")]
    [InlineData("query", "key", "POST /p?a=b&key=s3cr3t%2Ftok%3Den%2B1 HTTP/1.1\r\n")]
    [InlineData("hmac", "x-sig", "x-sig: sha256=")]
    public async Task Puts_the_secret_where_auth_says(string form, string? name, string expected)
    {
        using var server = new FakeFarServer(_ => FakeFarServer.Response(200, "", "ok"));
        var context = OperationContexts.OfIntegration(OperationContexts.Connection(Secret, server.Origin));

        var outcome = await FetchAsync(context,
            new { method = "POST", url = server.Origin + "/p?a=b", auth = new { @as = form, name } }, "{}");

        Assert.Contains(expected, server.Requests.Single(), StringComparison.Ordinal);
        Assert.DoesNotContain("s3cr3t", Encoding.UTF8.GetString(outcome.Result.Head.Span), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Takes_the_secret_out_of_body_and_headers_in_every_form()
    {
        var basic = Convert.ToBase64String(Encoding.UTF8.GetBytes("user:" + Secret + ":more"));
        string[] echoes =
        [
            Secret, Uri.EscapeDataString(Secret), JsonSerializer.Serialize(Secret), Convert.ToHexString(Encoding.UTF8.GetBytes(Secret)),
            Convert.ToHexStringLower(Encoding.UTF8.GetBytes(Secret)), Convert.ToBase64String(Encoding.UTF8.GetBytes(Secret)), basic,
            "s3cr3t\\/tok=en+1", "s3cr3t%2ftok%3den%2b1",
        ];
        using var server = new FakeFarServer(
            _ => FakeFarServer.Response(200, $"x-echo: Bearer {Secret}\r\n", string.Join('\n', echoes)));
        var context = OperationContexts.OfIntegration(OperationContexts.Connection(Secret, server.Origin));

        var outcome = await FetchAsync(context, new { method = "GET", url = server.Origin, auth = new { @as = "bearer" } });

        Assert.Equal("Bearer [secret]", (string)HeadOf(outcome)["headers"]!["x-echo"]!);
        var lines = BodyOf(outcome).Split('\n');
        Assert.Equal(echoes.Length, lines.Length);
        Assert.All(lines, line => Assert.Contains("[secret]", line, StringComparison.Ordinal));
        Assert.DoesNotContain("czNjcjN0", BodyOf(outcome), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Takes_the_secret_out_of_a_compressed_answer()
    {
        using var packed = new MemoryStream();
        using (var gzip = new GZipStream(packed, CompressionLevel.Fastest)) gzip.Write(Encoding.UTF8.GetBytes(Secret));
        using var server = new FakeFarServer(_ => FakeFarServer.Response(200, "content-encoding: gzip\r\n", packed.ToArray()));
        var context = OperationContexts.OfIntegration(OperationContexts.Connection(Secret, server.Origin));

        var outcome = await FetchAsync(context, new { method = "GET", url = server.Origin, auth = new { @as = "bearer" } });

        Assert.Equal("[secret]", BodyOf(outcome));
    }

    [Fact]
    public async Task Follows_a_redirect_to_another_host_without_the_secret()
    {
        using var second = new FakeFarServer(_ => FakeFarServer.Response(200, "", "there"));
        using var first = new FakeFarServer(_ => FakeFarServer.Response(302, $"location: {second.Origin}/x\r\n", ""));
        var context = OperationContexts.OfIntegration(OperationContexts.Connection(Secret, first.Origin, second.Origin));

        var outcome = await FetchAsync(context, new { method = "GET", url = first.Origin, auth = new { @as = "bearer" } });

        Assert.Equal("there", BodyOf(outcome));
        Assert.Equal(second.Origin + "/x", (string)HeadOf(outcome)["url"]!);
        Assert.Contains("Bearer " + Secret, first.Requests.Single(), StringComparison.Ordinal);
        Assert.DoesNotContain("authorization", second.Requests.Single(), StringComparison.OrdinalIgnoreCase);
    }

    [Fact]
    public async Task Keeps_the_secret_on_a_redirect_at_the_same_host()
    {
        using var server = new FakeFarServer(request => request.StartsWith("GET /new", StringComparison.Ordinal)
            ? FakeFarServer.Response(200, "", "there")
            : FakeFarServer.Response(301, "location: /new\r\n", ""));
        var context = OperationContexts.OfIntegration(OperationContexts.Connection(Secret, server.Origin));

        await FetchAsync(context, new { method = "GET", url = server.Origin, auth = new { @as = "bearer" } });

        Assert.All(server.Requests, r => Assert.Contains("Bearer " + Secret, r, StringComparison.Ordinal));
    }

    [Fact]
    public async Task Does_not_follow_a_redirect_to_a_host_that_is_not_granted()
    {
        using var second = new FakeFarServer(_ => FakeFarServer.Response(200, "", "there"));
        using var first = new FakeFarServer(_ => FakeFarServer.Response(307, $"location: {second.Origin}/x\r\n", ""));

        var outcome = await FetchAsync(Function(first.Origin, "GET"), new { method = "GET", url = first.Origin });

        Assert.Equal("denied", TypeOf(outcome));
        Assert.Empty(second.Requests);
    }

    [Fact]
    public async Task A_write_is_not_turned_into_a_read_by_a_redirect()
    {
        using var server = new FakeFarServer(_ => FakeFarServer.Response(302, "location: /other\r\n", ""));

        var outcome = await FetchAsync(Function(server.Origin, "POST"), new { method = "POST", url = server.Origin });

        Assert.Equal(302, (int)HeadOf(outcome)["status"]!);
        Assert.Single(server.Requests);
    }

    [Fact]
    public async Task Gives_up_on_redirects_without_end()
    {
        using var server = new FakeFarServer(_ => FakeFarServer.Response(302, "location: /again\r\n", ""));

        Assert.Equal("upstream", TypeOf(await FetchAsync(
            Function(server.Origin, "GET"), new { method = "GET", url = server.Origin })));
    }

    [Theory]
    [InlineData("POST", "https://granted.example/", "The method POST is not granted.")]
    [InlineData("GET", "https://other.example/", "Requests to other.example are not granted.")]
    [InlineData("GET", "http://granted.example/", "Requests to http://granted.example are not granted.")]
    [InlineData("GET", "https://granted.example:444/", "Requests to granted.example:444 are not granted.")]
    [InlineData("GET", "https://granted.example.evil.example/", "Requests to granted.example.evil.example are not granted.")]
    [InlineData("GET", "https://sub.granted.example/", "Requests to sub.granted.example are not granted.")]
    public async Task Refuses_what_is_not_granted(string method, string url, string expected)
    {
        var outcome = await FetchAsync(Function("granted.example", "GET"), new { method, url });

        Assert.Equal("denied", TypeOf(outcome));
        Assert.Equal(expected, (string)HeadOf(outcome)["detail"]!);
    }

    [Fact]
    public async Task Without_a_grant_nothing_is_asked() => Assert.Equal("denied", TypeOf(await FetchAsync(
        OperationContexts.OfFunction(Grants.None), new { method = "GET", url = "https://a.example" })));

    [Fact]
    public async Task A_functions_secret_goes_only_to_the_hosts_that_it_is_bound_to()
    {
        using var server = new FakeFarServer(_ => FakeFarServer.Response(200, "", "ok"));
        var grant = new HttpGrant(OperationContexts.Hosts(server.Origin), ["GET"]) { AllowsPrivate = true, Connections = ["c"] };
        var context = OperationContexts.OfFunction(Grants.None with { Http = grant });
        var head = new { method = "GET", url = server.Origin, auth = new { connection = "c", @as = "bearer" } };

        var elsewhere = await FetchAsync(context, head, "", _ => OperationContexts.Connection(Secret, "other.example"));
        var there = await FetchAsync(context, head, "", _ => OperationContexts.Connection(Secret, server.Origin));

        Assert.Equal("denied", TypeOf(elsewhere));
        Assert.Equal(ResultState.Done, there.Result.State);
        Assert.Contains("Bearer " + Secret, server.Requests.Single(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_function_names_no_connection_that_is_not_granted()
    {
        var context = Function("a.example", "GET");

        Assert.Equal("denied", TypeOf(await FetchAsync(context,
            new { method = "GET", url = "https://a.example", auth = new { connection = "c", @as = "bearer" } })));
        Assert.Equal("invalid", TypeOf(await FetchAsync(context,
            new { method = "GET", url = "https://a.example", auth = new { @as = "bearer" } })));
    }

    [Fact]
    public async Task A_public_name_that_leads_to_a_private_address_is_not_connected_to()
    {
        using var server = new FakeFarServer(_ => FakeFarServer.Response(200, "", "inside"));
        var host = $"http://name.example:{server.Port}";
        Resolve loopback = (_, _) => Task.FromResult<IPAddress[]>([IPAddress.Loopback]);
        var connection = OperationContexts.Connection(Secret, host);

        var refused = await FetchAsync(
            OperationContexts.OfIntegration(connection with { AllowsPrivate = false }),
            new { method = "GET", url = host }, resolve: loopback);
        var reached = await FetchAsync(
            OperationContexts.OfIntegration(connection), new { method = "GET", url = host }, resolve: loopback);

        Assert.Equal("denied", TypeOf(refused));
        Assert.Equal("inside", BodyOf(reached));
        Assert.Single(server.Requests);
    }

    [Fact]
    public async Task A_name_that_changes_its_address_between_two_requests_is_checked_each_time()
    {
        using var server = new FakeFarServer(_ => FakeFarServer.Response(302, "location: /again\r\n", ""));
        var host = $"http://name.example:{server.Port}";
        var asked = 0;
        Resolve rebinding = (_, _) => Task.FromResult<IPAddress[]>(
            [++asked == 1 ? IPAddress.Loopback : IPAddress.Parse("169.254.169.254")]);
        var context = OperationContexts.OfIntegration(OperationContexts.Connection(Secret, host));

        var outcome = await FetchAsync(context, new { method = "GET", url = host }, resolve: rebinding);

        Assert.Equal("denied", TypeOf(outcome));
        Assert.Single(server.Requests);
    }

    [Theory]
    [InlineData(200, "", FailureKind.Final)]
    [InlineData(403, "", FailureKind.Final)]
    [InlineData(429, "", FailureKind.NotSent)]
    [InlineData(403, "retry-after: 7\r\n", FailureKind.NotSent)]
    [InlineData(503, "retry-after: 7\r\n", FailureKind.NotSent)]
    [InlineData(503, "", FailureKind.Transient)]
    [InlineData(502, "retry-after: 7\r\n", FailureKind.Transient)]
    public async Task Tells_the_door_what_an_answer_means(int status, string headers, object expected)
    {
        using var server = new FakeFarServer(_ => FakeFarServer.Response(status, headers, ""));

        var outcome = await FetchAsync(Function(server.Origin, "POST"), new { method = "POST", url = server.Origin });

        Assert.Equal((FailureKind)expected, outcome.Failure);
        Assert.Equal(headers.Length > 0 ? TimeSpan.FromSeconds(7) : null, outcome.RetryAfter);
    }

    [Fact]
    public async Task A_refused_connection_was_surely_not_sent()
    {
        int port;
        using (var server = new FakeFarServer(_ => null)) port = server.Port;
        var url = $"http://127.0.0.1:{port}";

        var outcome = await FetchAsync(Function(url, "POST"), new { method = "POST", url });

        Assert.Equal("unavailable", TypeOf(outcome));
        Assert.Equal(FailureKind.NotSent, outcome.Failure);
    }

    [Fact]
    public async Task A_connection_that_breaks_after_the_request_leaves_it_open_and_is_not_asked_again_here()
    {
        using var server = new FakeFarServer(_ => null);

        var outcome = await FetchAsync(Function(server.Origin, "POST"), new { method = "POST", url = server.Origin });

        Assert.Equal("unavailable", TypeOf(outcome));
        Assert.Equal(FailureKind.Transient, outcome.Failure);
        Assert.Single(server.Requests);
    }

    [Fact]
    public async Task A_server_that_hangs_is_a_time_out_in_doubt()
    {
        using var server = new FakeFarServer(_ => null) { Hangs = true };

        var outcome = await FetchAsync(Function(server.Origin, "POST"),
            new { method = "POST", url = server.Origin, timeout_ms = 300 });

        Assert.Equal("timeout", TypeOf(outcome));
        Assert.Equal(FailureKind.InDoubt, outcome.Failure);
    }

    [Fact]
    public async Task An_answer_over_the_cap_is_too_large_also_when_it_is_packed()
    {
        using var packed = new MemoryStream();
        using (var gzip = new GZipStream(packed, CompressionLevel.Fastest)) gzip.Write(new byte[1 << 20]);
        using var server = new FakeFarServer(_ => FakeFarServer.Response(200, "content-encoding: gzip\r\n", packed.ToArray()));

        var outcome = await FetchAsync(Function(server.Origin, "GET"),
            new { method = "GET", url = server.Origin, max_bytes = 1000 });

        Assert.Equal("too-large", TypeOf(outcome));
    }

    [Fact]
    public async Task Nothing_leaves_when_the_lease_is_gone_right_before_the_send()
    {
        using var server = new FakeFarServer(_ => FakeFarServer.Response(200, "", ""));
        var context = Function(server.Origin, "POST") with { BeforeSend = () => throw new OperationCanceledException() };

        await Assert.ThrowsAnyAsync<OperationCanceledException>(
            () => FetchAsync(context, new { method = "POST", url = server.Origin }));

        Assert.Empty(server.Requests);
    }

    [Fact]
    public async Task The_door_is_told_right_before_a_write_leaves()
    {
        using var server = new FakeFarServer(_ => FakeFarServer.Response(200, "", ""));
        var seen = new List<int>();
        var context = Function(server.Origin, "POST") with { BeforeSend = () => seen.Add(server.Requests.Count) };

        await FetchAsync(context, new { method = "POST", url = server.Origin });

        Assert.Equal([0], seen);
    }

    [Fact]
    public async Task Ends_when_the_run_is_stopped()
    {
        using var server = new FakeFarServer(_ => null) { Hangs = true };
        using var stop = new CancellationTokenSource();
        var context = Function(server.Origin, "GET") with { BeforeSend = stop.Cancel };

        await Assert.ThrowsAnyAsync<OperationCanceledException>(
            () => FetchAsync(context, new { method = "GET", url = server.Origin }, cancel: stop.Token));
    }

    [Theory]
    [InlineData("[]", "The head of 'http.fetch' is not a JSON object.")]
    [InlineData("{}", "'method' is missing.")]
    [InlineData("""{"method":"get"}""", "'method' is one of")]
    [InlineData("""{"method":"GET"}""", "'url' is missing.")]
    [InlineData("""{"method":"GET","url":"/a"}""", "'url' is not an absolute http or https address.")]
    [InlineData("""{"method":"GET","url":"file:///etc/passwd"}""", "'url' is not an absolute http or https address.")]
    [InlineData("""{"method":"GET","url":"https://u:p@a.example"}""", "'url' holds a user or password")]
    [InlineData("""{"method":"GET","url":"https://a.example","x":1}""", "Unknown field 'x'.")]
    [InlineData("""{"method":"GET","url":"https://a.example","headers":{"Authorization":"x"}}""", "The header 'Authorization' is not a guest's")]
    [InlineData("""{"method":"GET","url":"https://a.example","headers":{"Host":"b"}}""", "The header 'Host' is the host's to set.")]
    [InlineData("""{"method":"GET","url":"https://a.example","headers":{"accept-encoding":"x"}}""", "The header 'accept-encoding' is the host's")]
    [InlineData("""{"method":"GET","url":"https://a.example","headers":{"a b":"x"}}""", "A header's name is not one.")]
    [InlineData("""{"method":"GET","url":"https://a.example","headers":{"a":"x\r\nb: y"}}""", "The value of the header 'a'")]
    [InlineData("""{"method":"GET","url":"https://a.example","headers":{"a":1}}""", "'headers' is an object of texts.")]
    [InlineData("""{"method":"GET","url":"https://a.example","auth":{"as":"digest"}}""", "'auth.as' is one of")]
    [InlineData("""{"method":"GET","url":"https://a.example","auth":{"as":"header"}}""", "'auth' as header needs 'name'")]
    [InlineData("""{"method":"GET","url":"https://a.example","timeout_ms":0}""", "'timeout_ms' is a whole number from 1")]
    [InlineData("""{"method":"GET","url":"https://a.example","max_bytes":"1"}""", "'max_bytes' is a whole number from 1")]
    public async Task Says_what_is_wrong_with_a_head(string head, string expected)
    {
        var outcome = await FetchAsync(Function("a.example", "GET"), JsonNode.Parse(head)!);

        Assert.Equal("invalid", TypeOf(outcome));
        Assert.StartsWith(expected, (string)HeadOf(outcome)["detail"]!, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("""{"method":"GET"}""", OperationKind.Read)]
    [InlineData("""{"method":"HEAD"}""", OperationKind.Read)]
    [InlineData("""{"method":"DELETE"}""", OperationKind.Write)]
    public void The_method_is_the_kind(string head, OperationKind expected)
    {
        using var fetch = new HttpFetch(_ => null, _ => null, (_, _) => Task.FromResult<IPAddress[]>([]));

        Assert.Equal(expected, fetch.BuiltIn.Kind(new OperationRequest("http.fetch", Encoding.UTF8.GetBytes(head), default)));
    }
}
