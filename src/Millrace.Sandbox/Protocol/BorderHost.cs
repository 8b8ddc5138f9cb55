namespace Millrace.Sandbox.Protocol;

/// <summary>
/// The host as a run in a worker sees it: everything is sent over the border. The slot of a waiting guest is counted
/// in the host, which takes one for it before it sends the answer that is waited for; so a guest that is woken by an
/// answer goes on at once, and asks for a slot only when it was woken by something else.
/// </summary>
sealed class BorderHost(Channel channel, uint number) : IRunHost
{
    const int OutputBytesMax = 256 << 10;

    readonly object _gate = new();
    readonly HashSet<long> _answered = [];
    long[] _awaited = [];
    bool _mayGo;
    bool _isGone;

    /// <summary>The run, for the host's words to it.</summary>
    public SandboxRun? Run { get; set; }

    public void Start(long sequence, OperationRequest request) => channel.Send(
        new MessageWriter(Verb.Start, number).Long(sequence).Text(request.Name).Bytes(request.Head).Bytes(request.Body));

    public void Deliver(Delivery delivery)
    {
        lock (_gate) _answered.Remove(delivery.Sequence);
        channel.Send(RunCoding.Write(new(Verb.Deliver, number), delivery));
    }

    public void Write(OutputStream stream, long offset, ReadOnlySpan<byte> bytes)
    {
        while (bytes.Length > 0)
        {
            var piece = bytes[..Math.Min(bytes.Length, OutputBytesMax)];
            channel.Send(new MessageWriter(Verb.Output, number).Byte((byte)stream).Long(offset).Raw(piece));
            offset += piece.Length;
            bytes = bytes[piece.Length..];
        }
    }

    public void BeginWait(ReadOnlySpan<long> sequences)
    {
        var message = new MessageWriter(Verb.Wait, number).Int(sequences.Length);
        foreach (var sequence in sequences) message.Long(sequence);
        lock (_gate) _awaited = sequences.ToArray();
        channel.Send(message);
    }

    public void EndWait()
    {
        lock (_gate)
        {
            if (Array.Exists(_awaited, _answered.Contains)) return;
        }

        channel.Send(new(Verb.Resume, number));
        lock (_gate)
        {
            while (!_mayGo && !_isGone) Monitor.Wait(_gate);
            _mayGo = false;
        }
    }

    /// <summary>The host answered an operation.</summary>
    public void Complete(long sequence, OperationResult result)
    {
        lock (_gate) _answered.Add(sequence);
        Run!.Complete(sequence, result);
    }

    /// <summary>The host has a slot for the guest.</summary>
    public void Go()
    {
        lock (_gate)
        {
            _mayGo = true;
            Monitor.PulseAll(_gate);
        }
    }

    /// <summary>The host is gone: nobody waits for it.</summary>
    public void Leave()
    {
        lock (_gate)
        {
            _isGone = true;
            Monitor.PulseAll(_gate);
        }

        Run!.Stop();
    }
}
