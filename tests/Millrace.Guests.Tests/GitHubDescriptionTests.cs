using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Json.Schema;
using Millrace.Cli.Tests.Realism;
using Millrace.Sandbox;

namespace Millrace.Guests.Tests;

/// <summary>
/// The github integration against GitHub's published description: each request is one that it describes, and answers
/// made from it, with everything that may be absent or null once there and once not, become results of our schemas.
/// </summary>
public partial class GitHubDescriptionTests
{
    static readonly Lazy<Task<JsonNode>> Description = new(async () =>
    {
        var folder = await NpmPackage.FetchAsync("@octokit/openapi", "23.0.2",
            "sha512-pV8M7L9GY23AybNvTmo2nyjmpmnt6+2sRE/tqr0ZLQcPS4lnw7u5eZGNmwRNkBC3D7gZXbFx5AHzLUVRBXGDhg==");
        await using var stream = File.OpenRead(Path.Combine(folder, "generated", "api.github.com.json"));
        return (await JsonNode.ParseAsync(stream))!;
    });

    [SkippableTheory]
    [InlineData("get_pull_request", """{"number":7}""", true)]
    [InlineData("get_pull_request", """{"number":7}""", false)]
    [InlineData("list_commits", """{"number":7}""", true)]
    [InlineData("list_commits", """{"number":7}""", false)]
    [InlineData("list_files", """{"number":7}""", true)]
    [InlineData("list_files", """{"number":7}""", false)]
    [InlineData("compare", """{"base":"main","head":"topic"}""", true)]
    [InlineData("compare", """{"base":"main","head":"topic"}""", false)]
    [InlineData("list_comments", """{"number":7}""", true)]
    [InlineData("list_comments", """{"number":7}""", false)]
    [InlineData("create_comment", """{"number":7,"body":"hello"}""", true)]
    [InlineData("create_comment", """{"number":7,"body":"hello"}""", false)]
    [InlineData("update_comment", """{"id":9,"body":"hello"}""", true)]
    [InlineData("find_comment", """{"number":7,"body":"hello"}""", false)]
    [InlineData("get_patch", """{"number":7}""", true)]
    [InlineData("get_patch", """{"base":"main","head":"topic"}""", true)]
    public async Task Every_operation_asks_and_reads_as_described(string operation, string head, bool isFull)
    {
        var described = new Described(await Description.Value, isFull);
        var request = JsonNode.Parse(head)!;
        (request["owner"], request["repo"]) = ("acme", "widgets");
        var scenario = new JsonObject { ["operation"] = operation, ["key"] = "k1", ["head"] = request };

        var run = Integration.Call("github", scenario, described.Answer);

        Assert.Equal((RunEndKind.Exited, 0, ""), (run.End.Kind, run.End.ExitCode, run.End.ExitCode == 0 ? "" : run.Text));
        Assert.Single(run.Operations);
        new IntegrationSchemas("github", operation).CheckResult(Integration.Split(run.Output).Head);
    }

    /// <summary>A server that answers what the description says, to requests that the description has.</summary>
    sealed partial class Described(JsonNode description, bool isFull)
    {
        public Reply Answer(OperationRequest request)
        {
            var head = JsonNode.Parse(request.Head.Span)!;
            var url = new Uri((string)head["url"]!);
            var operation = Find((string)head["method"]!, url.AbsolutePath);
            CheckQuery(operation, url.Query);
            var accept = (string?)head["headers"]?["accept"];
            var (status, response) = operation["responses"]!.AsObject().First(r => r.Key.StartsWith('2'));
            if (accept == "application/vnd.github.diff") return Done(status, "diff --git a/x b/x\n"u8.ToArray());
            Assert.Equal("application/vnd.github+json", accept);
            if (request.Body.Length > 0) CheckBody(operation, request.Body.Span);
            var schema = Resolve(response)["content"]!["application/json"]!["schema"]!;
            return Done(status, Encoding.UTF8.GetBytes(Sample(schema, "", 0)?.ToJsonString() ?? "null"));
        }

        static Reply Done(string status, byte[] body) => Reply.Done(
            new JsonObject { ["status"] = int.Parse(status, null), ["headers"] = new JsonObject(), ["url"] = "u" }, body);

        JsonNode Find(string method, string path)
        {
            // A comparison is described twice, the older way with `{base}...{head}` last.
            return description["paths"]!.AsObject().Where(entry => entry.Value![method.ToLowerInvariant()] is not null
                && Regex.IsMatch(path, "^" + Placeholder().Replace(entry.Key, "[^/]+") + "$"))
                .Select(entry => entry.Value![method.ToLowerInvariant()]!).First();
        }

        void CheckQuery(JsonNode operation, string query)
        {
            var known = (operation["parameters"] as JsonArray ?? []).Select(p => Resolve(p!))
                .Where(p => (string?)p["in"] == "query").Select(p => (string)p["name"]!).ToHashSet();
            foreach (var part in query.TrimStart('?').Split('&', StringSplitOptions.RemoveEmptyEntries))
                Assert.Contains(part.Split('=')[0], known);
        }

        void CheckBody(JsonNode operation, ReadOnlySpan<byte> body)
        {
            var schema = Resolve(operation["requestBody"]!["content"]!["application/json"]!["schema"]!);
            using var document = JsonDocument.Parse(body.ToArray());
            Assert.True(JsonSchema.FromText(schema.ToJsonString(), new BuildOptions { SchemaRegistry = new SchemaRegistry() })
                .Evaluate(document.RootElement).IsValid);
        }

        JsonNode Resolve(JsonNode? node)
        {
            while (node is JsonObject schema && schema["$ref"] is JsonValue reference)
            {
                node = description;
                foreach (var step in ((string)reference!)[2..].Split('/')) node = node![step];
            }
            return node!;
        }

        /// <summary>An instance: full with every member, else with the required ones and null where that may be.</summary>
        JsonNode? Sample(JsonNode node, string name, int depth)
        {
            var schema = Resolve(node);
            if (!isFull && (bool?)schema["nullable"] == true) return null;
            if ((schema["oneOf"] ?? schema["anyOf"]) is JsonArray choices) return Sample(choices[0]!, name, depth);
            if (schema["allOf"] is JsonArray parts) return Sample(parts[^1]!, name, depth);
            if (schema["enum"] is JsonArray values) return values[0]?.DeepClone();
            return (string?)schema["type"] switch
            {
                "array" => depth > 4 ? [] : new JsonArray(Sample(schema["items"]!, name, depth + 1)),
                "integer" => 9007199254740993,
                "number" => 1.5,
                "boolean" => true,
                "string" => (string?)schema["format"] == "date-time" ? "2026-11-25T15:30:00Z" : name + " é \"text\"",
                _ => Members(schema, depth),
            };
        }

        JsonObject Members(JsonNode schema, int depth)
        {
            var required = (schema["required"] as JsonArray ?? []).Select(r => (string)r!).ToHashSet();
            var members = new JsonObject();
            if (depth > 6) return members;
            foreach (var (name, member) in schema["properties"] as JsonObject ?? [])
            {
                if (required.Contains(name) || (isFull && depth < 3)) members[name] = Sample(member!, name, depth + 1);
            }
            return members;
        }

        [GeneratedRegex(@"\{[^}]+\}")]
        private static partial Regex Placeholder();
    }
}
