using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Millrace.Flows.Manifests;

namespace Millrace.Flows.Tests.Operations;

public sealed class ConnectionStoreTests : IDisposable
{
    const string Token = "ghp_0123456789abcdef";
    const string WebhookSecret = "it-is-a-secret";

    static readonly Webhook Webhook = new("x-sig", "sha256=", "x-id", "x-type");

    static readonly Integration Shop = new()
    {
        Name = "shop",
        Module = "shop.wasm",
        Hosts = OperationContexts.Hosts("api.shop.example"),
        Settings = [new Setting("models", SettingType.List, new JsonArray(), "")],
    };

    readonly string _folder = Directory.CreateTempSubdirectory("millrace-connections-").FullName;
    readonly ConnectionStore _store;

    public ConnectionStoreTests() => _store = new ConnectionStore(_folder);

    string PathOf(string name) => Path.Combine(_folder, "connections", name + ".json");

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    void AddShop() =>
        _store.Add(new NewConnection("s", "shop") { Token = Token, WebhookSecret = WebhookSecret }, Shop);

    [Fact]
    public void Keeps_a_connection_in_a_file_of_its_owner()
    {
        AddShop();

        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(PathOf("s")));
        Assert.Equal(Token, new ConnectionStore(_folder).Find("s")!.Secret("token"));
    }

    [Fact]
    public void A_listing_holds_no_secret()
    {
        AddShop();

        var listing = JsonSerializer.Serialize(_store.List());

        Assert.Contains("\"Name\":\"s\"", listing, StringComparison.Ordinal);
        Assert.True(_store.List().Single().HasToken);
        Assert.DoesNotContain(Token, listing, StringComparison.Ordinal);
        Assert.DoesNotContain(WebhookSecret, listing, StringComparison.Ordinal);
    }

    [Fact]
    public void A_file_that_others_may_read_is_not_used_and_the_listing_says_so()
    {
        AddShop();
        File.SetUnixFileMode(PathOf("s"), UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead);

        Assert.Null(_store.Find("s"));
        Assert.Contains($"chmod 600 {PathOf("s")}", _store.List().Single().Problem, StringComparison.Ordinal);
        Assert.Throws<ConnectionException>(() => _store.IsSigned("s", Webhook, "sha256=", []));
    }

    [Fact]
    public void A_broken_file_is_not_used_and_the_listing_says_so()
    {
        AddShop();
        File.WriteAllText(PathOf("s"), "{");

        Assert.Null(_store.Find("s"));
        Assert.Contains("cannot be read. Add it again.", _store.List().Single().Problem, StringComparison.Ordinal);
    }

    [Fact]
    public void Sees_a_connection_that_another_process_changed()
    {
        AddShop();
        Assert.NotNull(_store.Find("s"));

        new ConnectionStore(_folder).Add(new NewConnection("s", "shop") { BaseUrl = "https://other.example/v1/" }, Shop);

        Assert.Equal("https://other.example/v1", _store.Find("s")!.BaseUrl);
        Assert.Equal(["other.example"], _store.Find("s")!.Origins(Shop).Select(host => host.ToString()));
    }

    [Fact]
    public void Removes_a_connection()
    {
        AddShop();

        Assert.True(_store.Remove("s"));
        Assert.False(_store.Remove("s"));
        Assert.Null(_store.Find("s"));
        Assert.Empty(_store.List());
    }

    [Theory]
    [InlineData("../s", null, null, "'../s' is not a connection's name")]
    [InlineData("s", "short", null, "The token is shorter than 8 characters.")]
    [InlineData("s", "with a space", null, "The token contains a space")]
    [InlineData("s", null, "ftp://x", "'ftp://x' is no base URL")]
    [InlineData("s", null, "https://u:p@x.example", "'https://u:p@x.example' is no base URL")]
    public void Refuses_what_is_no_connection(string name, string? token, string? url, string expected)
    {
        var fault = Assert.Throws<ConnectionException>(
            () => _store.Add(new NewConnection(name, "shop") { Token = token, BaseUrl = url }, Shop));

        Assert.StartsWith(expected, fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Takes_only_settings_that_the_integration_declares()
    {
        _store.Add(new NewConnection("s", "shop") { Settings = new JsonObject { ["models"] = "a,b" } }, Shop);

        Assert.Equal("""{"models":["a","b"]}""", _store.Find("s")!.Settings.ToJsonString());
        Assert.Throws<ConnectionException>(
            () => _store.Add(new NewConnection("s", "shop") { Settings = new JsonObject { ["x"] = "1" } }, Shop));
    }

    [Fact]
    public void An_integration_without_hosts_needs_a_base_url()
    {
        var fault = Assert.Throws<ConnectionException>(
            () => _store.Add(new NewConnection("s", "shop"), Shop with { Hosts = [] }));

        Assert.Equal("'shop' names no host: give the connection a base URL.", fault.Message);
    }

    [Fact]
    public void Knows_its_own_signature_from_any_other()
    {
        AddShop();
        var body = "{\"a\":1}"u8.ToArray();
        var mac = Convert.ToHexStringLower(HMACSHA256.HashData(Encoding.UTF8.GetBytes(WebhookSecret), body));

        Assert.True(_store.IsSigned("s", Webhook, "sha256=" + mac, body));
        Assert.True(_store.IsSigned("s", Webhook, "sha256=" + mac.ToUpperInvariant(), body));
        ImmutableArray<string> others =
        [
            "", "sha256=", mac, "sha1=" + mac, "sha256=" + mac[..^2], "sha256=" + mac + "00", "sha256=" + new string('0', 64),
            "sha256=" + new string('z', 64), "sha256=" + mac[..^1] + (mac[^1] == 'a' ? 'b' : 'a'),
        ];
        Assert.All(others, other => Assert.False(_store.IsSigned("s", Webhook, other, body)));
        Assert.False(_store.IsSigned("s", Webhook, "sha256=" + mac, "{\"a\":2}"u8));
    }

    [Fact]
    public void Without_a_webhook_secret_nothing_is_signed()
    {
        _store.Add(new NewConnection("s", "shop"), Shop);
        var mac = Convert.ToHexStringLower(HMACSHA256.HashData([], []));

        Assert.False(_store.IsSigned("s", Webhook, "sha256=" + mac, []));
    }
}
