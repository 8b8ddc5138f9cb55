using System.Net;
using System.Text.Json.Nodes;

namespace Millrace.Server.Tests;

public sealed class PageTests
{
    static HttpClient Browser(string pagesUrl, bool followsRedirects = true) => new(
        new SocketsHttpHandler { AllowAutoRedirect = followsRedirects, CookieContainer = new CookieContainer() })
    {
        BaseAddress = new Uri(pagesUrl),
    };

    [Fact]
    public async Task The_token_opens_the_pages_once_and_leaves_the_address()
    {
        await using var server = await TestServer.StartAsync();
        using var browser = Browser(server.Host.PagesUrl, followsRedirects: false);

        var without = await browser.GetAsync("/");
        var wrong = await browser.GetAsync("/?token=wrong");
        var first = await browser.GetAsync(server.Host.PagesUrl);
        var then = await browser.GetAsync("/");

        await TestServer.AssertProblemAsync(without, HttpStatusCode.Unauthorized, "token");
        await TestServer.AssertProblemAsync(wrong, HttpStatusCode.Unauthorized, "token");
        Assert.Equal(HttpStatusCode.Redirect, first.StatusCode);
        Assert.Equal("/", first.Headers.Location!.OriginalString);
        Assert.Contains("httponly", first.Headers.GetValues("set-cookie").Single(), StringComparison.OrdinalIgnoreCase);
        Assert.Equal(HttpStatusCode.OK, then.StatusCode);
    }

    [Theory]
    [InlineData("evil.example")]
    [InlineData("127.0.0.1")]
    [InlineData("localhost:1")]
    public async Task Another_host_name_is_refused_also_with_the_token(string host)
    {
        await using var server = await TestServer.StartAsync();
        using var browser = Browser(server.Host.PagesUrl);
        using var request = new HttpRequestMessage(HttpMethod.Get, server.Host.PagesUrl) { Headers = { Host = host } };

        await TestServer.AssertProblemAsync(
            await browser.SendAsync(request), HttpStatusCode.MisdirectedRequest, "host");
    }

    [Fact]
    public async Task The_pages_run_no_script_and_load_nothing_from_elsewhere()
    {
        await using var server = await TestServer.StartAsync();
        using var browser = Browser(server.Host.PagesUrl);

        var response = await browser.GetAsync(server.Host.PagesUrl);

        var policy = response.Headers.GetValues("content-security-policy").Single();
        Assert.StartsWith("default-src 'none'; style-src 'self';", policy, StringComparison.Ordinal);
        Assert.Equal("no-store", response.Headers.CacheControl!.ToString());
        Assert.Contains("color-scheme", await browser.GetStringAsync("/page.css"), StringComparison.Ordinal);
        Assert.DoesNotContain("<script", await response.Content.ReadAsStringAsync(), StringComparison.OrdinalIgnoreCase);
    }

    [Fact]
    public async Task An_empty_server_says_what_to_do_first()
    {
        await using var server = await TestServer.StartAsync();
        using var browser = Browser(server.Host.PagesUrl);

        var page = await browser.GetStringAsync(server.Host.PagesUrl);

        Assert.Contains("No flow is deployed yet", page, StringComparison.Ordinal);
        Assert.Contains("millrace deploy hello", page, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Text_of_an_event_is_text()
    {
        await using var server = await TestServer.WithShopAsync(
            "{on: shop.sold, connection: s, partition: \"{name}\"}");
        using var browser = Browser(server.Host.PagesUrl);
        const string Body = """{"name":"<script>alert(1)</script>","key":"ghp_0123456789abcdefghijABCDEFGHIJ456789"}""";
        var answer = JsonNode.Parse(await (await server.SendHookAsync(Body)).Content.ReadAsStringAsync())!;
        var id = (string)answer["runs"]![0]!;
        await server.Platform.WaitForEndAsync(id);

        var list = await browser.GetStringAsync(server.Host.PagesUrl);
        var page = await browser.GetStringAsync($"/runs/{id}");

        Assert.Contains($"/runs/{id}", list, StringComparison.Ordinal);
        Assert.Contains("Completed", page, StringComparison.Ordinal);
        Assert.Contains("&lt;script&gt;alert(1)&lt;/script&gt;", list, StringComparison.Ordinal);
        Assert.Contains("&lt;script&gt;alert(1)&lt;/script&gt;", page, StringComparison.Ordinal);
        Assert.DoesNotContain("<script", list + page, StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotContain("ghp_0123456789", page, StringComparison.Ordinal);
        Assert.Contains("ghp_…(40)", page, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("""{"name":"\ud83d"}""")]
    [InlineData("""{"\ud83d":1}""")]
    [InlineData("""{"name":1,"name":2}""")]
    public async Task JSON_that_cannot_be_read_is_shown_as_it_is(string body)
    {
        await using var server = await TestServer.StartAsync();
        await server.DeployAsync("echo", TestServer.Echo, "triggers: [{on: http, auth: none}]");
        using var browser = Browser(server.Host.PagesUrl);
        var answer = await server.Http.PostAsync("/run/echo", new StringContent(body));
        var id = answer.Headers.GetValues("millrace-run").Single();
        await browser.GetAsync(server.Host.PagesUrl);

        var page = await browser.GetAsync($"/runs/{id}");

        Assert.Equal(HttpStatusCode.OK, page.StatusCode);
        Assert.Contains(WebUtility.HtmlEncode(body), await page.Content.ReadAsStringAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_page_that_is_not_there_is_not_found()
    {
        await using var server = await TestServer.StartAsync();
        using var browser = Browser(server.Host.PagesUrl);
        await browser.GetAsync(server.Host.PagesUrl);

        await TestServer.AssertProblemAsync(
            await browser.GetAsync("/runs/none"), HttpStatusCode.NotFound, "not-found");
        await TestServer.AssertProblemAsync(
            await browser.GetAsync("/hooks/shop/s"), HttpStatusCode.NotFound, "not-found");
    }
}
