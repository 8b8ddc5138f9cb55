using System.Collections.Immutable;
using Millrace.Sandbox.Protocol;
using Millrace.Wasm;

namespace Millrace.Sandbox;

/// <summary>
/// Worker processes, one for each trust group that has work. They are started on demand or taken from the spares,
/// replaced by count, age and size, ended when nobody needs them, and killed when they do not keep to the protocol.
/// Thread-safe.
/// </summary>
public sealed class WorkerPool : IAsyncDisposable
{
    static readonly TimeSpan Upkeep = TimeSpan.FromSeconds(15);
    const int RunsBetweenStats = 16;
    const int AttemptsMax = 3;

    readonly WorkerLauncher _launch;
    readonly Lock _lock = new();
    readonly Dictionary<string, Task<WorkerLink>> _groups = [];
    readonly List<Task<WorkerLink>> _spares = [];
    readonly Dictionary<WorkerLink, Use> _workers = [];
    readonly ITimer _upkeep;
    readonly ITimer _refill;
    readonly AheadQueue? _ahead;
    bool _isClosed;

    /// <summary>What the pool knows of a worker.</summary>
    sealed class Use
    {
        public string Group { get; set; } = "";
        public int Leases { get; set; }
        public int Runs { get; set; }
        public long IdleSince { get; set; }
        public bool IsRetired { get; set; }
    }

    /// <summary>A pool without a worker yet.</summary>
    public WorkerPool(WorkerOptions options)
        : this(options, path => WorkerProcess.Start(options.Command, path))
    {
    }

