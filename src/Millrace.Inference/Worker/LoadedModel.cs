using System.Collections.Immutable;
using Millrace.Inference.Native;

namespace Millrace.Inference.Worker;

/// <summary>A model's weights, and what computes on them; each is made when it is first needed.</summary>
sealed class LoadedModel : IDisposable
{
    const int BatchTokens = 512;

    // Room for conversations side by side: as much as this memory holds, but one full context at least and four at most.
    // llama.cpp writes all of it at the start, and every step looks at the mask of every cell that is taken: 4,000 cells of
    // kept conversations made reading with a small model half as fast.
    const long MemoryForContext = 64L << 20;
    const int ContextsMax = 4;

    // Below this the threads' waiting for each other costs more than a second one brings.
    const long TinyModelBytes = 32 << 20;

    readonly LlamaModel _model;
    readonly ContextOptions _options;
    readonly ImmutableArray<LoadedAdapter> _adapters;
    readonly WorkerSettings _settings;
    LlamaContext? _context;
    Batcher? _batcher;
    Embedder? _embedder;

    /// <param name="model">The weights; whoever made them frees them.</param>
    /// <param name="options">How contexts are made.</param>
    /// <param name="adapters">What is added to the weights, of the same model.</param>
    /// <param name="settings">The host's.</param>
    public LoadedModel(
        LlamaModel model, ContextOptions options, ImmutableArray<LoadedAdapter> adapters, WorkerSettings settings)
    {
        (_model, _options, _adapters, _settings) = (model, options, adapters, settings);
        // Turned by less for each token, more of them stay within what the model was trained for.
        var stretch = options.RopeFreqScale is < 1 and var scale ? scale : 1;
        ContextTokens = (int)Math.Min(settings.ContextTokensMax, _model.TrainedTokens / (double)stretch);
        Planner = new(_model);
    }

    public LlamaModel Model => _model;

    public AnswerPlanner Planner { get; }

    /// <summary>Tokens of one prompt and its answer.</summary>
    public int ContextTokens { get; }

    /// <summary>The same for a job that may go on beyond what the model was trained for.</summary>
    public int StretchedTokens => _model.HasEndlessPositions ? Cells : ContextTokens;

    /// <summary>When it was last asked for anything.</summary>
    public long UsedAt { get; set; }

    public bool IsBusy => _batcher is { HasWork: true } || _embedder is { HasWork: true };

    /// <summary>Its context, and what is added to the weights.</summary>
    public long ContextBytes => (Cells * BytesPerToken) + _adapters.Sum(static adapter => adapter.Bytes);

    long BytesPerToken => Math.Max(1, _model.BytesPerToken(_options));

    int Cells => (int)Math.Clamp(
        MemoryForContext / BytesPerToken, ContextTokens, (long)ContextsMax * ContextTokens);

    // Only the host can say that it must be so many; a guest says how many at most.
    int Threads => _settings.Threads > 0 ? _settings.Threads : 1;

    int ThreadsMax(int asked)
    {
        if (_settings.Threads > 0) return _settings.Threads;
        if (asked > 0) return Math.Min(asked, Environment.ProcessorCount);
        return _model.WeightBytes < TinyModelBytes ? Threads : Environment.ProcessorCount;
    }

    Pace Pace() => new(
        Threads, ThreadsMax(_options.Threads), ThreadsMax(_options.ThreadsBatch > 0 ? _options.ThreadsBatch : _options.Threads));

    public void Step()
    {
        if (_batcher is { HasWork: true }) _batcher.Step();
        if (_embedder is { HasWork: true }) _embedder.Step();
    }

    /// <exception cref="InferenceException">The job cannot be done with this model.</exception>
    public Answering Answer(Frame request, Action<Frame> send)
    {
        var job = request.Job!;
        var plan = Planner.Plan(job);
        var context = job.IsStretched ? StretchedTokens : ContextTokens;
        var room = context - plan.Prompt.Length;
        if (plan.Prompt.Length == 0) throw new InferenceException("invalid", "the prompt is empty");
        if (job.MaxTokens == 0) throw new InferenceException("invalid", "an answer of 0 tokens is none");
        if (room < 1 || job.MaxTokens > room)
        {
            throw new InferenceException(
                "context-exceeded",
                $"{plan.Prompt.Length} tokens of prompt and {Math.Max(1, job.MaxTokens)} of answer exceed the context of {context}");
        }

        var tokens = job.MaxTokens < 0 ? room : job.MaxTokens;
        var writer = Writer();
        var answering = new Answering(_model, request, plan, tokens, send);
        writer.Submit(plan.Prompt, tokens, answering);
        return answering;
    }

    /// <exception cref="InferenceException">The model gives no vectors, or a text is empty or too long.</exception>
    public EmbeddingWork Embed(Frame request, Action<Frame> send)
    {
        _embedder ??= new(_model, Shape(Math.Min(ContextTokens, Embedder.TokensMax), Embedder.TextsPerStep), send);
        return _embedder.Submit(request.Id, request.Texts ?? [], isNormalized: request.IsRaw != true);
    }

    ContextShape Shape(int cells, int sequences) => new(cells, sequences, cells)
    {
        Threads = Threads,
        Options = _options,
        Adapters = _adapters,
    };

    /// <summary>The tests' way to an abort of the process.</summary>
    public void Abort()
    {
        Writer();
        _context!.Abort();
    }

    Batcher Writer()
    {
        if (_batcher is { } there) return there;
        // A step has room for one token of all that write.
        var step = Math.Max(_options.BatchTokens > 0 ? _options.BatchTokens : BatchTokens, Batcher.AtWorkMax);
        _context = LlamaContext.Create(_model, Shape(Cells, 2 * Batcher.AtWorkMax) with { BatchTokens = Math.Min(step, Cells) });
        if (_context.Writes) return _batcher = new(_context, StretchedTokens, !_model.IsRecurrent, Pace());
        _context.Dispose();
        throw new InferenceException("invalid", $"{_model.FileName} computes embeddings and writes no text");
    }

    public void Dispose()
    {
        _batcher?.Dispose();
        _embedder?.Dispose();
    }
}
