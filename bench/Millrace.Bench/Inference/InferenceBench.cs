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
        var together = await TogetherAsync(client, api, model, plan.Cancel);
        return new("Inference",
            $"""
            {File}, one thread each: {PromptTokens} tokens read and {AnswerTokens} written, {Rounds} times in turn.
            *Alone* is llama.cpp by its C interface in a program of its own. *Its own batch* is `llama_decode` there with {AtOnce} sequences in one
            batch: as many prompts read in a step as it takes, then a token each, as its defaults are (each sequence has a memory of its own: nothing can be shared).
            Reading alone bounds both. CPU time is the worker's whole process.

            Every step looks at the mask of every token that is kept, for each head of each layer, which a small model feels: that is
            what the worker loses that keeps earlier requests. To keep them outside of llama.cpp's memory is the next step.
            Of the worker's own memory 180 MiB are keys and values of one context of 8,192 tokens, which llama.cpp writes at
            the start; to begin with a smaller one, and make it anew when a longer prompt comes, is the next step.
            """,
            new("read by the worker / alone", Both(read.At(0.5), apiRead.At(0.5)), "≥ 0.98"),
            new("written by the worker / alone", Both(wrote.At(0.5), apiWrote.At(0.5)), "≥ 0.98"),
            new($"{AtOnce} requests at once / its own batch of {AtOnce}, p50 of {TogetherRounds}",
                Both(together.Worker.Wall.At(0.5), together.Batch.Wall.At(0.5)), "≥ 1"),
            new("the same in CPU time", Both(together.Worker.Cpu.At(0.5), together.Batch.Cpu.At(0.5)), "≥ 1"),
            new("the same by a worker that keeps 2,500 tokens and more of earlier requests",
                Both(together.Full.Cpu.At(0.5), together.Batch.Cpu.At(0.5))),
            new("tokens a second of CPU time, read and written: worker / its own batch / reading alone",
                $"{Rate(together.Worker, AnswerTokens)} / {Rate(together.Batch, AnswerTokens)} / {Rate(together.Reading, 0)}"),
            new("first token with a cached prefix of 1,024 tokens / without", Both(cached, cold)),
            new($"worker started and model loaded / loaded alone, p50 of {LoadRounds}", Both(loaded.At(0.5), apiLoaded.At(0.5))),
            new("the worker's own memory / the file", $"{OwnMiB(client.WorkerId!.Value)} / {new FileInfo(model).Length >> 20} MiB"));
    }

    /// <summary>Wall clock and CPU time.</summary>
    sealed class Times
    {
        public Samples Wall { get; } = new();

        public Samples Cpu { get; } = new();

        public async Task AddAsync(Func<TimeSpan> cpu, Func<Task> work)
        {
            var before = cpu();
            Wall.Add(await TimeAsync(work));
            Cpu.Add(cpu() - before);
        }
    }

    sealed record Together(Times Worker, Times Full, Times Batch, Times Reading);

    // In turn, so that all meet the same machine; made anew each time, since where memory lies makes a tenth of the speed,
    // but for a worker that keeps what it read before.
    static async Task<Together> TogetherAsync(InferenceClient full, LlamaApi api, string model, CancellationToken cancel)
    {
        var result = new Together(new(), new(), new(), new());
        for (var round = 0; round < TogetherRounds; round++)
        {
            var texts = Enumerable.Range(0, AtOnce).Select(i => $"{i} {Text(api, 200 + (round * AtOnce) + i)}").ToList();
            var prompts = texts.Select(api.Tokenize).ToList();
            await using (var fresh = Client())
            {
                await AnswerAsync(fresh, model, "warm", 1, cancel);
                await AskAllAsync(result.Worker, fresh, model, texts, cancel);
            }

            using (var batch = new LlamaApi(model, AtOnce * 512, AtOnce))
            {
                await result.Batch.AddAsync(OwnCpu, () => Done(() => batch.Together(prompts, AnswerTokens)));
                await result.Reading.AddAsync(OwnCpu, () => Done(() => prompts.ForEach(batch.Read)));
            }

            await AskAllAsync(result.Full, full, model, texts, cancel);
        }

        return result;
    }

    static async Task AskAllAsync(Times times, InferenceClient client, string model, List<string> texts, CancellationToken cancel)
    {
        using var worker = Process.GetProcessById(client.WorkerId!.Value);
        await times.AddAsync(() => Cpu(worker), () => Task.WhenAll(texts.Select(
            text => AnswerAsync(client, model, text, AnswerTokens, cancel))));
    }

    static Task Done(Action work)
    {
        work();
        return Task.CompletedTask;
    }

    static TimeSpan OwnCpu() => Environment.CpuUsage.TotalTime;

    static TimeSpan Cpu(Process process)
    {
        process.Refresh();
        return process.TotalProcessorTime;
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

    static string Rate(Times times, int written) =>
        Samples.Number(AtOnce * (PromptTokens + written) / times.Cpu.At(0.5).TotalSeconds, "");

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
