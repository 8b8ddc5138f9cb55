using System.Globalization;
using System.Text;
using Millrace.Sandbox.Determinism;
using Millrace.Sandbox.Limits;
using Millrace.Wasm;

namespace Millrace.Sandbox.Door;

/// <summary>
/// The door's state: which operations are open, what the guest knows. First the journal answers, then the host does.
/// Nothing is sent to the host before all recorded deliveries are gone through, so that a guest that does something
/// else than its journal says has sent nothing.
/// </summary>
sealed class RunDoor(JournalPrefix journal, IRunHost host, FlowClock clock, RunControl control, TimeProvider time)
{
    const int OpenMax = 64;

    // Refusals are open handles too; one that never takes them is not waited for.
    const int RefusedMax = 1024;

    /// <summary>The time-out of a wait that has none.</summary>
    public const int NoTimeout = -1;

    readonly JournalReplay _replay = new(journal, control);
    readonly Dictionary<uint, Operation> _open = [];
    readonly Dictionary<long, Operation> _bySequence = [];
    readonly Queue<Operation> _unsent = [];
    uint _lastHandle;
    long _nextSequence;
    long _arrivals;
    long _openBytes;
    int _refused;

    /// <summary>Begins an operation and gives its handle.</summary>
    public uint Start(string name, byte[] head, byte[] body)
    {
        control.ThrowIfEnded();
        var request = new OperationRequest(name, head, body);
        if (_bySequence.Count >= OpenMax) return Refuse(Refusal.TooManyOpen);
        if (_openBytes + head.Length + body.Length > Refusal.OpenBytesMax) return Refuse(Refusal.OpenTooLarge);
        return AddHandle(Begin(request));
    }

    /// <summary>Gives a handle for an operation whose request is wrong by itself.</summary>
    public uint Refuse(OperationResult error)
    {
        if (++_refused > RefusedMax)
            throw new TrapException(TrapCode.HostFault, "too many refused operations are left open");
        var refused = new Operation(Operation.NoSequence, new("", default, default)) { IsAnnounced = true };
        refused.Answer(error, 0);
        return AddHandle(refused);
    }

    /// <summary>The operation of a handle.</summary>
    /// <exception cref="TrapException">There is none.</exception>
    public Operation Find(uint handle) => _open.TryGetValue(handle, out var operation)
        ? operation
        : throw new TrapException(TrapCode.HostFault, $"no open handle {handle}");

    /// <summary>Blocks until one of the operations is answered; its index, or -1 on time-out.</summary>
    public int Wait(ReadOnlySpan<Operation> operations, int timeoutMs)
    {
        control.ThrowIfEnded();
        for (var i = 0; i < operations.Length; i++)
        {
            if (operations[i].IsAnnounced) return i;
        }

        return _replay.IsAtEnd ? WaitLive(operations, timeoutMs) : WaitReplayed(operations, timeoutMs);
    }

    /// <summary>Hands a result over and frees its handle.</summary>
    public OperationResult Take(uint handle)
    {
        var operation = Find(handle);
        if (!operation.IsAnnounced) throw new TrapException(TrapCode.HostFault, $"handle {handle} was not waited for");
        Free(handle, operation);
        return operation.Result!;
    }

    public void Cancel(uint handle)
    {
        control.ThrowIfEnded();
        var operation = Find(handle);
        Free(handle, operation);
        operation.IsCancelled = true;
        if (operation.Sequence == Operation.NoSequence) return;
        if (_replay.IsAtEnd)
        {
            control.GoLive();
            host.Deliver(new(DeliveryKind.Cancel, operation.Sequence, clock.NextNs));
            return;
        }

        var recorded = _replay.Next();
        if (recorded.Kind != DeliveryKind.Cancel || recorded.Sequence != operation.Sequence)
            throw _replay.Diverge(recorded, $"cancels operation {operation.Sequence}");
        SendAtEnd();
    }

