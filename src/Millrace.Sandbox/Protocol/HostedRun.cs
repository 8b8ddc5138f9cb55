using Millrace.Sandbox.Door;

namespace Millrace.Sandbox.Protocol;

/// <summary>
/// The host's side of one run in a worker. Messages are handled one after another on the thread that executes the run,
/// so that one run's commits hold up no other. A worker may say of its own runs what it likes; what no guest can do
/// breaks the protocol.
/// </summary>
sealed class HostedRun
{
    // What waits here to be handled; a worker that sends more is not read until it is.
    const int InboxBytesMax = 4 << 20;

    // Besides the door's 64, the sleep that a guest is in.
    const int OpenMax = 65;

    const int NameBytesMax = 128;
    const int AwaitedMax = 4096;
    const int FaultBytesMax = 4 << 10;

    static readonly TimeSpan TimerMax = TimeSpan.FromDays(40);

    readonly RunRequest _request;
    readonly IRunHost _host;
    readonly WorkerOptions _options;
    readonly object _gate = new();
    readonly Queue<object> _inbox = new();
    readonly Dictionary<long, int> _open = [];
    readonly HashSet<long> _answered;
    readonly Dictionary<OutputStream, long> _written = [];
    WorkerLink? _link;
    uint _number;
    HashSet<long>? _awaited;
    long _inboxBytes;
    long _openBytes;
    long _started = -1;
    string? _lost;
    bool _isStopped;
    bool _isOverdue;
    ITimer? _grace;

    sealed record Answer(long Sequence, OperationResult Result);

    public HostedRun(RunRequest request, IRunHost host, WorkerOptions options)
    {
        (_request, _host, _options) = (request, host, options);
        _answered = [.. request.Journal.Operations.Where(row => row.Result is not null).Select(row => row.Sequence)];
        foreach (var known in request.Journal.Deliveries)
        {
            if (known.Kind == DeliveryKind.Result) _answered.Remove(known.Sequence);
        }
    }

    long KnownMax => Math.Max(_started, _request.Journal.Operations.Length - 1);

    /// <summary>Executes the run in this worker, on this thread, until it ends.</summary>
    /// <exception cref="WorkerLostException">The worker is gone, and not because the run was to end.</exception>
    public RunEnd Execute(WorkerLink link, byte[] module)
    {
        lock (_gate)
        {
            if (_isStopped) return Stopped();
            _link = link;
            _number = link.Begin(this);
        }

        link.Send(RunCoding.Write(_number, module, _request));
        using var deadline = _options.Time.CreateTimer(_ => PassDeadline(), null, Deadline(), Timeout.InfiniteTimeSpan);
        try
        {
            return Handle();
        }
        finally
        {
            lock (_gate) _grace?.Dispose();
            if (_awaited is not null) _host.EndWait();
        }
    }

    /// <summary>Hands over the result of an operation, from any thread; dropped when it is not waited for any more.</summary>
    public void Complete(long sequence, OperationResult result)
    {
        lock (_gate)
        {
            if (!_open.Remove(sequence, out var bytes)) return;
            _openBytes -= bytes;
            if (_awaited?.Contains(sequence) == true)
            {
                // The guest goes on with it, and needs a slot first: waiting for one is not the caller's business.
                _inbox.Enqueue(new Answer(sequence, result));
                Monitor.PulseAll(_gate);
                return;
            }

            _answered.Add(sequence);
        }

        Send(sequence, result);
    }

    /// <summary>Ends the run, from any thread; a worker that does not obey is killed.</summary>
    public void Stop()
    {
        lock (_gate)
        {
            if (_isStopped) return;
            _isStopped = true;
            if (_link is null) return;
            _grace = _options.Time.CreateTimer(
                _ => _link.Die($"it did not end a run within {_options.StopGrace.TotalSeconds:0.#} s"),
                null, _options.StopGrace, Timeout.InfiniteTimeSpan);
        }

        _link.Send(new(Verb.Stop, _number));
    }

    /// <summary>Takes a message of the worker; on the thread that reads them all.</summary>
    public void Post(Received message)
    {
        lock (_gate)
        {
            while (_inboxBytes > InboxBytesMax && _lost is null) Monitor.Wait(_gate);
            _inbox.Enqueue(message);
            _inboxBytes += Size(message);
            Monitor.PulseAll(_gate);
        }
    }

    /// <summary>The worker is gone.</summary>
    public void Lose(string reason)
    {
        lock (_gate)
        {
            _lost = reason;
            Monitor.PulseAll(_gate);
        }
    }

    static long Size(Received message) => message.Content.Length + 64;

    /// <summary>The worker counts time by itself; it may use its time twice, once to execute the run again.</summary>
    TimeSpan Deadline()
    {
        var wall = _request.Limits.Wall;
        if (wall > TimerMax / 4) return TimerMax;
        if (wall < TimeSpan.Zero) wall = TimeSpan.Zero;
        var isAgain = _request.Journal.Operations.Length > 0 || _request.Journal.Deliveries.Length > 0;
        return (isAgain ? 2 * wall : wall) + _options.StopGrace;
    }

    void PassDeadline()
    {
        lock (_gate) _isOverdue = true;
        Stop();
    }

    RunEnd Handle()
    {
        try
        {
            while (true)
            {
                switch (Next())
                {
                    case null:
                        return Lost();
                    case Answer answer:
                        GoOn(answer);
                        break;
                    case Received message when Take(message) is { } end:
                        return end;
                }
            }
        }
        catch (ProtocolException e)
        {
            _link!.Die($"it broke the protocol: {WorkerLink.Plain(e.Message)}");
            return Lost();
        }
        catch (Exception e) when (e is not WorkerLostException)
        {
            // The host failed, not the worker: its run ends before anybody else hears of it.
            Stop();
            while (Next() is { } item and not Received { Verb: Verb.Ended or Verb.Failed }) _ = item;
            throw;
        }
    }

