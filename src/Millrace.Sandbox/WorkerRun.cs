using Millrace.Sandbox.Protocol;

namespace Millrace.Sandbox;

/// <summary>One execution of a module in a worker process: the counterpart of <see cref="SandboxRun"/>.</summary>
public sealed class WorkerRun
{
    readonly WorkerPool _pool;
    readonly string _group;
    readonly ReadOnlyMemory<byte> _module;
    readonly RunRequest _request;
    readonly IRunHost _host;
    readonly HostedRun _run;

    internal WorkerRun(
        WorkerPool pool, string group, ReadOnlyMemory<byte> module, RunRequest request, IRunHost host)
    {
        if (request.Seed.Length != 32) throw new ArgumentException("the seed has 32 bytes", nameof(request));
        (_pool, _group, _module, _request, _host) = (pool, group, module, request, host);
        _run = new(request, host, pool.Options);
    }

    /// <summary>
    /// Runs the guest until it ends; once only. This thread stands for the guest's: the host is called on it.
    /// </summary>
    /// <exception cref="WorkerLostException">The worker is gone.</exception>
    public RunEnd Execute()
    {
        var link = Lease();
        var isSick = true;
        try
        {
            var end = _run.Execute(link, Blob.HashOf(_module));
            isSick = false;
            return end;
        }
        finally
        {
            _pool.Return(link, isSick);
        }
    }

    /// <summary>
    /// Hands over the result of an operation. From any thread; a result for a cancelled operation is dropped.
    /// </summary>
    public void Complete(long sequence, OperationResult result) => _run.Complete(sequence, result);

    /// <summary>
    /// Ends the execution as <see cref="RunEndKind.Stopped"/>, also out of a wait or a loop. From any thread.
    /// </summary>
    public void Stop() => _run.Stop();

    WorkerLink Lease()
    {
        var leasing = _pool.LeaseAsync(_group, _module, _request.Assets.Values);
        if (leasing.IsCompletedSuccessfully) return leasing.Result;
        // A process that starts and a module that is compiled need none of the slots that guests compute in.
        _host.BeginWait([]);
        try
        {
            return leasing.GetAwaiter().GetResult();
        }
        finally
        {
            _host.EndWait();
        }
    }
}
