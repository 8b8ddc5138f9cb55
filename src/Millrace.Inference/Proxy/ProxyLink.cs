using Millrace.Inference.Worker;
using Millrace.Nn;

namespace Millrace.Inference.Proxy;

/// <summary>The worker that a graph lives in. When it dies, so does the graph.</summary>
sealed class ProxyLink(WorkerProcess worker)
{
    static long _uploads;

    /// <summary>Asks for something that has no bytes of its own.</summary>
    public Frame Ask(NnMessage message, CancellationToken cancel = default) => Ask(message, default(ReadOnlyMemory<byte>), cancel);

    /// <summary>Asks for something with bytes, which may be many.</summary>
    public Frame Ask(NnMessage message, IEnumerable<ReadOnlyMemory<byte>> bytes, CancellationToken cancel = default)
    {
        var last = default(ReadOnlyMemory<byte>);
        foreach (var part in bytes.SelectMany(Parts))
        {
            if (last.Length > 0)
            {
                if (message.Upload == 0) message = message with { Upload = Interlocked.Increment(ref _uploads) };
                Ask(new(NnOperation.Append) { Upload = message.Upload }, last, default);
            }

            last = part;
        }

        return Ask(message, last, cancel);
    }

    /// <summary>Asks for something whose failure does not matter: with the worker it is gone too.</summary>
    public void Drop(NnMessage message)
    {
        try
        {
            if (worker.IsAlive) Ask(message);
        }
        catch (NnException)
        {
            // It died in between.
        }
    }

    static IEnumerable<ReadOnlyMemory<byte>> Parts(ReadOnlyMemory<byte> bytes)
    {
        for (var at = 0; at < bytes.Length; at += NnMessage.PartBytesMax)
            yield return bytes.Slice(at, Math.Min(NnMessage.PartBytesMax, bytes.Length - at));
    }

    Frame Ask(NnMessage message, ReadOnlyMemory<byte> body, CancellationToken cancel)
    {
        if (!worker.IsAlive)
            throw new NnException(NnErrno.RuntimeError, "the inference worker died, and the graph with it: load it again");
        Frame answer;
        try
        {
            // The guest's thread, which has nothing else to do.
            answer = worker.AskAsync(new(FrameKind.Nn, 0) { Nn = message, Body = body }, cancel).GetAwaiter().GetResult();
        }
        catch (InferenceException e)
        {
            throw new NnException(NnErrno.RuntimeError, e.IsTransient
                ? "the inference worker died while it was asked, and the graph with it: load it again" : e.Message);
        }

        return answer.Nn is { Errno: not NnErrno.Success } failed ? throw new NnException(failed.Errno, answer.Message!) : answer;
    }
}
