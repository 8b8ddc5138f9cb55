using Millrace.Wasm;

namespace Millrace.Sandbox.Tests;

/// <summary>Requests, and executions on a thread of their own.</summary>
static class Runs
{
    public const long StartedAtNs = 1_700_000_000_000_000_000;

    /// <summary>What no test waits longer for.</summary>
    public static readonly TimeSpan TestTimeout = TimeSpan.FromMinutes(3);

    public static readonly RunRequest Request = new()
    {
        RunId = "run-1",
        StartedAtNs = StartedAtNs,
        Seed = Enumerable.Range(0, 32).Select(i => (byte)i).ToArray(),
    };

    public static RunEnd Execute(Module module, FakeRunHost host, RunRequest? request = null, TimeProvider? time = null) =>
        Start(module, host, request, time).Wait();

    public static RunningGuest Start(Module module, FakeRunHost host, RunRequest? request = null, TimeProvider? time = null)
    {
        host.Run = SandboxRun.Create(Wat.Engine, module, request ?? Request, host, time ?? TimeProvider.System);
        return new(host.Run);
    }

    public static async Task UntilAsync(Func<bool> isSo)
    {
        var began = TimeProvider.System.GetTimestamp();
        while (!isSo())
        {
            Assert.True(TimeProvider.System.GetElapsedTime(began) < TestTimeout, "it did not come to that");
            await Task.Delay(1);
        }
    }
}

/// <summary>A guest that runs.</summary>
sealed class RunningGuest
{
    readonly TaskCompletionSource<RunEnd> _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public RunningGuest(SandboxRun run)
    {
        var thread = new Thread(() => Execute(run), 16 << 20) { IsBackground = true };
        thread.Start();
    }

    void Execute(SandboxRun run)
    {
        try
        {
            _ended.SetResult(run.Execute());
        }
        catch (Exception e)
        {
            _ended.SetException(e);
        }
    }

    public RunEnd Wait() => _ended.Task.WaitAsync(Runs.TestTimeout).GetAwaiter().GetResult();
}