    /// <summary>What is to be handled next; null: the worker is gone.</summary>
    object? Next()
    {
        lock (_gate)
        {
            while (true)
            {
                if (_inbox.TryDequeue(out var item))
                {
                    if (item is Received message) _inboxBytes -= Size(message);
                    Monitor.PulseAll(_gate);
                    return item;
                }

                if (_lost is not null) return null;
                Monitor.Wait(_gate);
            }
        }
    }

    RunEnd Lost()
    {
        lock (_gate)
        {
            if (_isOverdue) return Overdue();
            if (_isStopped) return Stopped();
            throw new WorkerLostException(_lost ?? _link!.Death!);
        }
    }

    static RunEnd Stopped() => new(RunEndKind.Stopped, 0, "stopped by the host");

    RunEnd Overdue() => new(
        RunEndKind.TimedOut, 0, $"the wall time of {_request.Limits.Wall.TotalSeconds:0.###} s is used up");

    void GoOn(Answer answer)
    {
        EndWait();
        lock (_gate) _answered.Add(answer.Sequence);
        Send(answer.Sequence, answer.Result);
    }

    void EndWait()
    {
        lock (_gate)
        {
            if (_awaited is null) return;
            _awaited = null;
        }

        _host.EndWait();
    }

    void Send(long sequence, OperationResult result) =>
        _link!.Send(RunCoding.Write(new MessageWriter(Verb.Result, _number).Long(sequence), result));

    RunEnd? Take(Received message)
    {
        var reader = new MessageReader(message.Verb, message.Content);
        switch (message.Verb)
        {
            case Verb.Start:
                Start(reader);
                return null;
            case Verb.Deliver:
                Deliver(reader);
                return null;
            case Verb.Output:
                Write(reader);
                return null;
            case Verb.Wait:
                Wait(reader);
                return null;
            case Verb.Resume:
                reader.End();
                EndWait();
                _link!.Send(new(Verb.Go, _number));
                return null;
            case Verb.Ended:
                return End(reader);
            case Verb.Failed:
                var fault = WorkerLink.Plain(reader.Text(FaultBytesMax));
                throw new WorkerLostException($"the worker lost the run: {fault}");
            default:
                throw reader.Fault("not a word about a run");
        }
    }

    void Start(MessageReader reader)
    {
        var sequence = reader.Long();
        var name = reader.Text(NameBytesMax);
        var request = new OperationRequest(
            name, reader.Bytes(Refusal.HeadBytesMax), reader.Bytes(Refusal.BodyBytesMax));
        reader.End();
        if (name.Length == 0 || !Refusal.IsJson(request.Head.Span))
            throw reader.Fault("it is not what the door lets through");
        if (sequence <= _started) throw reader.Fault($"operation {sequence} comes after {_started}");
        _started = sequence;
        lock (_gate)
        {
            var bytes = request.Head.Length + request.Body.Length;
            _open.Add(sequence, bytes);
            _openBytes += bytes;
            if (_open.Count > OpenMax || _openBytes > Refusal.OpenBytesMax)
                throw reader.Fault("more is open than the door lets through");
        }

        _host.Start(sequence, request);
    }

    void Deliver(MessageReader reader)
    {
        var delivery = RunCoding.ReadDelivery(reader);
        reader.End();
        lock (_gate)
        {
            var sequence = delivery.Sequence;
            var isTrue = delivery.Kind switch
            {
                DeliveryKind.Result => _answered.Remove(sequence),
                DeliveryKind.TimeOut => sequence == -1,
                DeliveryKind.Cancel => sequence >= 0 && sequence <= KnownMax,
                _ => false,
            };
            if (!isTrue) throw reader.Fault($"no {delivery.Kind} of operation {sequence} can be delivered");
            if (delivery.Kind == DeliveryKind.Cancel && _open.Remove(sequence, out var bytes)) _openBytes -= bytes;
        }

        _host.Deliver(delivery);
    }

    void Write(MessageReader reader)
    {
        var stream = (OutputStream)reader.Byte();
        if (stream is not (OutputStream.Result or OutputStream.Log)) throw reader.Fault($"there is no stream {stream}");
        var offset = reader.Long();
        var bytes = reader.Rest();
        var written = _written.GetValueOrDefault(stream);
        if (offset != written) throw reader.Fault($"byte {offset} comes after {written}");
        if (bytes.Length > _request.Limits.OutputBytesMax - written) throw reader.Fault("more output than the limit");
        _written[stream] = written + bytes.Length;
        _host.Write(stream, offset, bytes.Span);
    }

    void Wait(MessageReader reader)
    {
        var sequences = new long[reader.Count(AwaitedMax)];
        for (var i = 0; i < sequences.Length; i++) sequences[i] = reader.Long();
        reader.End();
        lock (_gate)
        {
            if (_awaited is not null) throw reader.Fault("it waits already");
            // An answer is on its way: the guest goes on with it, and keeps its slot.
            if (Array.Exists(sequences, _answered.Contains)) return;
            _awaited = [.. sequences];
        }

        _host.BeginWait(sequences);
    }

    RunEnd End(MessageReader reader)
    {
        var end = RunCoding.ReadEnd(reader);
        lock (_gate)
        {
            if (end.Kind != RunEndKind.Stopped) return end;
            if (_isOverdue) return Overdue() with { Cpu = end.Cpu, MemoryBytesPeak = end.MemoryBytesPeak };
            return _isStopped ? end : throw reader.Fault("nobody stopped it");
        }
    }
}
