using System.Diagnostics;
using System.Globalization;

namespace Millrace.Inference.Tests.Worker;

/// <summary>A terminal's Ctrl-C and a service's stop are sent to the worker, too; its host lets answers end first.</summary>
public sealed class SignalTests
{
    [SkippableTheory]
    [InlineData("-INT")]
    [InlineData("-TERM")]
    public async Task A_worker_ends_with_its_host_and_not_by_a_signal_to_all(string signal)
    {
        Skip.If(OperatingSystem.IsWindows(), "Windows has no such signals");
        await using var worker = new LocalWorker();
        await worker.Client.DescribeAsync(LocalWorker.Tiny, worker.Timeout);
        var id = worker.Client.WorkerId!.Value;

        using (var kill = Process.Start("kill", [signal, id.ToString(CultureInfo.InvariantCulture)]))
            await kill.WaitForExitAsync(worker.Timeout);

        var reply = await worker.Client.ChatAsync(
            new(LocalWorker.Tiny, [new("user", "What is 2 plus 3?")], 8, new(0, 1, 1), []), worker.Timeout);
        Assert.NotEmpty(reply.Content);
        Assert.Equal(id, worker.Client.WorkerId);
    }
}