    /// <summary>Waits out a time as the operation <c>door.sleep</c>; false when the host could not.</summary>
    public bool Sleep(ulong nanoseconds)
    {
        control.ThrowIfEnded();
        var ms = nanoseconds / 1_000_000 + (nanoseconds % 1_000_000 == 0 ? 0UL : 1);
        var head = Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $$"""{"ms":{{ms}}}"""));
        return Answer(new("door.sleep", head, default)).State == ResultState.Done;
    }

    /// <summary>Begins an operation that the guest has no handle of, and waits for its result.</summary>
    public OperationResult Ask(string name, byte[] head, byte[] body)
    {
        control.ThrowIfEnded();
        if (Refusal.Check(Encoding.UTF8.GetBytes(name), head, body.Length, out _) is { } error) return error;
        return _openBytes + head.Length + body.Length > Refusal.OpenBytesMax ? Refusal.OpenTooLarge : Answer(new(name, head, body));
    }

    /// <summary>The host's answer. From any thread; dropped when nobody waits for it any more.</summary>
    public void Complete(long sequence, OperationResult result)
    {
        lock (control.Gate)
        {
            if (!_bySequence.TryGetValue(sequence, out var operation) || operation.Result is not null) return;
            operation.Answer(result, ++_arrivals);
            Monitor.PulseAll(control.Gate);
        }
    }

    /// <summary>Called once before the guest runs: without a journal it is live from the start.</summary>
    public void Open() => SendAtEnd();

    public void CheckEnded() => _replay.CheckEnded();

    OperationResult Answer(OperationRequest request)
    {
        var operation = Begin(request);
        Wait([operation], NoTimeout);
        Forget(operation);
        return operation.Result!;
    }

    Operation Begin(OperationRequest request)
    {
        var operation = new Operation(_nextSequence++, request);
        var journaled = _replay.Start(operation.Sequence, request);
        lock (control.Gate)
        {
            if (journaled is not null) operation.Answer(journaled, ++_arrivals);
            _bySequence.Add(operation.Sequence, operation);
        }

        _openBytes += operation.RequestBytes;
        if (journaled is null) _unsent.Enqueue(operation);
        SendAtEnd();
        return operation;
    }

    /// <summary>Past the recorded deliveries: sends what was held back, in order.</summary>
    void SendAtEnd()
    {
        if (!_replay.IsAtEnd) return;
        if (_replay.IsPassed) control.GoLive();
        while (_unsent.TryDequeue(out var operation))
        {
            if (!operation.IsCancelled) host.Start(operation.Sequence, operation.Request);
        }
    }

    int WaitReplayed(ReadOnlySpan<Operation> operations, int timeoutMs)
    {
        var recorded = _replay.Next();
        var index = -1;
        switch (recorded.Kind)
        {
            case DeliveryKind.TimeOut when timeoutMs != NoTimeout:
                break;
            case DeliveryKind.Result:
                for (var i = 0; i < operations.Length && index < 0; i++)
                {
                    if (operations[i].Sequence == recorded.Sequence) index = i;
                }

                if (index < 0) throw _replay.Diverge(recorded, "does not wait for that");
                if (operations[index].Result is null)
                    throw _replay.Diverge(recorded, "finds no result of it in the journal");
                operations[index].IsAnnounced = true;
                break;
            default:
                throw _replay.Diverge(recorded, "waits for something else");
        }

        clock.MoveTo(recorded.AtNs);
        SendAtEnd();
        return index;
    }

    int WaitLive(ReadOnlySpan<Operation> operations, int timeoutMs)
    {
        control.GoLive();
        var index = Await(operations, timeoutMs);
        var delivery = index < 0
            ? new Delivery(DeliveryKind.TimeOut, -1, clock.DeliveryAt(UtcNowNs()))
            : new Delivery(
                DeliveryKind.Result, operations[index].Sequence,
                clock.DeliveryAt(operations[index].Result!.CompletedAtNs));
        host.Deliver(delivery);
        clock.MoveTo(delivery.AtNs);
        if (index >= 0) operations[index].IsAnnounced = true;
        return index;
    }

    /// <summary>Blocks until a result is there, the time is out, or the run is ended.</summary>
    int Await(ReadOnlySpan<Operation> operations, int timeoutMs)
    {
        var isTimeOut = timeoutMs == 0;
        using var timer = timeoutMs <= 0 ? null : time.CreateTimer(
            _ =>
            {
                lock (control.Gate)
                {
                    isTimeOut = true;
                    Monitor.PulseAll(control.Gate);
                }
            },
            null, TimeSpan.FromMilliseconds(timeoutMs), Timeout.InfiniteTimeSpan);
        var isWaiting = false;
        try
        {
            while (true)
            {
                lock (control.Gate)
                {
                    while (true)
                    {
                        control.ThrowIfEnded();
                        var index = FirstAnswered(operations);
                        if (index >= 0 || isTimeOut) return index;
                        if (!isWaiting) break;
                        control.Wait();
                    }
                }

                // Told outside the gate, which a host that answers meanwhile needs.
                host.BeginWait(Sequences(operations));
                isWaiting = true;
            }
        }
        finally
        {
            if (isWaiting) host.EndWait();
        }
    }

    static long[] Sequences(ReadOnlySpan<Operation> operations)
    {
        var sequences = new long[operations.Length];
        for (var i = 0; i < sequences.Length; i++) sequences[i] = operations[i].Sequence;
        return sequences;
    }

    static int FirstAnswered(ReadOnlySpan<Operation> operations)
    {
        var index = -1;
        for (var i = 0; i < operations.Length; i++)
        {
            if (operations[i].Result is null) continue;
            if (index < 0 || operations[i].Arrival < operations[index].Arrival) index = i;
        }

        return index;
    }

    uint AddHandle(Operation operation)
    {
        _open.Add(++_lastHandle, operation);
        return _lastHandle;
    }

    void Free(uint handle, Operation operation)
    {
        _open.Remove(handle);
        if (operation.Sequence == Operation.NoSequence) _refused--;
        else Forget(operation);
    }

    void Forget(Operation operation)
    {
        _openBytes -= operation.RequestBytes;
        lock (control.Gate) _bySequence.Remove(operation.Sequence);
    }

    long UtcNowNs() => (time.GetUtcNow() - DateTimeOffset.UnixEpoch).Ticks * TimeSpan.NanosecondsPerTick;
}
