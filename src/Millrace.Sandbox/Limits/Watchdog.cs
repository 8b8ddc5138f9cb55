namespace Millrace.Sandbox.Limits;

/// <summary>One timer for all executions of the process: it ticks while there are any and checks their time.</summary>
#pragma warning disable CA1001 // There is one, and it lives as long as the process; so does its timer.
sealed class Watchdog
#pragma warning restore CA1001
{
    public static readonly Watchdog Shared = new();

    static readonly TimeSpan Period = TimeSpan.FromMilliseconds(10);

    readonly HashSet<RunControl> _runs = [];
    readonly Timer _timer;
    RunControl[]? _snapshot;
    int _isTicking;

    Watchdog() => _timer = new(_ => Tick(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);

    public void Watch(RunControl run)
    {
        lock (_runs)
        {
            _runs.Add(run);
            _snapshot = null;
            if (_runs.Count == 1) _timer.Change(Period, Period);
        }
    }

    public void Forget(RunControl run)
    {
        lock (_runs)
        {
            _runs.Remove(run);
            _snapshot = null;
            if (_runs.Count == 0) _timer.Change(Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        }
    }

    void Tick()
    {
        // A tick that is late does not need a second one beside it.
        if (Interlocked.Exchange(ref _isTicking, 1) != 0) return;
        RunControl[] runs;
        lock (_runs) runs = _snapshot ??= [.. _runs];
        foreach (var run in runs) run.CheckTime();
        Volatile.Write(ref _isTicking, 0);
    }
}
