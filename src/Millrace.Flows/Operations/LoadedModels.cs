using Millrace.Nn;

namespace Millrace.Flows.Operations;

/// <summary>
/// Models that the engines have loaded, for all runs of the node: each is loaded once, and goes when it is among those unused
/// longest or unused for long. One caller at a time has one. Nothing of a run stays in it.
/// </summary>
sealed class LoadedModels(TimeProvider time) : IDisposable
{
    const int CountMax = 16;
    static readonly TimeSpan IdleMax = TimeSpan.FromMinutes(5);

    readonly Lock _lock = new();
    readonly Dictionary<string, Entry> _all = [];
    ITimer? _timer;
    bool _isDisposed;

    /// <summary>Uses a model, and loads it before where that is needed and possible.</summary>
    /// <param name="load">Null: this machine can have it only from a guest.</param>
    /// <exception cref="NnException">It is not loaded, cannot be, or the use failed.</exception>
    public async Task<T> UseAsync<T>(string key, Func<INnGraph>? load, Func<INnGraph, T> use, CancellationToken cancel)
    {
        var entry = Enter(key, load is not null)
            ?? throw new NnException(NnErrno.NotFound, "the model is not loaded any more: load it again");
        try
        {
            await entry.Gate.WaitAsync(cancel);
            try
            {
                // Engines compute on the thread that asks them.
                return await Task.Run(() => Use(entry, load, use), CancellationToken.None);
            }
            finally
            {
                entry.Gate.Release();
            }
        }
        finally
        {
            Leave(key, entry);
        }
    }

    static T Use<T>(Entry entry, Func<INnGraph>? load, Func<INnGraph, T> use)
    {
        var isFresh = entry.Graph is null;
        entry.Graph ??= Load(load);
        try
        {
            return use(entry.Graph);
        }
        catch (NnException e) when (e.Errno == NnErrno.RuntimeError)
        {
            // Its engine may have died, of this model or of another.
            Drop(entry);
            if (isFresh || load is null) throw;
            entry.Graph = load();
            return use(entry.Graph);
        }
    }

    static INnGraph Load(Func<INnGraph>? load) => load is null
        ? throw new NnException(NnErrno.NotFound, "the model is not loaded any more: load it again") : load();

    static void Drop(Entry entry)
    {
        entry.Graph?.Dispose();
        entry.Graph = null;
    }

    Entry? Enter(string key, bool mayLoad)
    {
        lock (_lock)
        {
            if (!_all.TryGetValue(key, out var entry))
            {
                if (!mayLoad) return null;
                _all.Add(key, entry = new());
            }

            entry.Users++;
            _timer ??= time.CreateTimer(_ => Evict(), null, IdleMax, IdleMax);
            return entry;
        }
    }

    void Leave(string key, Entry entry)
    {
        lock (_lock)
        {
            entry.Users--;
            entry.UsedAt = time.GetUtcNow();
            if (entry.Users == 0 && entry.Graph is null) _all.Remove(key);
        }

        Evict();
    }

    void Evict()
    {
        var gone = new List<Entry>();
        lock (_lock)
        {
            var tooOld = time.GetUtcNow() - IdleMax;
            var idle = _all.Where(pair => pair.Value.Users == 0).OrderBy(pair => pair.Value.UsedAt).ToList();
            foreach (var (key, entry) in idle)
            {
                if (!_isDisposed && _all.Count <= CountMax && entry.UsedAt > tooOld) break;
                _all.Remove(key);
                gone.Add(entry);
            }
        }

        foreach (var entry in gone) Drop(entry);
    }

    public void Dispose()
    {
        lock (_lock)
        {
            _isDisposed = true;
            _timer?.Dispose();
        }

        // What is in use goes with its last user.
        Evict();
    }

    sealed class Entry
    {
        public SemaphoreSlim Gate { get; } = new(1);

        public INnGraph? Graph { get; set; }

        public int Users { get; set; }

        public DateTimeOffset UsedAt { get; set; }
    }
}
