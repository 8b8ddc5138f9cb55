using System.Diagnostics;
using Microsoft.AspNetCore.Http;
using Millrace.Flows;

namespace Millrace.Bench;

/// <summary>From a webhook to the posted review, beside a Python bot against the same stand-ins.</summary>
static class ReviewBench
{
    const int WarmUps = 60;
    const int CommitsMax = 4;

    public static async Task<Section> RunAsync(BenchPlan plan)
    {
        await using var site = await Site.StartAsync(plan.Folder, Site.Review);
        var reviewing = new Reviewing(site);
        var bot = await PythonBot.FindAsync();
        using var commit = new OneCommit(
            Path.Combine(site.Folder, "commit.db"), Path.Combine(site.Folder, "data", "millrace.db"));
        var (reviews, bots, starts, commits) = (new Samples(), new Samples(), new Samples(), new Samples());
        var (last, cpu) = (default(ReviewTimes), default(TimeSpan));
        for (var i = -WarmUps; i < plan.Samples; i++)
        {
            plan.Cancel.ThrowIfCancellationRequested();
            if (i == 0) cpu = site.Server.Cpu;
            last = await reviewing.ReviewAsync();
            if (i < 0 && i % 10 != 0) continue;
            var signed = site.Opened(reviewing.Open());
            var committed = commit.Run("{}", signed.Body);
            var posted = reviewing.NextAsync(HttpMethods.Post);
            var (began, starting) = await bot.RunAsync(site, signed);
            if (i < 0) continue;
            reviews.Add(last.Posted);
            bots.Add(Stopwatch.GetElapsedTime(began, await posted));
            starts.Add(starting);
            commits.Add(committed);
        }

        cpu = (site.Server.Cpu - cpu) / plan.Samples;
        var run = await site.Control.RunAsync(last.Run);
        var inLine = CommitsInLine(run);
        var less = reviews.P50Ms - (Math.Min(inLine, CommitsMax) * commits.P50Ms);
        return new("Webhook to posted review",
            $"""
            A sample change of this repository ({reviewing.Describe}), an OpenAI-compatible server that answers at once,
            and a stand-in GitHub on loopback. Millrace: a warm server; ends when the stand-in has applied the comment
            that holds the review, after a placeholder. The bot (`bench/python-bot/bot.py`, `{bot.Interpreter} -S -E`):
            one process for each event, begins with its start, so without a receiver of webhooks, ends when the stand-in
            has applied its only comment; it keeps nothing. In turn, {reviews.Count} samples of each.
            Commits one after another before the review is posted, counted from the last run's timeline (intent and
            result of each paid call and write, the last write's intent, none of reads): {inLine}, and one before the 202.
            Of
            these {Math.Min(inLine, CommitsMax)} are taken off at
            {Samples.Number(commits.P50Ms, "ms")}, the p50 of one
            commit on the same disk. Timeline of that run: {Timeline(run)}.
            """,
            new("Millrace, p50 / p90", $"{reviews.Ms(0.5)} / {reviews.Ms(0.9)}"),
            new("Python bot, p50 / p90", $"{bots.Ms(0.5)} / {bots.Ms(0.9)}"),
            new("of it before the new process runs, p50", starts.Ms(0.5)),
            new("ratio of the p50s", Samples.Number(reviews.P50Ms / bots.P50Ms, "")),
            new("ratio, less the commits", Samples.Number(less / bots.P50Ms, ""), "≤ 0.5"),
            new("CPU time of the server for one review", Samples.Number(cpu.TotalMilliseconds, "ms")));
    }

    /// <summary>Each paid call and each write commits before it is sent and before the guest sees its result.</summary>
    static int CommitsInLine(RunDetail run)
    {
        var operations = run.Operations.Where(operation => operation.Kind >= OperationKind.Paid).ToArray();
        return (2 * operations.Length) - 1;
    }

    static string Timeline(RunDetail run)
    {
        var began = run.Operations[0].StartedAt;
        return string.Join(", ", run.Operations.Select(operation =>
            $"`{operation.Name}` at {(operation.StartedAt - began).TotalMilliseconds:0.0} ms"));
    }
}
