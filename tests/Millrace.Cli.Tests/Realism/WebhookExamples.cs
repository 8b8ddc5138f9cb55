using System.Text.Json.Nodes;

namespace Millrace.Cli.Tests.Realism;

/// <summary>GitHub's own examples of webhook payloads, as Octokit keeps them.</summary>
static class WebhookExamples
{
    public const string Package = "@octokit/webhooks-examples@7.6.1";

    const string Integrity =
        "sha512-De6U3XB6O3DtCa7bKgCMzTHdeopqqZ6SNivMYJnK65ierKL1AnNIA0tkRYCRS7lwGT792d+Ps1WbfHlso6MynQ==";

    /// <summary>The examples of an event; null and the reason where npm brings none.</summary>
    public static async Task<(JsonArray? Examples, string Reason)> FetchAsync(string name)
    {
        var at = Package.LastIndexOf('@');
        var (folder, reason) = await NpmArchive.FetchAsync(Package[..at], Package[(at + 1)..], Integrity);
        if (folder is null) return (null, reason);
        var text = await File.ReadAllTextAsync(Path.Combine(folder, "api.github.com", "index.json"));
        var all = JsonNode.Parse(text)!.AsArray();
        return (all.Single(entry => (string?)entry!["name"] == name)!["examples"]!.AsArray(), "");
    }

    /// <summary>The first example with that action.</summary>
    public static JsonNode Of(this JsonArray examples, string action) =>
        examples.First(example => (string?)example!["action"] == action)!;
}