    internal WorkerPool(WorkerOptions options, WorkerLauncher launch)
    {
        (Options, _launch) = (options, launch);
        _upkeep = options.Time.CreateTimer(_ => LookAround(), null, Upkeep, Upkeep);
        _refill = options.Time.CreateTimer(
            _ => Refill(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        if (options is not { Cache: { } cache, IsAheadOfTime: true }) return;
        if (CodeCache.Unavailable is { } reason) options.Notice($"Modules are compiled by the JIT alone: {reason}");
        else _ahead = new(cache, Renew, options.Notice);
    }

    internal WorkerOptions Options { get; }

    /// <summary>The workers that live now.</summary>
    public ImmutableArray<WorkerState> Workers
    {
        get
        {
            lock (_lock)
            {
                return [.. _workers.Where(pair => pair.Key.Death is null).Select(pair => new WorkerState(
                    pair.Key.ProcessId, pair.Value.Group, pair.Value.Leases, pair.Key.MemoryBytes))];
            }
        }
    }

    /// <summary>Starts the spares, beside whatever else is done.</summary>
    public void Warm() => Refill();

    /// <summary>Prepares an execution; <see cref="WorkerRun.Execute"/> runs it.</summary>
    /// <param name="group">The trust group: its runs may share a process, and runs of others never do.</param>
    /// <param name="module">The module's bytes.</param>
    /// <param name="request">What it is given.</param>
    /// <param name="host">Who answers it.</param>
    public WorkerRun Create(string group, ReadOnlyMemory<byte> module, RunRequest request, IRunHost host) =>
        new(this, group, module, request, host);

    /// <summary>Compiles a module in the worker of its group. Null: it is right; else what is wrong with it.</summary>
    /// <exception cref="WorkerLostException">No worker could compile it.</exception>
    public async Task<string?> CheckAsync(string group, ReadOnlyMemory<byte> module)
    {
        var link = await LeaseAsync(group);
        try
        {
            var fault = await link.LoadAsync(module, isModule: true);
            if (fault.Length > 0) return fault;
            _ahead?.Add(module);
            return null;
        }
        finally
        {
            Return(link);
        }
    }

    internal async Task<WorkerLink> LeaseAsync(
        string group, ReadOnlyMemory<byte> module, IEnumerable<ReadOnlyMemory<byte>> assets)
    {
        var link = await LeaseAsync(group);
        try
        {
            foreach (var asset in assets) await link.LoadAsync(asset, isModule: false);
            if (await link.LoadAsync(module, isModule: true) is { Length: > 0 } fault)
                throw new WorkerLostException($"the worker refused the module: {fault}");
            _ahead?.Add(module);
            return link;
        }
        catch
        {
            Return(link);
            throw;
        }
    }

    async Task<WorkerLink> LeaseAsync(string group)
    {
        for (var attempt = 1; ; attempt++)
        {
            Task<WorkerLink> starting;
            lock (_lock)
            {
                if (_isClosed) throw new WorkerLostException("the server stops");
                if (!_groups.TryGetValue(group, out starting!) || IsUseless(starting))
                    _groups[group] = starting = TakeSpare() ?? StartAsync();
            }

            var link = await starting;
            lock (_lock)
            {
                if (link.Death is null && _workers.TryGetValue(link, out var use) && !use.IsRetired)
                {
                    use.Group = group;
                    use.Leases++;
                    return link;
                }
            }

            if (attempt == AttemptsMax)
                throw new WorkerLostException(link.Death ?? "workers come and go faster than runs");
        }
    }

    /// <summary>A run is done with a worker.</summary>
    /// <param name="link">The worker.</param>
    /// <param name="isSick">Whether it lost the run, and may lose others.</param>
    internal void Return(WorkerLink link, bool isSick = false)
    {
        bool asks;
        lock (_lock)
        {
            if (!_workers.TryGetValue(link, out var use)) return;
            use.Leases--;
            use.Runs++;
            use.IdleSince = Options.Time.GetTimestamp();
            asks = use.Leases == 0 || use.Runs % RunsBetweenStats == 0;
            if (link.Death is not null) return;
            if (isSick || use.IsRetired || IsDue(link, use)) Retire(link, use);
            if (use.IsRetired) return;
        }

        if (asks) link.AskStats();
    }

    /// <summary>As a crash: no worker outlives it.</summary>
    public void Abort()
    {
        foreach (var link in Close()) link.Die("the server is gone");
    }

    /// <summary>Ends all workers; runs have ended before.</summary>
    public async ValueTask DisposeAsync()
    {
        var links = Close();
        await Task.WhenAll(links.Select(link => link.DrainAsync()));
        // Those that were starting when the pool was closed end by themselves.
        Task<WorkerLink>[] starting;
        lock (_lock) starting = [.. _groups.Values, .. _spares];
        await Task.WhenAll(starting.Select(start => start.ContinueWith(
            _ => { }, CancellationToken.None, TaskContinuationOptions.None, TaskScheduler.Default)));
    }

    WorkerLink[] Close()
    {
        lock (_lock)
        {
            _isClosed = true;
            _ahead?.Dispose();
            _upkeep.Dispose();
            _refill.Dispose();
            return [.. _workers.Keys];
        }
    }

    async Task<WorkerLink> StartAsync()
    {
        // Starting a process takes milliseconds, which are not the lock's.
        await Task.Yield();
        var link = await WorkerLink.StartAsync(Options, _launch);
        lock (_lock)
        {
            if (!_isClosed)
            {
                _workers.Add(link, new() { IdleSince = Options.Time.GetTimestamp() });
                _ = link.Died.ContinueWith(
                    _ => Forget(link), CancellationToken.None, TaskContinuationOptions.None, TaskScheduler.Default);
                return link;
            }
        }

        link.Die("the server stops");
        throw new WorkerLostException("the server stops");
    }

    Task<WorkerLink>? TakeSpare()
    {
        _spares.RemoveAll(IsUseless);
        if (_spares.Count == 0) return null;
        var taken = _spares.Find(spare => spare.IsCompleted) ?? _spares[0];
        _spares.Remove(taken);
        _refill.Change(Options.SpareDelay, Timeout.InfiniteTimeSpan);
        return taken;
    }

    void Refill()
    {
        lock (_lock)
        {
            if (_isClosed) return;
            _spares.RemoveAll(IsUseless);
            while (_spares.Count < Options.Spares) _spares.Add(StartAsync());
        }
    }

    /// <summary>Has workers load a module's machine code, for runs that begin from now on.</summary>
    void Renew(ReadOnlyMemory<byte> module)
    {
        WorkerLink[] links;
        lock (_lock) links = [.. _workers.Where(pair => !pair.Value.IsRetired).Select(pair => pair.Key)];
        foreach (var link in links) _ = link.RenewAsync(module);
    }

    void Forget(WorkerLink link)
    {
        bool isUnexpected;
        lock (_lock)
        {
            isUnexpected = _workers.Remove(link, out var use) && !use.IsRetired && !_isClosed;
        }

        if (isUnexpected) Options.Notice($"Worker {link.ProcessId} is gone: {link.Death}");
    }

    static bool IsUseless(Task<WorkerLink> starting) =>
        starting.IsFaulted || starting.IsCanceled || (starting.IsCompleted && starting.Result.Death is not null);

    bool IsDue(WorkerLink link, Use use) => use.Runs >= Options.RunsMax
        || link.Modules >= Options.ModulesMax
        || link.MemoryBytes > Options.MemoryBytesMax
        || Options.Time.GetElapsedTime(link.StartedAt) > Options.AgeMax;

    /// <summary>Gives it no more runs, and ends it when it has none.</summary>
    void Retire(WorkerLink link, Use use)
    {
        use.IsRetired = true;
        if (_groups.TryGetValue(use.Group, out var current) && current.IsCompletedSuccessfully && current.Result == link)
            _groups.Remove(use.Group);
        if (use.Leases == 0) _ = link.DrainAsync();
    }

    void LookAround()
    {
        lock (_lock)
        {
            foreach (var (link, use) in _workers)
            {
                var isIdle = use is { Leases: 0, Group.Length: > 0 }
                    && Options.Time.GetElapsedTime(use.IdleSince) > Options.IdleMax;
                if (!use.IsRetired && use.Group.Length > 0 && (isIdle || IsDue(link, use))) Retire(link, use);
            }
        }
    }
}
