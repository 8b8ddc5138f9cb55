namespace Millrace.Bench;

/// <summary>Resident memory of the server's process.</summary>
static class MemoryBench
{
    static readonly TimeSpan Settling = TimeSpan.FromSeconds(3);

    public static async Task<Section> RunAsync(BenchPlan plan)
    {
        await using var site = await Site.StartAsync(plan.Folder, Site.Review);
        await site.HealthAsync();
        await Task.Delay(Settling, plan.Cancel);
        var idle = site.Server.MemoryMiB("VmRSS");
        var reviewing = new Reviewing(site);
        for (var i = 0; i < plan.Reviews; i++)
        {
            plan.Cancel.ThrowIfCancellationRequested();
            await reviewing.ReviewAsync();
        }
        await Task.Delay(Settling, plan.Cancel);
        var (after, peak) = (site.Server.MemoryMiB("VmRSS"), site.Server.MemoryMiB("VmHWM"));
        return new("Memory of the server",
            $"""
            VmRSS of a server's process with the review function, two integrations and two connections, from
            `/proc/PID/status`: {Settling.TotalSeconds:0} s after its start, and so long after
            {plan.Reviews:#,0} reviews, one after another.
            """,
            new("idle", Samples.Number(idle, "MiB"), "< 120 MB"),
            new($"after {plan.Reviews:#,0} reviews", Samples.Number(after, "MiB")),
            new("at most", Samples.Number(peak, "MiB")));
    }
}
