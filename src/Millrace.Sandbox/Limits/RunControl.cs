using Millrace.Sandbox.Confinement;
using Millrace.Wasm;

namespace Millrace.Sandbox.Limits;

/// <summary>Unwinds the guest when its execution has ended for a reason of ours. Not an error of anybody.</summary>
sealed class RunEndedException(string message) : OperationCanceledException(message);

/// <summary>Why an execution ends that does not end by itself.</summary>
sealed record EndReason(RunEndKind Kind, string Message);

/// <summary>
/// Whether an execution goes on: stopped, out of time, diverged. Also the lock that the guest's thread waits on at
/// the door, so that whatever ends a run also wakes it.
/// </summary>
sealed class RunControl(RunLimits limits, TimeProvider time)
{
    Store? _store;
    CancellationTokenSource? _stop;
    ThreadClock? _cpu;
    TimeSpan _cpuAtStart;
    TimeSpan _cpuAtPhase;
    long _phaseStartedAt;

    public object Gate { get; } = new();

    /// <summary>The reason, once there is one.</summary>
    public EndReason? Ended { get; private set; }

    /// <summary>Whether the journal's end is passed: from here on time counts.</summary>
    public bool IsLive { get; private set; }

    /// <summary>CPU time of the guest's thread since the execution began.</summary>
    public TimeSpan Cpu => _cpu is null ? TimeSpan.Zero : _cpu.Read() - _cpuAtStart;

    /// <summary>Called on the guest's thread before the guest runs.</summary>
    /// <param name="stop">Cancelled when the execution ends.</param>
    public void Begin(Store store, CancellationTokenSource stop)
    {
        lock (Gate)
        {
            (_store, _stop) = (store, stop);
            _cpu = ThreadClock.OfThisThread();
            _cpuAtStart = _cpuAtPhase = _cpu.Read();
            _phaseStartedAt = time.GetTimestamp();
            if (Ended is null) return;
            store.Interrupt();
            stop.Cancel();
        }
    }

    /// <summary>The guest's thread is done with the store; nobody interrupts it any more.</summary>
    public void Finish()
    {
        lock (Gate) (_store, _stop) = (null, null);
    }

    /// <summary>The journal's end is reached: what was used up to here was re-execution's own.</summary>
    public void GoLive()
    {
        lock (Gate)
        {
            if (IsLive) return;
            IsLive = true;
            if (_cpu is null) return;
            _cpuAtPhase = _cpu.Read();
            _phaseStartedAt = time.GetTimestamp();
        }
    }

    public void End(RunEndKind kind, string message)
    {
        lock (Gate)
        {
            if (Ended is not null) return;
            Ended = new(kind, message);
            _store?.Interrupt();
            _stop?.Cancel();
            Monitor.PulseAll(Gate);
        }
    }

    public void ThrowIfEnded()
    {
        if (Ended is { } ended) throw new RunEndedException(ended.Message);
    }

    /// <summary>Ends the run as diverged and unwinds the guest.</summary>
    public RunEndedException Diverge(string message)
    {
        End(RunEndKind.Diverged, message);
        return new(message);
    }

    /// <summary>Blocks the guest's thread until something is told at the gate, which it holds.</summary>
    public void Wait()
    {
        _cpu?.Wait(true);
        try
        {
            Monitor.Wait(Gate);
        }
        finally
        {
            _cpu?.Wait(false);
        }
    }

    /// <summary>Ends the run when its time is used up. From the watchdog's thread.</summary>
    public void CheckTime()
    {
        lock (Gate)
        {
            if (_store is null || _cpu is null || Ended is not null) return;
            var phase = IsLive ? "" : " of re-execution";
            if (_cpu.Read() - _cpuAtPhase > limits.Cpu)
                End(RunEndKind.TimedOut, $"the CPU time{phase} of {limits.Cpu.TotalSeconds:0.###} s is used up");
            else if (time.GetElapsedTime(_phaseStartedAt) > limits.Wall)
                End(RunEndKind.TimedOut, $"the wall time{phase} of {limits.Wall.TotalSeconds:0.###} s is used up");
        }
    }
}
