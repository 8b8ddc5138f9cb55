using System.Collections.Concurrent;
using System.Collections.Immutable;
using Millrace.Inference.Native;
using Millrace.Inference.Worker;
using Millrace.Nn;

namespace Millrace.Inference.Proxy;

/// <summary>The worker's side: graphs and contexts by their handles. Requests run beside one another; who asks waits for
/// the answer before it asks the same graph again.</summary>
sealed class NnRoom : IDisposable
{
    // The host ends a worker that has something to do and is silent for long; a computation may take any time.
    const int AliveMs = 1000;

    readonly ImmutableArray<INnBackend> _backends;
    readonly Action<Frame> _send;
    readonly Timer _alive;
    readonly ConcurrentDictionary<long, INnGraph> _graphs = new();
    readonly ConcurrentDictionary<long, INnContext> _contexts = new();

    // Contexts of graphs that know their outputs only when they have computed.
    readonly ConcurrentDictionary<long, INnGraph> _untold = new();
    readonly ConcurrentDictionary<long, MemoryStream> _uploads = new();
    readonly ConcurrentDictionary<long, CancellationTokenSource> _open = new();
    long _handle;

    public NnRoom(ImmutableArray<INnBackend> backends, Action<Frame> send)
    {
        (_backends, _send) = (backends, send);
        _alive = new(_ => SayAlive(), null, AliveMs, AliveMs);
    }

    public void Post(Frame frame)
    {
        if (frame.Kind is FrameKind.Cancel)
        {
            if (_open.TryGetValue(frame.Id, out var asked)) asked.Cancel();
            return;
        }

        if (frame.Kind is not FrameKind.Nn || frame.Nn is not { } message) return;
        var cancel = _open[frame.Id] = new();
        // What may take long has a thread of its own: the pool's are few, and a cancel or the next request needs one.
        var isLong = message.Operation is NnOperation.Load or NnOperation.Compute;
        _ = Task.Factory.StartNew(
            () => Work(frame, message, cancel), default, isLong ? TaskCreationOptions.LongRunning : default, TaskScheduler.Default);
    }

    public void Dispose() => _alive.Dispose();

    void Work(Frame frame, NnMessage message, CancellationTokenSource cancel)
    {
        var answer = Answer(frame, message, cancel.Token);
        _open.TryRemove(frame.Id, out _);
        _send(answer);
    }

    void SayAlive()
    {
        if (!_open.IsEmpty) _send(new(FrameKind.Alive, 0));
    }

    Frame Answer(Frame frame, NnMessage message, CancellationToken cancel)
    {
        try
        {
            var (answer, body) = Do(message, frame.Body, cancel);
            return new(FrameKind.Reply, frame.Id) { Nn = answer, Body = body };
        }
        catch (OperationCanceledException)
        {
            return new(FrameKind.Error, frame.Id) { ErrorType = "cancelled", Message = "the computation was cancelled" };
        }
        catch (NnException e)
        {
            return new(FrameKind.Reply, frame.Id) { Nn = new(message.Operation) { Errno = e.Errno }, Message = e.Message };
        }
        catch (Exception e)
        {
            // The edge of a request: what a backend did not foresee ends this one alone.
            return new(FrameKind.Reply, frame.Id)
            {
                Nn = new(message.Operation) { Errno = NnErrno.RuntimeError },
                Message = Mistake(message, e),
            };
        }
    }

    // The engine's own words are not for guests, who learn what the kind of mistake is and what it was asked.
    static string Mistake(NnMessage message, Exception mistake) => mistake is OutOfMemoryException
        ? "there is not enough memory for what was asked: a smaller model or a smaller input may fit"
        : $"the engine cannot do what was asked ({message.Operation}): the model or its input is damaged, or of a kind that it does "
            + $"not know ({mistake.GetType().Name})";

