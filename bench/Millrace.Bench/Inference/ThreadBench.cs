using System.Diagnostics;
using System.Globalization;
using System.Text;
using Millrace.Cli;
using Millrace.Inference;

namespace Millrace.Bench.Inference;

/// <summary>What more threads bring, and what they cost where others want the cores, too.</summary>
static class ThreadBench
{
    const string File = "SmolLM2-135M-Instruct.Q4_1.gguf";
    const string Title = "Threads on a busy machine";
    const int Tokens = 64;
    const int Rounds = 5;

    // As many as are measured to be best: what a worker does that is told nothing.
    const int Chosen = 0;

    static readonly TimeSpan AnswerMost = TimeSpan.FromSeconds(4);
    static readonly Sampling Likeliest = new(0, 1, 1);

    public static async Task<Section> RunAsync(BenchPlan plan)
    {
        var model = Path.Combine(plan.Models ?? "", File);
        if (!System.IO.File.Exists(model) || NativeLibraries.LlamaFolder() is null)
            return new(Title, $"Not measured: `--models` names no folder with {File}, or llama.cpp is not here.");
        int[] settings = [1, 2, 4, Chosen];
        var clients = settings.Select(threads => new InferenceClient(new(InferenceWorkerCommand.CommandLine()) { Threads = threads })).ToArray();
        try
        {
            // Loads the model, and lets the chooser have its first trials.
            foreach (var client in clients) await WriteAsync(client, model, -1, plan.Cancel);
            var (alone, beside) = (Rates(settings), Rates(settings));
            for (var round = 0; round < Rounds; round++)
            {
                plan.Screen.Note($"  round {round + 1} of {Rounds}");
                for (var i = 0; i < settings.Length; i++) alone[i].Add(await WriteAsync(clients[i], model, round, plan.Cancel));
                using var busy = new BusyCores(Environment.ProcessorCount);
                for (var i = 0; i < settings.Length; i++) beside[i].Add(await WriteAsync(clients[i], model, round, plan.Cancel));
            }

            return Report(settings, alone, beside);
        }
        finally
        {
            foreach (var client in clients) await client.DisposeAsync();
        }
    }

    static List<double>[] Rates(int[] settings) => [.. settings.Select(static _ => new List<double>())];

    static async Task<double> WriteAsync(InferenceClient client, string model, int round, CancellationToken cancel)
    {
        var job = new ChatJob(model, [], Tokens, Likeliest, []) { Prompt = $"Chapter {round + 2}. Once upon a time" };
        return (await Writing.OfAsync(client, job, AnswerMost, cancel)).TokensPerSecond;
    }

    static Section Report(int[] settings, List<double>[] alone, List<double>[] beside)
    {
        var text = new StringBuilder(
            $"""
            {File}: tokens per second of an answer to a prompt of a few words, {Tokens} of them or what
            {AnswerMost.TotalSeconds:0} s allow, in each of {Rounds} rounds all in turn;
            medians, and the slowest. *Beside* is with {Environment.ProcessorCount} processes more, one for each core, that do nothing but compute.
            *Chosen* is what a worker does that is told no number of threads.

            Threads that share a core wait for each other in loops, so that a fixed number is slower by a hundred times and more. *Chosen* tries
            more only while other processes leave the cores free (idle time in `/proc/stat`, and its own), and goes back when they
            do not; what it loses is the step in which they come back. On a machine whose cores are free it gains what 2 threads do.

            | threads | as the machine was | slowest | over 1 thread | beside | slowest | over 1 thread |
            |---|---:|---:|---:|---:|---:|---:|
            """);
        for (var i = 0; i < settings.Length; i++)
        {
            var name = settings[i] == Chosen ? "chosen" : settings[i].ToString(CultureInfo.InvariantCulture);
            text.Append(CultureInfo.InvariantCulture, $"\n| {name} |{Cells(alone, i)}{Cells(beside, i)}");
        }

        var last = settings.Length - 1;
        return new(Title, text.ToString(),
            new("chosen over 1 thread, as the machine was", Number(Median(alone[last]) / Median(alone[0])), "≥ 0.9"),
            new("chosen over 1 thread, beside", Number(Median(beside[last]) / Median(beside[0])), "≥ 0.9"),
            new("2 threads over 1, beside: what a fixed choice risks", Number(Median(beside[1]) / Median(beside[0]))));
    }

    static string Cells(List<double>[] rates, int i) =>
        $" {Number(Median(rates[i]))} | {Number(rates[i].Min())} | {Number(Median(rates[i]) / Median(rates[0]))} |";

    static string Number(double value) => Samples.Number(value, "");

    static double Median(List<double> rates) => rates.Order().ElementAt(rates.Count / 2);

    /// <summary>Processes that keep cores busy until they are let go.</summary>
    sealed class BusyCores : IDisposable
    {
        readonly Process[] _processes;

        public BusyCores(int count) =>
            _processes = [.. Enumerable.Range(0, count).Select(static _ => Process.Start("sh", ["-c", "while :; do :; done"]))];

        public void Dispose()
        {
            foreach (var process in _processes)
            {
                process.Kill();
                process.WaitForExit();
                process.Dispose();
            }
        }
    }
}
