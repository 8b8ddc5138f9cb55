using System.Diagnostics;
using System.Globalization;
using Millrace.Cli;
using Millrace.Inference;

namespace Millrace.Bench.Inference;

/// <summary>The inference worker beside llama.cpp's own interface, on the same file with one thread each.</summary>
static class InferenceBench
{
    const int PromptTokens = 128;
    const int AnswerTokens = 64;
    const int Rounds = 5;
    const int LoadRounds = 5;
    const int AtOnce = 8;
    const int TogetherRounds = 3;
    const string File = "SmolLM2-135M-Instruct.Q4_1.gguf";

    static readonly Sampling Likeliest = new(0, 1, 1);

    public static async Task<Section> RunAsync(BenchPlan plan)
    {
        var model = Path.Combine(plan.Models ?? "", File);
        if (!System.IO.File.Exists(model) || NativeLibraries.LlamaFolder() is null)
            return new("Inference", $"Not measured: `--models` names no folder with {File}, or llama.cpp is not here.");
        var (loaded, apiLoaded) = await LoadAsync(model, plan.Cancel);
        await using var client = Client();
        await AnswerAsync(client, model, "warm", 1, plan.Cancel);
        using var api = new LlamaApi(model, contextTokens: 2048);
        var (read, apiRead, wrote, apiWrote) = (new Samples(), new Samples(), new Samples(), new Samples());
        for (var round = 0; round < Rounds; round++)
        {
            // In turn, so that both meet the same machine. Each round's text is new: nothing is kept of it.
            var text = Text(api, round);
            var began = Stopwatch.GetTimestamp();
            api.Read(api.Tokenize(text));
            apiRead.AddSince(began);
            began = Stopwatch.GetTimestamp();
            api.Write(AnswerTokens);
            apiWrote.AddSince(began);
            var (first, all) = await AnswerAsync(client, model, text, AnswerTokens, plan.Cancel);
            read.Add(first);
            wrote.Add(all - first);
        }

        var shared = string.Concat(Enumerable.Range(0, 8).Select(i => Text(api, 100 + i)));
        var (cold, _) = await AnswerAsync(client, model, shared + " A", 1, plan.Cancel);
        var (cached, _) = await AnswerAsync(client, model, shared + " B", 1, plan.Cancel);
        var (together, oneByOne) = await TogetherAsync(client, api, model, plan.Cancel);
        return new("Inference",
            $"""
            {File}, one thread each: {PromptTokens} tokens read and {AnswerTokens} written, {Rounds} times in turn.
            *Alone* is llama.cpp by its C interface in a program of its own.
            """,
            new("read by the worker / alone", Both(read.At(0.5), apiRead.At(0.5)), "≥ 0.98"),
            new("written by the worker / alone", Both(wrote.At(0.5), apiWrote.At(0.5)), "≥ 0.98"),
            new($"{AtOnce} requests at once / one by one alone, p50 of {TogetherRounds}", Both(together.At(0.5), oneByOne.At(0.5)), "≥ 1"),
            new("first token with a cached prefix of 1,024 tokens / without", Both(cached, cold)),
            new($"worker started and model loaded / loaded alone, p50 of {LoadRounds}", Both(loaded.At(0.5), apiLoaded.At(0.5))),
            new("the worker's own memory / the file", $"{OwnMiB(client.WorkerId!.Value)} / {new FileInfo(model).Length >> 20} MiB"));
    }

    // One request alone before, and one after, so that both meet the same machine.
    static async Task<(Samples Together, Samples OneByOne)> TogetherAsync(
        InferenceClient client, LlamaApi api, string model, CancellationToken cancel)
    {
        var (together, oneByOne) = (new Samples(), new Samples());
        for (var round = 0; round < TogetherRounds; round++)
        {
            var seed = 200 + (round * (AtOnce + 2));
            var before = Alone(api, seed);
            var began = Stopwatch.GetTimestamp();
            await Task.WhenAll(Enumerable.Range(1, AtOnce).Select(
                i => AnswerAsync(client, model, $"{i} {Text(api, seed + i)}", AnswerTokens, cancel)));
            together.AddSince(began);
            oneByOne.Add(AtOnce * (before + Alone(api, seed + AtOnce + 1)) / 2);
        }

        return (together, oneByOne);
    }

    static TimeSpan Alone(LlamaApi api, int seed)
    {
        var tokens = api.Tokenize(Text(api, seed));
        var began = Stopwatch.GetTimestamp();
        api.Read(tokens);
        api.Write(AnswerTokens);
        return Stopwatch.GetElapsedTime(began);
    }

    static InferenceClient Client() => new(new(InferenceWorkerCommand.CommandLine()) { Threads = 1 });

    // The file is in the system's cache after the first round, which is not counted.
    static async Task<(Samples Worker, Samples Alone)> LoadAsync(string model, CancellationToken cancel)
    {
        var (worker, alone) = (new Samples(), new Samples());
        for (var round = -1; round < LoadRounds; round++)
        {
            await using var client = Client();
            var took = await TimeAsync(async () => await client.DescribeAsync(model, cancel));
            var began = Stopwatch.GetTimestamp();
            using var api = new LlamaApi(model, contextTokens: 2048);
            if (round < 0) continue;
            worker.Add(took);
            alone.AddSince(began);
        }

        return (worker, alone);
    }

    static string Both(TimeSpan ours, TimeSpan other) =>
        $"{Samples.Number(ours.TotalMilliseconds, "ms")} / {Samples.Number(other.TotalMilliseconds, "ms")} ({Ratio(ours, other)})";

    static string Ratio(TimeSpan ours, TimeSpan other) => (other / ours).ToString("0.00", CultureInfo.InvariantCulture);

    static string Text(LlamaApi api, int seed)
    {
        var words = new List<string>();
        for (var i = 0; api.Tokenize(string.Join(' ', words)).Length < PromptTokens; i++) words.Add($"word{(seed * 31) + i}");
        return string.Join(' ', words);
    }

    static async Task<TimeSpan> TimeAsync(Func<Task> work)
    {
        var began = Stopwatch.GetTimestamp();
        await work();
        return Stopwatch.GetElapsedTime(began);
    }

    static async Task<(TimeSpan First, TimeSpan All)> AnswerAsync(
        InferenceClient client, string model, string prompt, int tokens, CancellationToken cancel)
    {
        var job = new ChatJob(model, [], tokens, Likeliest, []) { Prompt = prompt };
        var began = Stopwatch.GetTimestamp();
        TimeSpan? first = null;
        await foreach (var part in client.StreamAsync(job, cancel)) first ??= Stopwatch.GetElapsedTime(began);
        return (first!.Value, Stopwatch.GetElapsedTime(began));
    }

    static string OwnMiB(int process)
    {
        if (!OperatingSystem.IsLinux()) return "?";
        var line = System.IO.File.ReadLines($"/proc/{process}/status")
            .First(static line => line.StartsWith("RssAnon:", StringComparison.Ordinal));
        return $"{int.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[^2], CultureInfo.InvariantCulture) >> 10} MiB";
    }
}
