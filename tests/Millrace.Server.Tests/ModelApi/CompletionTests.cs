using System.Net;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json.Nodes;

namespace Millrace.Server.Tests.ModelApi;

/// <summary>The answers of /v1, as written on the wire.</summary>
public sealed class CompletionTests
{
    const int ClientsAtOnce = 100;

    static readonly TimeSpan LookEvery = TimeSpan.FromMilliseconds(50);

    [SkippableFact]
    public async Task A_conversation_is_answered_whole_and_the_same_in_pieces()
    {
        ApiServer.NeedsLibrary();
        await using var server = await ApiServer.StartAsync();

        var whole = await server.PostAsync("/v1/chat/completions", ApiServer.Chat("hello"));
        var streamed = ApiServer.Chat("hello");
        streamed["stream_options"] = new JsonObject { ["include_usage"] = true };
        var pieces = await server.StreamAsync("/v1/chat/completions", streamed);

        Assert.Equal("chat.completion", (string?)whole["object"]);
        var choice = whole["choices"]![0]!;
        Assert.Equal("assistant", (string?)choice["message"]!["role"]);
        Assert.Contains((string?)choice["finish_reason"], new[] { "stop", "length" });
        Assert.Equal(
            (int)whole["usage"]!["total_tokens"]!, (int)whole["usage"]!["prompt_tokens"]! + (int)whole["usage"]!["completion_tokens"]!);
        Assert.All(pieces, piece => Assert.Equal("chat.completion.chunk", (string?)piece["object"]));
        Assert.Equal("assistant", (string?)pieces[0]["choices"]![0]!["delta"]!["role"]);
        Assert.Equal((string?)choice["message"]!["content"], string.Concat(pieces.SkipLast(1).Select(piece => (string?)piece["choices"]![0]!["delta"]!["content"])));
        Assert.Equal((string?)choice["finish_reason"], (string?)pieces[^2]["choices"]![0]!["finish_reason"]);
        Assert.Empty(pieces[^1]["choices"]!.AsArray());
        Assert.Equal((int)whole["usage"]!["completion_tokens"]!, (int)pieces[^1]["usage"]!["completion_tokens"]!);
    }

    [SkippableFact]
    public async Task Several_answers_to_one_question_have_seeds_of_their_own()
    {
        ApiServer.NeedsLibrary();
        await using var server = await ApiServer.StartAsync();
        var body = ApiServer.Chat("hello");
        body["n"] = 3;

        var whole = await server.PostAsync("/v1/chat/completions", body.DeepClone());
        var pieces = await server.StreamAsync("/v1/chat/completions", body);

        Assert.Equal([0, 1, 2], whole["choices"]!.AsArray().Select(choice => (int)choice!["index"]!));
        Assert.True(whole["choices"]!.AsArray().Select(choice => (string?)choice!["message"]!["content"]).Distinct().Count() > 1);
        Assert.Equal([0, 1, 2], pieces.Where(piece => piece["choices"]![0]!["finish_reason"] is not null)
            .Select(piece => (int)piece["choices"]![0]!["index"]!).Order());
    }

    [SkippableFact]
    public async Task A_text_is_gone_on_with_as_it_stands()
    {
        ApiServer.NeedsLibrary();
        await using var server = await ApiServer.StartAsync();
        JsonObject Body() => new() { ["prompt"] = "Once upon", ["max_tokens"] = 5, ["echo"] = true, ["temperature"] = 0 };

        var whole = await server.PostAsync("/v1/completions", Body());
        var pieces = await server.StreamAsync("/v1/completions", Body());

        Assert.StartsWith("Once upon", (string?)whole["choices"]![0]!["text"], StringComparison.Ordinal);
        Assert.Equal("text_completion", (string?)whole["object"]);
        Assert.Equal((string?)whole["choices"]![0]!["text"], string.Concat(pieces.Select(piece => (string?)piece["choices"]![0]!["text"])));
    }

    [SkippableFact]
    public async Task A_response_comes_whole_and_in_numbered_events()
    {
        ApiServer.NeedsLibrary();
        await using var server = await ApiServer.StartAsync();
        JsonObject Body() => new() { ["input"] = "hello", ["instructions"] = "Be brief.", ["max_output_tokens"] = 5, ["seed"] = 1, ["model"] = ApiServer.Tiny };

        var whole = await server.PostAsync("/v1/responses", Body());
        var events = await server.StreamAsync("/v1/responses", Body());

        var text = (string?)whole["output"]![0]!["content"]![0]!["text"];
        Assert.Equal("response", (string?)whole["object"]);
        Assert.Equal(Enumerable.Range(0, events.Count), events.Select(one => (int)one["sequence_number"]!));
        string[] first = ["response.created", "response.in_progress", "response.output_item.added", "response.content_part.added"];
        Assert.Equal(first, events.Take(4).Select(one => (string?)one["type"]));
        Assert.Equal(text, string.Concat(events.Select(one => (string?)one["delta"])));
        Assert.Equal(text, (string?)events[^1]["response"]!["output"]![0]!["content"]![0]!["text"]);
        Assert.Equal($"response.{whole["status"]}", (string?)events[^1]["type"]);
    }

