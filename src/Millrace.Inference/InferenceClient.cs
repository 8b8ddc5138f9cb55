using System.Collections.Immutable;
using Millrace.Inference.Worker;

namespace Millrace.Inference;

/// <summary>How workers are started.</summary>
/// <param name="Command">Program and arguments; the worker's own arguments are added: socket, threads, context.</param>
public sealed record InferenceOptions(ImmutableArray<string> Command)
{
    /// <summary>Threads that compute. More than one collapses on a busy machine.</summary>
    public int Threads { get; init; } = 1;

    /// <summary>Most tokens of prompt and answer together; a model trained for fewer gets fewer.</summary>
    public int ContextTokensMax { get; init; } = 8192;

    /// <summary>How long a worker may take from its start to its first word.</summary>
    public TimeSpan StartTimeout { get; init; } = TimeSpan.FromSeconds(30);
}

/// <summary>
/// The host's side: starts the worker on demand and hands it requests. When the worker dies, the requests in flight
/// fail with a transient error and the next one gets a new worker. Thread-safe.
/// </summary>
public sealed class InferenceClient(InferenceOptions options) : IAsyncDisposable
{
    readonly SemaphoreSlim _starting = new(1);
    WorkerProcess? _worker;
    bool _isDisposed;

    /// <summary>The running worker's process id; null while none runs.</summary>
    public int? WorkerId => _worker is { IsAlive: true } worker ? worker.Id : null;

    /// <summary>Answers a conversation.</summary>
    /// <exception cref="InferenceException">The model could not answer.</exception>
    public async Task<ChatReply> ChatAsync(ChatJob job, CancellationToken cancel)
    {
        var frame = await AskAsync(FrameKind.Chat, job, cancel);
        return frame.Reply!;
    }

    /// <summary>Tokens of a conversation, with the model's own template and tokenizer.</summary>
    /// <exception cref="InferenceException">The model cannot be loaded.</exception>
    public async Task<int> CountTokensAsync(string model, ImmutableArray<ChatTurn> turns, CancellationToken cancel)
    {
        var frame = await AskAsync(FrameKind.Count, new(model, turns, 0, new(0, 1, 0), []), cancel);
        return frame.Tokens!.Value;
    }

    /// <summary>Loads a model and answers its context in tokens.</summary>
    /// <exception cref="InferenceException">The model cannot be loaded.</exception>
    public async Task<int> DescribeAsync(string model, CancellationToken cancel)
    {
        var frame = await AskAsync(FrameKind.Describe, new(model, [], 0, new(0, 1, 0), []), cancel);
        return frame.Tokens!.Value;
    }

    async Task<Frame> AskAsync(FrameKind kind, ChatJob job, CancellationToken cancel)
    {
        var worker = await WorkerAsync(cancel);
        return await worker.AskAsync(kind, job, cancel);
    }

    async Task<WorkerProcess> WorkerAsync(CancellationToken cancel)
    {
        await _starting.WaitAsync(cancel);
        try
        {
            ObjectDisposedException.ThrowIf(_isDisposed, this);
            if (_worker is { IsAlive: true } alive) return alive;
            if (_worker is not null) await _worker.DisposeAsync();
            _worker = null;
            return _worker = await WorkerProcess.StartAsync(options, cancel);
        }
        finally
        {
            _starting.Release();
        }
    }

    /// <summary>Ends the worker; requests in flight fail.</summary>
    public async ValueTask DisposeAsync()
    {
        await _starting.WaitAsync();
        try
        {
            _isDisposed = true;
            if (_worker is not null) await _worker.DisposeAsync();
            _worker = null;
        }
        finally
        {
            _starting.Release();
        }
    }
}
