using System.Text;
using Millrace.Flows.Execution;
using Millrace.Sandbox;

namespace Millrace.Flows.Tests;

/// <summary>
/// A guest written in C#, behind the same border as the sandbox: it is given a journal prefix, asks its operations in
/// order, and answers its waits from the prefix until that is used up.
/// </summary>
sealed class FakeGuest(RunRequest request, IRunHost host, Func<GuestDoor, int> program) : IGuest
{
    readonly GuestDoor _door = new(request, host);

    public RunEnd Execute()
    {
        try
        {
            var code = program(_door);
            return new(RunEndKind.Exited, code, code == 0 ? "" : $"The guest ended with exit code {code}.");
        }
        catch (GuestStoppedException)
        {
            return new(RunEndKind.Stopped, 0, "");
        }
        catch (GuestDivergedException diverged)
        {
            return new(RunEndKind.Diverged, 0, diverged.Message);
        }
        catch (GuestTrapException)
        {
            return new(RunEndKind.Trapped, 0, "unreachable");
        }
    }

    public void Complete(long sequence, OperationResult result) => _door.Complete(sequence, result);

    public void Stop() => _door.Stop();
}

sealed class GuestStoppedException : Exception;

sealed class GuestDivergedException(string message) : Exception(message);

sealed class GuestTrapException : Exception;

/// <summary>What a fake guest has of the world.</summary>
sealed class GuestDoor(RunRequest request, IRunHost host)
{
    readonly Dictionary<long, OperationResult> _ready = [];
    readonly HashSet<long> _cancelled = [];
    readonly Queue<(long Sequence, OperationRequest Request)> _unsent = [];
    readonly Dictionary<OutputStream, long> _offsets = [];
    int _delivered;
    long _next;
    bool _isStopped;

    public string Input => Encoding.UTF8.GetString(request.Input.Span);

    public string Environment(string name) => request.Environment[name];

    public RunRequest Request => request;

    /// <summary>Starts an operation and waits for its result.</summary>
    public OperationResult Call(string name, string head = "{}", string body = "")
    {
        var handle = Start(name, head, body);
        Wait(handle);
        return Take(handle);
    }

    public long Start(string name, string head = "{}", string body = "")
    {
        ThrowIfStopped();
        var sequence = _next++;
        var asked = new OperationRequest(name, Encoding.UTF8.GetBytes(head), Encoding.UTF8.GetBytes(body));
        if (sequence < request.Journal.Operations.Length)
        {
            var known = request.Journal.Operations[(int)sequence];
            if (!known.Digest.Span.SequenceEqual(asked.Digest()))
                throw new GuestDivergedException($"Operation {sequence} differs.");
            if (known.Result is { } result)
            {
                Complete(sequence, result);
                return sequence;
            }
        }
        _unsent.Enqueue((sequence, asked));
        SendAtEnd();
        return sequence;
    }

    /// <summary>Blocks until one of them has its result.</summary>
    public long Wait(params long[] handles)
    {
        ThrowIfStopped();
        if (_delivered < request.Journal.Deliveries.Length)
        {
            var known = request.Journal.Deliveries[_delivered++];
            if (!handles.Contains(known.Sequence)) throw new GuestDivergedException("The order of results differs.");
            SendAtEnd();
            return known.Sequence;
        }
        var sequence = WaitForResult(handles);
        host.Deliver(new(DeliveryKind.Result, sequence, _ready[sequence].CompletedAtNs));
        return sequence;
    }

    public OperationResult Take(long handle)
    {
        lock (_ready)
        {
            _ready.Remove(handle, out var result);
            return result!;
        }
    }

    public void Cancel(long handle)
    {
        _cancelled.Add(handle);
        if (_delivered < request.Journal.Deliveries.Length)
        {
            _delivered++;
            SendAtEnd();
        }
        else
        {
            host.Deliver(new(DeliveryKind.Cancel, handle, 0));
        }
    }

    public void Write(string text, OutputStream stream = OutputStream.Result)
    {
        ThrowIfStopped();
        var bytes = Encoding.UTF8.GetBytes(text);
        var offset = _offsets.GetValueOrDefault(stream);
        _offsets[stream] = offset + bytes.Length;
        host.Write(stream, offset, bytes);
    }

    public void Complete(long sequence, OperationResult result)
    {
        lock (_ready)
        {
            if (!_cancelled.Contains(sequence)) _ready[sequence] = result;
            Monitor.PulseAll(_ready);
        }
    }

    public void Stop()
    {
        lock (_ready)
        {
            _isStopped = true;
            Monitor.PulseAll(_ready);
        }
    }

    /// <summary>As the sandbox does: nothing is sent before the recorded deliveries are gone through.</summary>
    void SendAtEnd()
    {
        if (_delivered < request.Journal.Deliveries.Length) return;
        while (_unsent.TryDequeue(out var unsent))
        {
            if (!_cancelled.Contains(unsent.Sequence)) host.Start(unsent.Sequence, unsent.Request);
        }
    }

    long WaitForResult(long[] handles)
    {
        lock (_ready)
        {
            if (FirstReady(handles) is { } ready) return ready;
        }
        host.BeginWait(handles);
        try
        {
            lock (_ready)
            {
                while (true)
                {
                    if (_isStopped) throw new GuestStoppedException();
                    if (FirstReady(handles) is { } ready) return ready;
                    Monitor.Wait(_ready);
                }
            }
        }
        finally
        {
            host.EndWait();
        }
    }

    long? FirstReady(long[] handles)
    {
        foreach (var handle in handles)
        {
            if (_ready.ContainsKey(handle)) return handle;
        }
        return null;
    }

    void ThrowIfStopped()
    {
        lock (_ready)
        {
            if (_isStopped) throw new GuestStoppedException();
        }
    }
}