    [SkippableFact]
    public async Task The_models_of_the_machine_are_listed()
    {
        ApiServer.NeedsLibrary();
        await using var server = await ApiServer.StartAsync();

        var list = JsonNode.Parse(await server.Http.GetStringAsync("/v1/models"))!;
        var one = JsonNode.Parse(await server.Http.GetStringAsync("/v1/models/" + ApiServer.Tiny))!;

        Assert.Contains(ApiServer.Tiny, list["data"]!.AsArray().Select(model => (string?)model!["id"]));
        Assert.Equal("model", (string?)one["object"]);
        await AccessTests.RefusedAsync(await server.Http.GetAsync("/v1/models/none"), 404, "model_not_found", "model");
    }

    // What is sent, and which place of it the answer names.
    static readonly (string Body, string? Place)[] Wrongs =
    [
        ("{", null),
        ("[]", null),
        ("{}", "messages"),
        ("""{"messages":[]}""", "messages"),
        ("""{"messages":[{"role":"robot","content":"x"}]}""", "messages[0].role"),
        ("""{"messages":[{"role":"user"}]}""", "messages[0].content"),
        ("""{"messages":[{"role":"user","content":[{"type":"image_url"}]}]}""", "messages[0].content[0].type"),
        ("""{"messages":[{"role":"user","content":"\ud800"}]}""", "messages[0].content"),
        ("""{"messages":[{"role":"user","content":"x"}],"temperature":3}""", "temperature"),
        ("""{"messages":[{"role":"user","content":"x"}],"n":0}""", "n"),
        ("""{"messages":[{"role":"user","content":"x"}],"top_logprobs":1}""", "top_logprobs"),
        ("""{"messages":[{"role":"user","content":"x"}],"stop":[""]}""", "stop"),
        ("""{"messages":[{"role":"user","content":"x"}],"logit_bias":{"a":1}}""", "logit_bias.a"),
        ("""{"messages":[{"role":"user","content":"x"}],"stream_options":{}}""", "stream_options"),
        ("""{"messages":[{"role":"user","content":"x"}],"tool_choice":"required"}""", "tool_choice"),
        ("""{"messages":[{"role":"user","content":"x"}],"tool_choice":"\ud800"}""", "tool_choice"),
        ("""{"messages":[{"role":"user","content":"x"}],"response_format":{"type":"xml"}}""", "response_format.type"),
        ($$"""{"messages":[{{Many("1", 4097)}}]}""", "messages"),
        ($$"""{"messages":[{"role":"user","content":[{{Many("1", 4097)}}]}]}""", "messages[0].content"),
        ($$"""{"messages":[{"role":"user","content":"x"}],"stop":[{{Many("1", 17)}}]}""", "stop"),
        ($$$"""{"messages":[{"role":"user","content":"x"}],"logit_bias":{ {{{Many("\"1\":0", 1025)}}} }}""", "logit_bias"),
    ];

    static string Many(string one, int count) => string.Join(',', Enumerable.Repeat(one, count));

    [SkippableFact]
    public async Task Token_numbers_are_refused_and_text_is_asked_for()
    {
        ApiServer.NeedsLibrary();
        await using var server = await ApiServer.StartAsync();
        foreach (var (path, name) in new[] { ("/v1/completions", "prompt"), ("/v1/embeddings", "input") })
        {
            foreach (var numbers in new[] { new JsonArray(1, 2), new JsonArray(new JsonArray(1), new JsonArray(2)) })
            {
                using var response = await server.Http.PostAsJsonAsync(path, new JsonObject { [name] = numbers });

                var words = await AccessTests.RefusedAsync(response, 400, null, name + "[0]");
                Assert.Contains("is not a string: send text, not token numbers", words, StringComparison.Ordinal);
            }
        }
    }

    [SkippableFact]
    public async Task A_streamed_text_has_the_chances_of_all_its_tokens()
    {
        var model = ApiServer.Given("SmolLM2");
        await using var server = await ApiServer.StartAsync();
        // A letter of several tokens: there are some that end no letter, and so bring no text.
        JsonObject Body() => new()
        {
            ["model"] = model,
            ["prompt"] = "A wave:",
            ["grammar"] = "root ::= \"𓂀𓂀\"",
            ["logprobs"] = 0,
            ["max_tokens"] = 50,
            ["seed"] = 1,
        };

        var whole = await server.PostAsync("/v1/completions", Body());
        var pieces = await server.StreamAsync("/v1/completions", Body());

        var tokens = whole["choices"]![0]!["logprobs"]!["tokens"]!.AsArray().Select(token => (string?)token).ToList();
        Assert.Equal("𓂀𓂀", (string?)whole["choices"]![0]!["text"]);
        Assert.True(tokens.Count > 2);
        Assert.Equal(tokens, pieces.SelectMany(piece => piece["choices"]![0]!["logprobs"]!["tokens"]!.AsArray()).Select(token => (string?)token));
    }

