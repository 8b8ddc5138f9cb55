using System.Buffers;
using Millrace.Flows.Door;
using Millrace.Flows.Storage;
using Millrace.Sandbox;

namespace Millrace.Flows.Execution;

/// <summary>How an execution ended.</summary>
/// <param name="Run">The guest's own end; null when it was not executed.</param>
/// <param name="Cause">Why the host ended it.</param>
/// <param name="Message">One sentence for a person, when the host ended it.</param>
/// <param name="Output">A child run's standard output.</param>
sealed record GuestEnd(RunEnd? Run, StopCause Cause, string Message, ReadOnlyMemory<byte> Output);

/// <summary>One execution of a run: the host's side of the border to the sandbox.</summary>
sealed class GuestExecution : IRunHost
{
    readonly Node _node;
    readonly RunPlan _plan;
    readonly RunJournal _journal;
    readonly RunDoor _door;
    readonly ArrayBufferWriter<byte> _output = new();
    readonly Lock _lock = new();
    IGuest? _guest;
    StopCause _cause;
    string _message = "";

    public GuestExecution(Node node, RunPlan plan, RunJournal journal)
    {
        (_node, _plan, _journal) = (node, plan, journal);
        _door = new(node, plan, journal, this);
        journal.Failed = Lose;
    }

    public RunDoor Door => _door;

    /// <summary>Executes the guest and settles its operations.</summary>
    public async Task<GuestEnd> RunAsync()
    {
        RunEnd? end = null;
        if (Cause == StopCause.None)
        {
            var guest = await _node.Guests(_plan.Deployed, Request(), this);
            lock (_lock) _guest = guest;
            if (Cause == StopCause.None) end = await GuestThread.RunAsync(_node, $"run {_plan.Run.Id}", guest, Failed);
        }
        await CloseAsync();
        return new(end, Cause, _message, _output.WrittenMemory);
    }

    /// <summary>Settles what the journal holds as open, without a guest.</summary>
    public async Task<GuestEnd> SettleAsync()
    {
        await _door.EndAsync();
        return new(null, Cause, _message, default);
    }

    /// <summary>Ends the execution; the first cause counts.</summary>
    public void Stop(StopCause cause, string message)
    {
        lock (_lock)
        {
            // A loss must not become a decision: what the store did not keep, nobody may act upon.
            var isTaken = _cause == StopCause.None || (IsPause(cause) && !IsPause(_cause));
            if (isTaken) (_cause, _message) = (cause, message);
            // What is still finished for a guest whose worker died is broken off; the next attempt knows why.
            else if (_cause != StopCause.WorkerLost) return;
        }
        if (cause is StopCause.Cancelled or StopCause.Superseded or StopCause.BrokenOff or StopCause.Diverged)
            _door.Stop();
        _guest?.Stop();
    }

    /// <summary>The execution cannot go on for what the host met.</summary>
    public void Lose(Exception exception)
    {
        if (exception is PlatformException { Error: PlatformError.DiskFull or PlatformError.StorageFailed })
        {
            Stop(StopCause.Unstored, exception.Message);
            return;
        }
        if (exception is PlatformException)
        {
            Stop(StopCause.Lost, exception.Message);
            return;
        }
        _node.Options.Notice($"Run {_plan.Run.Id}: the host failed: {exception}");
        Stop(StopCause.Lost, "The host failed.");
    }

    /// <summary>The guest may have this result.</summary>
    public void Complete(long sequence, OperationResult result) => _guest?.Complete(sequence, result);

    void IRunHost.Start(long sequence, OperationRequest request)
    {
        if (Cause != StopCause.None) return;
        try
        {
            _door.Start(sequence, request);
        }
        // The edge between sandbox and host: no exception of ours runs through the guest's frames.
        catch (Exception exception)
        {
            Lose(exception);
        }
    }

    void IRunHost.Deliver(Delivery delivery)
    {
        if (Cause != StopCause.None) return;
        _journal.DeliverAsync(delivery);
        if (delivery.Kind == DeliveryKind.Cancel) _door.Cancel(delivery.Sequence);
    }

    void IRunHost.Write(OutputStream stream, long offset, ReadOnlySpan<byte> bytes)
    {
        if (Cause != StopCause.None) return;
        if (stream == OutputStream.Result && _plan.Run.IsChild)
        {
            _output.Write(bytes);
            return;
        }
        var stored = stream == OutputStream.Result ? _journal.ResultBytes : _journal.LogBytes;
        if (offset + bytes.Length <= stored) return;
        var fresh = bytes[(int)(stored - offset)..].ToArray();
        var committed = _journal.AppendAsync(lags: true, new Wrote(stream, stored, fresh, Clock.Ms(_node.Time)));
        if (stream == OutputStream.Log)
        {
            _journal.LogBytes += fresh.Length;
            return;
        }
        _journal.ResultBytes += fresh.Length;
        _ = committed.ContinueWith(
            _ => _node.Feeds.Pulse(_plan.Run.Id), CancellationToken.None,
            TaskContinuationOptions.OnlyOnRanToCompletion, TaskScheduler.Default);
    }

    void IRunHost.BeginWait(ReadOnlySpan<long> sequences) => _node.Slots.Release();

    void IRunHost.EndWait() => _node.Slots.Wait();

    StopCause Cause
    {
        get { lock (_lock) return _cause; }
    }

    RunRequest Request()
    {
        var run = _plan.Run;
        return new()
        {
            RunId = run.Id,
            Arguments = [run.Name],
            Environment = _plan.Environment,
            Input = _plan.Input,
            Assets = _plan.Deployed.Package.Assets,
            StartedAtNs = run.StartedNs!.Value,
            Seed = run.Seed,
            Limits = _plan.Limits,
            Journal = _journal.Prefix,
        };
    }

    void Failed(Exception exception)
    {
        if (exception is WorkerLostException)
        {
            Stop(StopCause.WorkerLost, $"Its worker was lost: {exception.Message}.");
            return;
        }
        Stop(StopCause.Lost, exception is OutOfMemoryException
            ? "The host is out of memory." : $"The sandbox failed ({exception.GetType().Name}).");
        _node.Options.Notice($"Run {_plan.Run.Id}: the sandbox failed: {exception}");
    }

    /// <summary>Whether the run goes on later.</summary>
    public static bool IsPause(StopCause cause) =>
        cause is StopCause.Shutdown or StopCause.Lost or StopCause.WorkerLost or StopCause.Unstored;

    Task CloseAsync() => Cause switch
    {
        StopCause.Shutdown => _door.AbandonAsync(waits: !_node.IsGone),
        StopCause.WorkerLost => _door.FinishAsync(),
        StopCause.Lost or StopCause.Unstored => _door.AbandonAsync(waits: false),
        _ => _door.EndAsync(),
    };
}