    (NnMessage Answer, ReadOnlyMemory<byte> Body) Do(NnMessage message, ReadOnlyMemory<byte> body, CancellationToken cancel)
    {
        var done = new NnMessage(message.Operation);
        switch (message.Operation)
        {
            case NnOperation.Append:
                _uploads.GetOrAdd(message.Upload, _ => new()).Write(body.Span);
                break;
            case NnOperation.Load:
                return (Load(message, Whole(message, body), cancel), default);
            case NnOperation.Create:
                var owner = Graph(message.Handle);
                var created = owner.CreateContext();
                done = done with { Handle = Keep(_contexts, created), IsText = created is INnTextContext };
                if (!done.IsText && owner.Outputs.IsEmpty) _untold[done.Handle] = owner;
                break;
            case NnOperation.SetInput:
                var data = Whole(message, body);
                Context(message.Handle).SetInput(message.Index, new(message.Type, message.Dimensions ?? [], data));
                break;
            case NnOperation.Compute:
                Context(message.Handle).Compute(cancel);
                if (_untold.TryGetValue(message.Handle, out var open)) done = done with { Outputs = NnPortFacts.Of(open.Outputs) };
                break;
            case NnOperation.ComputeSingle:
                Text(message.Handle).ComputeSingle(cancel);
                break;
            case NnOperation.GetOutput:
                return Part(message, Context(message.Handle).GetOutput(message.Index));
            case NnOperation.GetOutputSingle:
                return Part(message, Text(message.Handle).GetOutputSingle(message.Index));
            case NnOperation.FinishSingle:
                Text(message.Handle).FinishSingle();
                break;
            case NnOperation.Finish:
                _untold.TryRemove(message.Handle, out _);
                if (_contexts.TryRemove(message.Handle, out var context)) context.Dispose();
                break;
            case NnOperation.Unload:
                if (_graphs.TryRemove(message.Handle, out var graph)) graph.Dispose();
                break;
        }

        return (done, default);
    }

    NnMessage Load(NnMessage message, ReadOnlyMemory<byte> bytes, CancellationToken cancel)
    {
        var facts = message.Model ?? throw new NnException(NnErrno.InvalidArgument, "a load without a model");
        var backend = _backends.FirstOrDefault(backend => backend.Encoding == facts.Encoding)
            ?? throw new NnException(NnErrno.InvalidEncoding, $"there is no backend for {facts.Encoding}");
        var files = facts.Files ?? [];
        var builders = ImmutableArray.CreateBuilder<ReadOnlyMemory<byte>>(files.Length + facts.Builders.Length);
        foreach (var file in files) builders.Add(Mapped(file));
        foreach (var length in facts.Builders)
        {
            builders.Add(bytes[..length]);
            bytes = bytes[length..];
        }

        var graph = backend.Load(new(builders.MoveToImmutable(), facts.Target)
        {
            Path = facts.Path,
            Options = facts.Options,
            TokensMax = facts.TokensMax,
            Outputs = facts.Outputs,
            Cancel = cancel,
        });
        if (cancel.IsCancellationRequested)
        {
            // Nobody would learn its handle.
            graph.Dispose();
            cancel.ThrowIfCancellationRequested();
        }

        return new(NnOperation.Load)
        {
            Handle = Keep(_graphs, graph),
            Inputs = NnPortFacts.Of(graph.Inputs),
            Outputs = NnPortFacts.Of(graph.Outputs),
        };
    }

    // Whatever the host may read of it, this process has it read-only, and no bytes of it in its own memory.
    static ReadOnlyMemory<byte> Mapped(NnFile file)
    {
        try
        {
            using var open = file.Open();
            return MappedFile.Of(open, file.Whole());
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new NnException(NnErrno.ModelNotFound, $"{file.Path} cannot be read: {e.Message}");
        }
    }

    ReadOnlyMemory<byte> Whole(NnMessage message, ReadOnlyMemory<byte> last)
    {
        if (!_uploads.TryRemove(message.Upload, out var before)) return last;
        before.Write(last.Span);
        return before.GetBuffer().AsMemory(0, (int)before.Length);
    }

    static (NnMessage Answer, ReadOnlyMemory<byte> Body) Part(NnMessage message, Tensor tensor)
    {
        var body = tensor.Data[Math.Clamp(message.Offset, 0, tensor.Data.Length)..];
        return (new(message.Operation) { Type = tensor.Type, Dimensions = tensor.Dimensions, Length = tensor.Data.Length },
            body[..Math.Min(body.Length, NnMessage.PartBytesMax)]);
    }

    long Keep<T>(ConcurrentDictionary<long, T> all, T one)
    {
        var handle = Interlocked.Increment(ref _handle);
        all[handle] = one;
        return handle;
    }

    INnGraph Graph(long handle) => _graphs.GetValueOrDefault(handle)
        ?? throw new NnException(NnErrno.InvalidArgument, $"there is no graph {handle}");

    INnContext Context(long handle) => _contexts.GetValueOrDefault(handle)
        ?? throw new NnException(NnErrno.InvalidArgument, $"there is no context {handle}");

    INnTextContext Text(long handle) => Context(handle) as INnTextContext
        ?? throw new NnException(NnErrno.InvalidArgument, "only models of text compute token by token");
}
