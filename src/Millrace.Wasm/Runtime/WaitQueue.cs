using System.Diagnostics;
using System.Runtime.InteropServices;

namespace Millrace.Wasm.Runtime;

/// <summary>What <c>memory.atomic.wait</c> answers.</summary>
enum WaitResult
{
    Notified = 0,
    NotEqual = 1,
    TimedOut = 2,
}

/// <summary>A guest thread that waits.</summary>
sealed class Waiter
{
    readonly object _signal = new();
    bool _isAwake;

    /// <summary>Whether a notification counted it. Guarded by the queue.</summary>
    public bool IsNotified { get; set; }

    public void Wake()
    {
        lock (_signal)
        {
            _isAwake = true;
            Monitor.Pulse(_signal);
        }
    }

    /// <summary>Until somebody wakes it, or the time is over; without end when that is negative.</summary>
    public void Sleep(long timeoutNs)
    {
        var start = Stopwatch.GetTimestamp();
        lock (_signal)
        {
            while (!_isAwake)
            {
                var left = timeoutNs < 0 ? long.MaxValue : timeoutNs - Stopwatch.GetElapsedTime(start).Ticks * 100;
                if (left <= 0) return;
                // Rounded up: no wait ends early.
                Monitor.Wait(_signal, (int)Math.Min(left / 1_000_000 + 1, int.MaxValue));
            }
        }
    }
}

/// <summary>Threads that wait at addresses of a shared memory; the first to wait is the first to be notified.</summary>
sealed class WaitQueue
{
    readonly Lock _gate = new();
    readonly Dictionary<ulong, LinkedList<Waiter>> _waiters = [];

    /// <summary>Waits where <paramref name="isExpected"/> still holds with no notification in between.</summary>
    public WaitResult Wait(Store store, ulong address, Func<bool> isExpected, long timeoutNs)
    {
        var waiter = new Waiter();
        lock (_gate)
        {
            if (!isExpected()) return WaitResult.NotEqual;
            ref var line = ref CollectionsMarshal.GetValueRefOrAddDefault(_waiters, address, out _);
            (line ??= new()).AddLast(waiter);
        }
        var isInterrupted = !store.TryBeginWait(waiter);
        if (!isInterrupted)
        {
            waiter.Sleep(timeoutNs);
            isInterrupted = store.EndWait();
        }
        lock (_gate)
        {
            if (waiter.IsNotified) return WaitResult.Notified;
            Remove(address, waiter);
        }
        return isInterrupted ? throw new TrapException(TrapCode.Interrupted) : WaitResult.TimedOut;
    }

    /// <summary>Wakes that many at most; how many.</summary>
    public int Notify(ulong address, uint count)
    {
        lock (_gate)
        {
            var woken = 0;
            for (; woken < count && _waiters.TryGetValue(address, out var line); woken++)
            {
                var waiter = line.First!.Value;
                Remove(address, waiter);
                waiter.IsNotified = true;
                waiter.Wake();
            }
            return woken;
        }
    }

    void Remove(ulong address, Waiter waiter)
    {
        var line = _waiters[address];
        line.Remove(waiter);
        if (line.Count == 0) _waiters.Remove(address);
    }
}
