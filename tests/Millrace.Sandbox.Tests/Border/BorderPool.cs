using System.Collections.Concurrent;
using Millrace.Sandbox.Protocol;

namespace Millrace.Sandbox.Tests.Border;

/// <summary>A pool whose workers are threads of this process, behind the real socket and the real protocol.</summary>
sealed class BorderPool : IAsyncDisposable
{
    public static readonly WorkerOptions Standard = new()
    {
        Command = ["none"],
        Spares = 0,
        // A worker on a thread says how large the process of all tests is.
        MemoryBytesMax = long.MaxValue,
    };

    readonly ConcurrentQueue<string> _notices = new();

    public BorderPool(WorkerOptions? options = null, WorkerLauncher? launch = null) => Pool = new(
        (options ?? Standard) with { Notice = _notices.Enqueue }, launch ?? ThreadWorker.Launch);

    public WorkerPool Pool { get; }

    public string[] Notices => [.. _notices];

    public RunEnd Execute(byte[] module, FakeRunHost host, RunRequest? request = null, string group = "test") =>
        Start(module, host, request, group).WaitAsync(Runs.TestTimeout).GetAwaiter().GetResult();

    /// <summary>Executes on a thread of its own, as the platform does.</summary>
    public Task<RunEnd> Start(byte[] module, FakeRunHost host, RunRequest? request = null, string group = "test")
    {
        host.Remote = Pool.Create(group, module, request ?? Runs.Request, host);
        return Task.Factory.StartNew(
            host.Remote.Execute, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
    }

    public ValueTask DisposeAsync() => Pool.DisposeAsync();
}
