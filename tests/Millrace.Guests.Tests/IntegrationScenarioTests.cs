using System.Text;
using System.Text.Json.Nodes;
using Json.Schema;
using Millrace.Sandbox;

namespace Millrace.Guests.Tests;

/// <summary>
/// The integrations against exchanges in files: an operation, what the far server is asked and answers, what comes out.
/// </summary>
public class IntegrationScenarioTests
{
    public static TheoryData<string> GitHub => Folders.Names("github");

    public static TheoryData<string> OpenAi => Folders.Names("openai");

    [Theory]
    [MemberData(nameof(GitHub))]
    public void GitHub_answers_as_the_scenario_says(string scenario) => Play("github", scenario);

    [Theory]
    [MemberData(nameof(OpenAi))]
    public void OpenAi_answers_as_the_scenario_says(string scenario) => Play("openai", scenario);

    static void Play(string guest, string name)
    {
        var scenario = JsonNode.Parse(File.ReadAllText(Path.Combine(Folders.Scenarios, guest, name + ".json")))!;
        var exchanges = new Queue<JsonNode?>(scenario["exchanges"]!.AsArray());
        var schemas = new IntegrationSchemas(guest, (string)scenario["operation"]!);
        if ((bool?)scenario["request_is_valid"] ?? true) schemas.CheckRequest(scenario["head"]!);

        var run = Integration.Call(guest, scenario, request => Answer(exchanges, request));

        Assert.Empty(run.Log);
        Assert.Equal((RunEndKind.Exited, (int?)scenario["exit_code"] ?? 0), (run.End.Kind, run.End.ExitCode));
        Assert.Empty(exchanges);
        var (head, body) = Integration.Split(run.Output);
        Assert.Equal(Sorted(scenario["result"]!), Sorted(head));
        Assert.Equal(Bytes(scenario, "result_body"), body);
        if (run.End.ExitCode == 0) schemas.CheckResult(head);
    }

    static Reply Answer(Queue<JsonNode?> exchanges, OperationRequest request)
    {
        Assert.Equal("http.fetch", request.Name);
        var head = JsonNode.Parse(request.Head.Span)!;
        Assert.True(exchanges.TryDequeue(out var next), $"not expected: {head["method"]} {head["url"]}");
        var wanted = next!["request"]!;
        Assert.Equal($"{wanted["method"]} {wanted["url"]}", $"{head["method"]} {head["url"]}");
        Assert.Equal("bearer", (string?)head["auth"]?["as"]);
        if (wanted["accept"] is { } accept) Assert.Equal((string?)accept, (string?)head["headers"]?["accept"]);
        if (wanted["body"] is { } body) Assert.Equal(Sorted(body), Sorted(JsonNode.Parse(request.Body.Span)!));
        if (next["error"] is { } error) return Reply.Error((string)error["type"]!, (string)error["detail"]!);
        var answer = next["response"]!;
        return Reply.Done(
            new JsonObject
            {
                ["status"] = answer["status"]!.DeepClone(),
                ["headers"] = answer["headers"]?.DeepClone() ?? new JsonObject(),
                ["url"] = head["url"]!.DeepClone(),
            },
            Bytes(answer, "body"));
    }

    /// <summary>A body: JSON, a text, or bytes in base64 under the name with <c>_base64</c>.</summary>
    static byte[] Bytes(JsonNode node, string name) =>
        node[name + "_base64"] is { } bytes ? Convert.FromBase64String((string)bytes!)
        : node[name] is not { } body ? []
        : Encoding.UTF8.GetBytes(body is JsonValue value && value.TryGetValue<string>(out var text) ? text : body.ToJsonString());

    /// <summary>Without the order of members, which means nothing.</summary>
    static string Sorted(JsonNode? node) => node switch
    {
        JsonObject members => "{" + string.Join(",", members.OrderBy(m => m.Key, StringComparer.Ordinal)
            .Select(m => $"{m.Key}:{Sorted(m.Value)}")) + "}",
        JsonArray items => "[" + string.Join(",", items.Select(Sorted)) + "]",
        _ => node?.ToJsonString() ?? "null",
    };
}

/// <summary>The frame of a child run.</summary>
static class Integration
{
    public static GuestRun Call(string guest, JsonNode scenario, Func<OperationRequest, Reply> answer)
    {
        var connection = scenario["connection"] ?? new JsonObject
        {
            ["name"] = "c",
            ["base_url"] = "https://far.example",
            ["settings"] = new JsonObject { ["models"] = new JsonArray("small") },
        };
        var envelope = new JsonObject
        {
            ["id"] = "e",
            ["type"] = "millrace.operation",
            ["operation"] = new JsonObject
            {
                ["name"] = scenario["operation"]!.DeepClone(),
                ["key"] = scenario["key"]?.DeepClone() ?? "k0",
            },
        };
        return GuestRun.Of(guest, Encoding.UTF8.GetBytes(scenario["head"]!.ToJsonString() + "\n"), answer,
            ("MILLRACE_EVENT", envelope), ("MILLRACE_CONNECTION", connection));
    }

    public static (JsonNode Head, byte[] Body) Split(byte[] output)
    {
        var end = Array.IndexOf(output, (byte)'\n');
        return (JsonNode.Parse(output.AsSpan(0, end))!, output[(end + 1)..]);
    }
}

/// <summary>The schemas that an integration's manifest names for an operation.</summary>
sealed class IntegrationSchemas
{
    readonly JsonSchema? _request;
    readonly JsonSchema? _result;

    public IntegrationSchemas(string guest, string operation)
    {
        var folder = Path.Combine(Folders.Guests, guest);
        var line = File.ReadLines(Path.Combine(folder, "integration.yaml"))
            .FirstOrDefault(l => l.StartsWith($"  {operation}: ", StringComparison.Ordinal)) ?? "";
        _request = Read(", request: ");
        _result = Read(", result: ");

        JsonSchema? Read(string key)
        {
            var at = line.IndexOf(key, StringComparison.Ordinal);
            if (at < 0) return null;
            var path = line[(at + key.Length)..].Split(',', '}')[0];
            return JsonSchema.FromText(
                File.ReadAllText(Path.Combine(folder, path)), new BuildOptions { SchemaRegistry = new SchemaRegistry() });
        }
    }

    public void CheckRequest(JsonNode head) => Check(_request, head);

    public void CheckResult(JsonNode head) => Check(_result, head);

    static void Check(JsonSchema? schema, JsonNode head)
    {
        Assert.NotNull(schema);
        using var document = System.Text.Json.JsonDocument.Parse(head.ToJsonString());
        var results = schema.Evaluate(document.RootElement, new EvaluationOptions { OutputFormat = OutputFormat.List });
        Assert.True(results.IsValid, string.Join("; ", (results.Details ?? [])
            .Where(d => d.Errors is { Count: > 0 }).Select(d => $"{d.InstanceLocation}: {d.Errors!.First().Value}")));
    }
}
