using System.Collections.Immutable;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text;
using Millrace.Inference.Native;
using Millrace.Inference.Worker;

namespace Millrace.Inference;

/// <summary>How workers are started.</summary>
/// <param name="Command">Program and arguments; the path of the worker's socket is added.</param>
public sealed record InferenceOptions(ImmutableArray<string> Command)
{
    /// <summary>Threads that compute; 0 for as many as are measured to be best, since more than the free cores stall.</summary>
    public int Threads { get; init; }

    /// <summary>Most tokens of prompt and answer together; a model trained for fewer gets fewer.</summary>
    public int ContextTokensMax { get; init; } = 8192;

    /// <summary>Bytes that all loaded models may take together; those not in use are unloaded for others.</summary>
    public long MemoryBytesMax { get; init; } = GC.GetGCMemoryInfo().TotalAvailableMemoryBytes / 10 * 8;

    /// <summary>A model that nobody asked for so long is unloaded; zero for never.</summary>
    public TimeSpan KeepAlive { get; init; } = TimeSpan.FromMinutes(10);

    /// <summary>A worker that has something to do and says nothing for so long is ended; zero for never.</summary>
    public TimeSpan SilenceMax { get; init; } = TimeSpan.FromMinutes(2);

    /// <summary>The build of llama.cpp: <c>cpu</c>, <c>vulkan</c>, <c>cuda</c> or a folder; null for what the hardware suits.</summary>
    public string? LlamaBuild { get; init; }

    /// <summary>How long a worker may take to start: a busy machine, or a GPU's driver, is slow.</summary>
    public TimeSpan StartTimeout { get; init; } = TimeSpan.FromMinutes(2);
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

    // Builds for GPUs that did not start, or died before they wrote anything; each with that said.
    readonly Dictionary<string, string> _failures = [];
    LlamaBuild? _build;

    /// <summary>The running worker's process id; null while none runs.</summary>
    public int? WorkerId => _worker is { IsAlive: true } worker ? worker.Id : null;

    /// <summary>What computes, in one line: the build, its GPU, or why it is the CPU. Starts the worker if none runs.</summary>
    /// <exception cref="InferenceException">No build can be used.</exception>
    public async Task<string> EngineAsync(CancellationToken cancel)
    {
        var worker = await WorkerAsync(cancel);
        return $"{worker.Report}: {_build!.Why}";
    }

    /// <summary>Answers a conversation.</summary>
    /// <exception cref="InferenceException">The model could not answer.</exception>
    public async Task<ChatReply> ChatAsync(ChatJob job, CancellationToken cancel)
    {
        var content = new StringBuilder();
        var tokens = ImmutableArray.CreateBuilder<TokenChoice>();
        ChatEnd? end = null;
        await foreach (var part in StreamAsync(job, cancel))
        {
            content.Append(part.Text);
            tokens.AddRange(part.Tokens);
            end = part.End;
        }

        return new(content.ToString(), end!.FinishReason, end.PromptTokens, end.CompletionTokens)
        {
            CachedTokens = end.CachedTokens,
            ToolCalls = end.ToolCalls,
            Tokens = tokens.DrainToImmutable(),
        };
    }

    /// <summary>Answers a conversation piece by piece; the last piece has the end. Who stops reading stops the model.</summary>
    /// <exception cref="InferenceException">The model could not answer, or not go on.</exception>
    public async IAsyncEnumerable<ChatPart> StreamAsync(ChatJob job, [EnumeratorCancellation] CancellationToken cancel)
    {
        await foreach (var frame in FramesAsync(new(FrameKind.Chat, 0) { Job = job }, cancel)) yield return frame.Part!;
    }

    /// <summary>A text token by token as bytes, the token that ends it among them.</summary>
    internal async IAsyncEnumerable<RawPiece> GenerateAsync(
        ChatJob job, ModelOptions options, [EnumeratorCancellation] CancellationToken cancel)
    {
        await foreach (var frame in FramesAsync(new(FrameKind.Chat, 0) { Job = job, Options = options, IsRaw = true }, cancel))
        {
            if (frame.Kind == FrameKind.Part) yield return new(frame.Body, frame.IsRaw == true);
        }
    }

    /// <summary>Makes llama.cpp end the worker's process: what tests of its robustness need.</summary>
    internal async Task AbortAsync(string model, CancellationToken cancel) =>
        await AskAsync(new(FrameKind.Abort, 0) { Model = model }, cancel);

    /// <summary>Tokens of a conversation, with the model's own template and tokenizer.</summary>
    /// <exception cref="InferenceException">The model cannot be loaded.</exception>
    public Task<int> CountTokensAsync(string model, ImmutableArray<ChatTurn> turns, CancellationToken cancel) =>
        CountTokensAsync(new(model, turns, 0, new(0, 1, 0), []), cancel);

    /// <summary>Tokens of a job's prompt, tools among them.</summary>
    /// <exception cref="InferenceException">The model cannot be loaded.</exception>
    public async Task<int> CountTokensAsync(ChatJob job, CancellationToken cancel) =>
        (await AskAsync(new(FrameKind.Count, 0) { Job = job }, cancel)).Tokens!.Value;

