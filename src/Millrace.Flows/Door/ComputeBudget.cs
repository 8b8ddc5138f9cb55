namespace Millrace.Flows.Door;

/// <summary>
/// Time in which engines compute for a run and its child runs: as much as the run has CPU time. What a guest's own CPU time
/// is, the sandbox counts.
/// </summary>
sealed class ComputeBudget(TimeSpan limit, TimeSpan used)
{
    readonly Lock _lock = new();
    TimeSpan _used = used;

    /// <summary>Whether a computation was refused or broken off for it.</summary>
    public bool HasRefused { get; private set; }

    public TimeSpan Limit => limit;

    /// <summary>What is left; zero once it is used up.</summary>
    public TimeSpan Left
    {
        get
        {
            lock (_lock) return _used < limit ? limit - _used : TimeSpan.Zero;
        }
    }

    public void Use(TimeSpan time)
    {
        lock (_lock) _used += time;
    }

    public void Refuse() => HasRefused = true;
}
