using System.Text.Json;
using System.Text.Json.Nodes;

namespace Millrace.Server.Tests.ModelApi;

/// <summary>Tools, schemas, chances of tokens and vectors, by small models that know nothing of them.</summary>
public sealed class ConstrainedTests
{
    const string City = """
        {"type":"object","properties":{"city":{"type":"string","maxLength":20}},"required":["city"],"additionalProperties":false}
        """;

    static JsonObject Asking(string model)
    {
        var body = ApiServer.Chat("What is the weather in Paris?", maxTokens: 300, model);
        body["tools"] = new JsonArray(new JsonObject
        {
            ["type"] = "function",
            ["function"] = new JsonObject { ["name"] = "weather", ["parameters"] = JsonNode.Parse(City) },
        });
        body["tool_choice"] = "required";
        return body;
    }

    [SkippableFact]
    public async Task A_tool_is_called_with_arguments_of_its_schema_whole_and_in_pieces()
    {
        var model = ApiServer.Given("SmolLM2");
        await using var server = await ApiServer.StartAsync();

        var whole = await server.PostAsync("/v1/chat/completions", Asking(model));
        var pieces = await server.StreamAsync("/v1/chat/completions", Asking(model));

        var call = whole["choices"]![0]!["message"]!["tool_calls"]![0]!;
        var streamed = pieces.Select(piece => piece["choices"]![0]!["delta"]!["tool_calls"]?[0]).Single(one => one is not null)!;
        Assert.Equal("tool_calls", (string?)whole["choices"]![0]!["finish_reason"]);
        Assert.Equal(("weather", "weather"), ((string?)call["function"]!["name"], (string?)streamed["function"]!["name"]));
        Assert.InRange(((string)JsonNode.Parse((string)call["function"]!["arguments"]!)!["city"]!).Length, 0, 20);
        Assert.Equal((string?)call["function"]!["arguments"], (string?)streamed["function"]!["arguments"]);
        Assert.Equal(0, (int)streamed["index"]!);
        Assert.Equal("tool_calls", (string?)pieces[^1]["choices"]![0]!["finish_reason"]);
    }

    [SkippableFact]
    public async Task A_response_calls_a_tool_and_takes_its_output()
    {
        var model = ApiServer.Given("SmolLM2");
        await using var server = await ApiServer.StartAsync();
        JsonObject Body() => new()
        {
            ["model"] = model,
            ["input"] = "What is the weather in Paris?",
            ["tool_choice"] = "required",
            ["seed"] = 1,
            ["tools"] = new JsonArray(new JsonObject { ["type"] = "function", ["name"] = "weather", ["parameters"] = JsonNode.Parse(City) }),
        };

        var whole = await server.PostAsync("/v1/responses", Body());
        var events = await server.StreamAsync("/v1/responses", Body());
        var call = whole["output"]!.AsArray().Single(item => (string?)item!["type"] == "function_call")!;
        var next = Body();
        next["tool_choice"] = "none";
        next["max_output_tokens"] = 8;
        next["input"] = new JsonArray(
            new JsonObject { ["role"] = "user", ["content"] = "What is the weather in Paris?" }, call.DeepClone(),
            new JsonObject { ["type"] = "function_call_output", ["call_id"] = (string?)call["call_id"], ["output"] = "sunny" });
        var answer = await server.PostAsync("/v1/responses", next);

        Assert.Contains("response.function_call_arguments.done", events.Select(one => (string?)one["type"]));
        Assert.Equal((string?)call["arguments"], (string?)events.Single(one => (string?)one["type"] == "response.function_call_arguments.done")["arguments"]);
        Assert.Equal("message", (string?)answer["output"]![0]!["type"]);
    }

    [SkippableFact]
    public async Task A_schema_is_met_and_the_chances_of_tokens_are_told()
    {
        var model = ApiServer.Given("SmolLM2");
        await using var server = await ApiServer.StartAsync();
        var body = ApiServer.Chat("Name a city.", maxTokens: 300, model);
        body["response_format"] = new JsonObject
        {
            ["type"] = "json_schema",
            ["json_schema"] = new JsonObject { ["name"] = "city", ["schema"] = JsonNode.Parse(City) },
        };
        body["logprobs"] = true;
        body["top_logprobs"] = 2;

        var choice = (await server.PostAsync("/v1/chat/completions", body))["choices"]![0]!;

        Assert.Equal(JsonValueKind.String, JsonNode.Parse((string)choice["message"]!["content"]!)!["city"]!.GetValueKind());
        var tokens = choice["logprobs"]!["content"]!.AsArray();
        Assert.NotEmpty(tokens);
        Assert.All(tokens, token => Assert.True((double)token!["logprob"]! <= 0 && token["top_logprobs"]!.AsArray().Count == 2));
    }

    [SkippableFact]
    public async Task Texts_become_vectors_as_numbers_and_as_bytes()
    {
        var model = ApiServer.Given("all-MiniLM");
        await using var server = await ApiServer.StartAsync();
        JsonObject Body(string format) => new()
        {
            ["model"] = model,
            ["input"] = new JsonArray("a cat", "a dog"),
            ["encoding_format"] = format,
            ["dimensions"] = 384,
        };

        var numbers = await server.PostAsync("/v1/embeddings", Body("float"));
        var bytes = await server.PostAsync("/v1/embeddings", Body("base64"));

        var vector = numbers["data"]![1]!["embedding"]!.AsArray().Select(number => (float)number!).ToArray();
        var packed = Convert.FromBase64String((string)bytes["data"]![1]!["embedding"]!);
        Assert.Equal(384, vector.Length);
        Assert.Equal(1, Math.Sqrt(vector.Sum(number => number * (double)number)), 3);
        Assert.Equal(384, packed.Length / 4);
        Assert.All(vector.Select((number, i) => (number, i)), pair => Assert.Equal(pair.number, BitConverter.ToSingle(packed, 4 * pair.i), 5));
        Assert.True((int)numbers["usage"]!["prompt_tokens"]! > 0);
    }
}