    [SkippableFact]
    public async Task What_is_wrong_with_a_request_is_said_with_its_place()
    {
        ApiServer.NeedsLibrary();
        await using var server = await ApiServer.StartAsync();
        foreach (var (body, place) in Wrongs)
        {
            using var content = new StringContent(body, Encoding.UTF8, "application/json");

            using var response = await server.Http.PostAsync("/v1/chat/completions", content);

            var code = place == "messages[0].content[0].type" ? "unsupported_content" : null;
            await AccessTests.RefusedAsync(response, 400, code, place ?? "");
        }
    }

    [SkippableFact]
    public async Task Unknown_paths_methods_and_models_and_prompts_without_end_are_refused()
    {
        ApiServer.NeedsLibrary();
        await using var server = await ApiServer.StartAsync();
        using var nothing = await server.Http.GetAsync("/v1/nothing");
        using var method = await server.Http.GetAsync("/v1/chat/completions");
        using var model = await server.Http.PostAsJsonAsync("/v1/chat/completions", ApiServer.Chat("x", model: "gpt-9"));
        using var endless = await server.Http.PostAsJsonAsync("/v1/chat/completions", ApiServer.Chat(string.Concat(Enumerable.Repeat("word ", 20_000))));
        // Refused by what is announced: a server that answers before it has read all may break off the sender.
        using var announced = new HttpRequestMessage(HttpMethod.Post, "/v1/chat/completions") { Content = new ByteArrayContent(new byte[(25 << 20) + 1]) };
        announced.Headers.ExpectContinue = true;
        using var huge = await server.Http.SendAsync(announced);

        await AccessTests.RefusedAsync(nothing, 404, "unknown_url");
        await AccessTests.RefusedAsync(method, 405, "method_not_allowed");
        await AccessTests.RefusedAsync(model, 404, "model_not_found", "model");
        await AccessTests.RefusedAsync(endless, 400, "context_length_exceeded");
        await AccessTests.RefusedAsync(huge, 413, "too_large");
    }

    [SkippableFact]
    public async Task A_hundred_clients_at_once_are_all_answered_and_counted()
    {
        ApiServer.NeedsLibrary();
        await using var server = await ApiServer.StartAsync();

        var answers = await Task.WhenAll(Enumerable.Range(0, ClientsAtOnce)
            .Select(i => server.Http.PostAsJsonAsync("/v1/chat/completions", ApiServer.Chat($"hello {i}", maxTokens: 4))));
        var metrics = await server.Http.GetStringAsync("/metrics");

        Assert.All(answers, answer => Assert.Equal(HttpStatusCode.OK, answer.StatusCode));
        Assert.Contains($"millrace_api_requests_total{{path=\"/v1/chat/completions\",status=\"200\"}} {ClientsAtOnce}\n", metrics, StringComparison.Ordinal);
        Assert.Contains($"millrace_api_generation_seconds_count{{model=\"{ApiServer.Tiny}\"}} {ClientsAtOnce}\n", metrics, StringComparison.Ordinal);
        Assert.Contains("millrace_api_requests_in_flight 1\n", metrics, StringComparison.Ordinal);
    }

    [SkippableFact]
    public async Task A_client_that_hangs_up_stops_the_model()
    {
        var model = ApiServer.Given("SmolLM2");
        await using var server = await ApiServer.StartAsync();
        var body = ApiServer.Chat("Tell me a very long story.", maxTokens: 4000, model);
        body["stream"] = true;
        using (var request = new HttpRequestMessage(HttpMethod.Post, "/v1/chat/completions") { Content = JsonContent.Create(body) })
        using (var response = await server.Http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead))
        {
            await using var stream = await response.Content.ReadAsStreamAsync();
            Assert.True(await stream.ReadAsync(new byte[64]) > 0);
        }

        using var patience = new CancellationTokenSource(ApiServer.Patience);
        using var look = new PeriodicTimer(LookEvery);
        string metrics;
        do metrics = await server.Http.GetStringAsync("/metrics", patience.Token);
        while (!metrics.Contains("millrace_api_requests_in_flight 1\n", StringComparison.Ordinal) && await look.WaitForNextTickAsync(patience.Token));
        // Well before 4,000 tokens are written.
        Assert.InRange(BudgetTests.Written(metrics, model), 1, 3_000);
    }
}
