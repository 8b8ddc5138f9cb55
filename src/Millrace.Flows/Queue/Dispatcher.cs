using System.Collections.Concurrent;
using Millrace.Flows.Execution;
using Millrace.Flows.Storage;

namespace Millrace.Flows.Queue;

/// <summary>Leases due runs and executes them; woken by what happened, never by asking around.</summary>
sealed class Dispatcher(Node node) : IDisposable
{
    readonly SemaphoreSlim _wake = new(0, 1);
    readonly Lock _lock = new();
    readonly Dictionary<string, FlowExecution> _active = [];
    readonly HashSet<Task> _work = [];
    readonly ConcurrentDictionary<string, StopCause> _early = [];
    readonly CancellationTokenSource _renewals = new();
    Task _loop = Task.CompletedTask;
    Task _renewing = Task.CompletedTask;

    public void Start()
    {
        node.LeaseUntil = node.Time.GetUtcNow() + node.Options.Lease;
        _loop = Task.Run(DispatchAsync);
        _renewing = Task.Run(RenewAsync);
    }

    /// <summary>Something may be due.</summary>
    public void Wake()
    {
        lock (_lock)
        {
            if (_wake.CurrentCount == 0) _wake.Release();
        }
    }

    /// <summary>Tells a run to end; one that is just being leased as well.</summary>
    public void Stop(string run, StopCause cause)
    {
        FlowExecution? execution = null;
        lock (_lock)
        {
            if (!_active.TryGetValue(run, out execution)) _early[run] = cause;
        }
        execution?.Stop(cause);
        Wake();
    }

    public FlowExecution? Find(string run)
    {
        lock (_lock) return _active.GetValueOrDefault(run);
    }

    /// <summary>A planned stop: runs go back to the queue, sent writes get their answer.</summary>
    public async Task StopAsync()
    {
        node.Stop();
        StopActive();
        await _loop;
        Task[] work;
        lock (_lock) work = [.. _work];
        await Task.WhenAll(work);
        // Until the last write has its answer the lease must hold.
        await _renewals.CancelAsync();
        await _renewing;
    }

    /// <summary>As a crash: guests end, nothing is recorded.</summary>
    public void Abandon()
    {
        _renewals.Cancel();
        StopActive();
    }

    void StopActive()
    {
        lock (_lock)
        {
            foreach (var execution in _active.Values) execution.Stop(StopCause.Shutdown);
        }
    }

    public void Dispose()
    {
        _renewals.Dispose();
        _wake.Dispose();
    }

    async Task DispatchAsync()
    {
        while (!node.Stopping.IsCancellationRequested)
        {
            try
            {
                // One time for both: what falls due between them would be neither leased nor waited for.
                var now = node.Time.GetUtcNow();
                await LeaseAsync(now);
                await WaitAsync(now);
            }
            catch (OperationCanceledException)
            {
                return;
            }
            // The edge of the loop: a store that cannot be read now may be readable later.
            catch (PlatformException failure)
            {
                if (failure.Error == PlatformError.Closed) return;
                node.Options.Notice(failure.Message);
                await Task.WhenAny(Task.Delay(TimeSpan.FromSeconds(1), node.Time, node.Stopping));
            }
        }
    }

    async Task LeaseAsync(DateTimeOffset now)
    {
        int free;
        lock (_lock) free = node.Options.RunsMax - _active.Count;
        if (free <= 0) return;
        var rows = await node.Store.LeaseAsync(node.Owner, now, node.LeaseUntil, free);
        foreach (var row in rows) Begin(row);
    }

    void Begin(RunRow row)
    {
        var execution = new FlowExecution(node, row);
        lock (_lock)
        {
            // A lease whose commit failed is given out again; the execution that it began with still has the run.
            if (_active.TryGetValue(row.Id, out var active))
            {
                active.Lease = row;
                return;
            }
            if (_early.TryRemove(row.Id, out var cause)) execution.Stop(cause);
            if (node.Stopping.IsCancellationRequested) execution.Stop(StopCause.Shutdown);
            _active.Add(row.Id, execution);
            var work = Task.Run(() => RunAsync(execution));
            _work.Add(work);
            work.ContinueWith(
                ended => { lock (_lock) _work.Remove(ended); }, CancellationToken.None, TaskContinuationOptions.None,
                TaskScheduler.Default);
        }
    }

    async Task RunAsync(FlowExecution execution)
    {
        var pause = await execution.RunAsync();
        if (pause != StopCause.None) await PutBackAsync(execution, pause);
        else lock (_lock) _active.Remove(execution.Run.Id);
        node.Feeds.Pulse(execution.Run.Id);
        Wake();
    }

    /// <summary>
    /// Puts a run back and forgets it. A lease that came in the meantime, for the one before was never committed or is
    /// back in the queue, goes back as well: nobody else may execute the run until this has ended.
    /// </summary>
    async Task PutBackAsync(FlowExecution execution, StopCause pause)
    {
        for (var isFirst = true; ; isFirst = false)
        {
            var lease = execution.Lease;
            await execution.ReleaseAsync(lease, pause, isFirst && pause is (StopCause.Lost or StopCause.WorkerLost));
            lock (_lock)
            {
                if (!ReferenceEquals(execution.Lease, lease)) continue;
                _active.Remove(execution.Run.Id);
                return;
            }
        }
    }

    async Task WaitAsync(DateTimeOffset now)
    {
        var due = await node.Store.NextDueAsync(now);
        if (due is not { } later)
        {
            await _wake.WaitAsync(node.Stopping);
            return;
        }
        using var sooner = CancellationTokenSource.CreateLinkedTokenSource(node.Stopping);
        var wake = _wake.WaitAsync(sooner.Token);
        var wait = later - node.Time.GetUtcNow();
        await Task.WhenAny(wake, Task.Delay(wait > TimeSpan.Zero ? wait : TimeSpan.Zero, node.Time, sooner.Token));
        await sooner.CancelAsync();
        await Task.WhenAny(wake);
        node.Stopping.ThrowIfCancellationRequested();
    }

    async Task RenewAsync()
    {
        while (!node.IsGone)
        {
            try
            {
                await Task.Delay(node.Options.Lease / 3, node.Time, _renewals.Token);
                var until = node.Time.GetUtcNow() + node.Options.Lease;
                bool isIdle;
                lock (_lock) isIdle = _active.Count == 0;
                if (!isIdle) await node.Store.RenewAsync(node.Owner, until);
                node.LeaseUntil = until;
            }
            catch (OperationCanceledException)
            {
                return;
            }
            catch (PlatformException failure)
            {
                // A lease that is not renewed ends: nothing is sent any more until the store answers.
                if (failure.Error == PlatformError.Closed) return;
                node.Options.Notice(failure.Message);
            }
        }
    }
}
