using System.Diagnostics;
using System.Net.Http.Json;
using System.Text.Json;
using Millrace.Cli;
using Millrace.Inference;

namespace Millrace.Bench.Inference;

/// <summary>What a token costs more through <c>/v1/chat/completions</c> than from the worker itself.</summary>
static class ApiBench
{
    const string Title = "The model API, token by token";
    const string Question = "Tell me a story.";
    const int Tokens = 64;
    const int Rounds = 100;

    // A server's code is optimised while it serves: what is asked of it first costs more.
    const int FirstRounds = 20;
    const int WarmUps = 400;

    static readonly TimeSpan AnswerMost = TimeSpan.FromMinutes(1);

    public static async Task<Section> RunAsync(BenchPlan plan)
    {
        if (NativeLibraries.LlamaFolder() is null) return new(Title, "Not measured: llama.cpp is not here.");
        var folder = Directory.CreateDirectory(Path.Combine(plan.Folder, $"millrace-bench-{Guid.NewGuid():n}"));
        try
        {
            // The user's own home, where the build put llama.cpp.
            var home = Environment.GetFolderPath(Environment.SpecialFolder.LocalApplicationData);
            await using var server = await ServerProcess.StartAsync(Path.Combine(folder.FullName, "data"), home, "--api-open");
            await using var client = new InferenceClient(new(InferenceWorkerCommand.CommandLine()) { Threads = 1 });
            using var http = new HttpClient { BaseAddress = new(server.Url) };
            return await MeasureAsync(plan, server, client, http);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    static async Task<Section> MeasureAsync(BenchPlan plan, ServerProcess server, InferenceClient client, HttpClient http)
    {
        var job = new ChatJob(Shipped.TinyModel, [new("user", Question)], Tokens, new(0, 1, 1), []);
        var (first, each, apiFirst, apiEach) = (new Samples(), new Samples(), new Samples(), new Samples());
        var (tokens, cpu, cold) = (0, server.Cpu, 0.0);
        for (var round = -WarmUps; round < Rounds; round++)
        {
            if (round == FirstRounds - WarmUps) cold = EachMicroseconds();
            if (round == 0) (tokens, cpu) = (0, server.Cpu);
            var worker = await Writing.OfAsync(client, job, AnswerMost, plan.Cancel);
            var api = await AskAsync(http, plan.Cancel);
            if (worker.Tokens != api.Tokens)
                throw new InvalidDataException($"the worker wrote {worker.Tokens} tokens, the API {api.Tokens}");
            tokens += api.Tokens;
            if (round < 0) continue;
            first.Add(worker.First);
            each.Add(worker.Rest / (worker.Tokens - 1));
            apiFirst.Add(api.First);
            apiEach.Add(api.Rest / (api.Tokens - 1));
        }

        double EachMicroseconds() => (server.Cpu - cpu).TotalMicroseconds / tokens;
        return new(Title,
            $"""
            `{Path.GetFileName(Shipped.TinyModel)}`, the tiny model that ships, whose tokens take next to nothing: {tokens / Rounds} tokens of one answer, streamed by
            `/v1/chat/completions` of a server in a process of its own, and from a worker without it, {Rounds} times in turn, after {WarmUps} times; medians.
            Both start a worker process and speak to it over its socket. A token of a model of a billion parameters takes 20 ms or more.

            Of the server's time per token two thirds are the kernel's (`perf`, threads asleep between tokens): a wake-up of the thread that
            watches sockets, one of the pool's, two reads and a send. Managed code takes a seventh. To read the worker's socket on a thread
            that waits in the read itself is the next step. The first answers are compiled as they go.
            """,
            new("a token from the worker / from the API, p50; overhead", Overhead(each, apiEach, 0.5)),
            new("the same of the tenth that others disturbed least, p10", Overhead(each, apiEach, 0.1)),
            new("CPU time of the server per token, all of its work for the request", Samples.Number(EachMicroseconds(), "µs"), "≤ 100 µs"),
            new($"the same of its first {FirstRounds} answers", Samples.Number(cold, "µs")),
            new("first token from the worker / from the API, p50", $"{first.Ms(0.5)} / {apiFirst.Ms(0.5)}"));
    }

    static string Overhead(Samples worker, Samples api, double part)
    {
        var more = api.At(part) - worker.At(part);
        return $"{worker.Microseconds(part)} / {api.Microseconds(part)}; {Samples.Number(more.TotalMicroseconds, "µs")}";
    }

    static async Task<Writing> AskAsync(HttpClient http, CancellationToken cancel)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "/v1/chat/completions")
        {
            Content = JsonContent.Create(new
            {
                model = Path.GetFileNameWithoutExtension(Shipped.TinyModel),
                messages = new[] { new { role = "user", content = Question } },
                max_tokens = Tokens,
                temperature = 0,
                seed = 1,
                stream = true,
                stream_options = new { include_usage = true },
            }),
        };
        var began = Stopwatch.GetTimestamp();
        using var response = await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancel);
        response.EnsureSuccessStatusCode();
        using var lines = new StreamReader(await response.Content.ReadAsStreamAsync(cancel));
        TimeSpan? first = null;
        var (last, tokens) = (TimeSpan.Zero, 0);
        while (await lines.ReadLineAsync(cancel) is { } line)
        {
            if (!line.StartsWith("data: {", StringComparison.Ordinal)) continue;
            using var chunk = JsonDocument.Parse(line.AsMemory(6));
            if (chunk.RootElement.TryGetProperty("usage", out var usage) && usage.ValueKind == JsonValueKind.Object)
                tokens = usage.GetProperty("completion_tokens").GetInt32();
            if (!HasText(chunk.RootElement)) continue;
            last = Stopwatch.GetElapsedTime(began);
            first ??= last;
        }

        return new(first!.Value, last - first.Value, tokens);
    }

    static bool HasText(JsonElement chunk) =>
        chunk.GetProperty("choices") is { } choices && choices.GetArrayLength() > 0
            && choices[0].GetProperty("delta").TryGetProperty("content", out var content)
            && content.ValueKind == JsonValueKind.String && content.GetString()!.Length > 0;
}