    /// <summary>A text's tokens, those among them that the model puts around every text.</summary>
    /// <exception cref="InferenceException">The model cannot be loaded.</exception>
    public Task<ImmutableArray<int>> TokenizeAsync(string model, string text, CancellationToken cancel) =>
        TokenizeAsync(model, text, ModelOptions.Standard, cancel);

    internal async Task<ImmutableArray<int>> TokenizeAsync(
        string model, string text, ModelOptions options, CancellationToken cancel)
    {
        var frame = await AskAsync(new(FrameKind.Tokenize, 0) { Model = model, Texts = [text], Options = options }, cancel);
        return [.. MemoryMarshal.Cast<byte, int>(frame.Body.Span)];
    }

    /// <summary>Texts as vectors of length 1.</summary>
    /// <exception cref="InferenceException">The model cannot be loaded, or a text is longer than it can read at once.</exception>
    public Task<Embeddings> EmbedAsync(string model, ImmutableArray<string> texts, CancellationToken cancel) =>
        EmbedAsync(model, texts, ModelOptions.Standard, isNormalized: true, cancel);

    internal async Task<Embeddings> EmbedAsync(
        string model, ImmutableArray<string> texts, ModelOptions options, bool isNormalized, CancellationToken cancel)
    {
        var frame = await AskAsync(
            new(FrameKind.Embed, 0) { Model = model, Texts = texts, Options = options, IsRaw = !isNormalized }, cancel);
        var numbers = MemoryMarshal.Cast<byte, float>(frame.Body.Span).ToArray();
        if (texts.IsEmpty) return new([], 0);
        var vectors = numbers.Chunk(numbers.Length / texts.Length).Select(ImmutableCollectionsMarshal.AsImmutableArray);
        return new([.. vectors], frame.Tokens!.Value);
    }

    /// <summary>Loads a model and tells what it is.</summary>
    /// <exception cref="InferenceException">The model cannot be loaded.</exception>
    public async Task<ModelFacts> DescribeAsync(string model, CancellationToken cancel) =>
        (await DescribeAsync(model, ModelOptions.Standard, cancel)).Facts;

    /// <summary>Loads a model with options; beside what it is, the commit that llama.cpp was built from.</summary>
    internal async Task<(ModelFacts Facts, string Commit)> DescribeAsync(
        string model, ModelOptions options, CancellationToken cancel)
    {
        var frame = await AskAsync(new(FrameKind.Describe, 0) { Model = model, Options = options }, cancel);
        return (frame.Facts!, frame.Message!);
    }

    // Nothing came of what a build for a GPU died of: the next best one is asked the same, until there is none for a GPU.
    async Task<Frame> AskAsync(Frame request, CancellationToken cancel)
    {
        while (true)
        {
            var worker = await WorkerAsync(cancel);
            try
            {
                return await worker.AskAsync(request, cancel);
            }
            catch (InferenceException e) when (e.IsTransient && worker.IsUnfit)
            {
                // Passed over when the next one starts.
            }
        }
    }

    async IAsyncEnumerable<Frame> FramesAsync(Frame request, [EnumeratorCancellation] CancellationToken cancel)
    {
        for (var isOver = false; !isOver;)
        {
            var worker = await WorkerAsync(cancel);
            await using var frames = worker.StreamAsync(request, cancel).GetAsyncEnumerator(cancel);
            while (await NextAsync())
            {
                yield return frames.Current;
            }

            async Task<bool> NextAsync()
            {
                try
                {
                    var hasNext = await frames.MoveNextAsync();
                    isOver = !hasNext;
                    return hasNext;
                }
                catch (InferenceException e) when (e.IsTransient && worker.IsUnfit)
                {
                    return false;
                }
            }
        }
    }

    internal async Task<WorkerProcess> WorkerAsync(CancellationToken cancel)
    {
        await _starting.WaitAsync(cancel);
        try
        {
            ObjectDisposedException.ThrowIf(_isDisposed, this);
            if (_worker is { IsAlive: true } alive) return alive;
            if (_worker is not null)
            {
                await _worker.DisposeAsync();
                // After an answer, a death says more of the request than of the build.
                if (_worker.IsUnfit)
                    _failures[_build!.Name] = $"a worker with the {_build.Name} build died before it wrote anything";
            }

            _worker = null;
            return _worker = await StartAsync(cancel);
        }
        finally
        {
            _starting.Release();
        }
    }

    async Task<WorkerProcess> StartAsync(CancellationToken cancel)
    {
        while (true)
        {
            _build = LlamaBuild.Choose(options.LlamaBuild, _failures);
            try
            {
                return await WorkerProcess.StartAsync(options, _build, cancel);
            }
            catch (InferenceException e) when (_build.IsGpu)
            {
                _failures[_build.Name] = $"the {_build.Name} build cannot be used: {e.Message}";
            }
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
