using System.Collections.Immutable;
using System.Runtime.InteropServices;

namespace Millrace.Inference.Native;

/// <summary>How a context is made.</summary>
/// <param name="Cells">Tokens that it holds, all sequences together.</param>
/// <param name="Sequences">Sequences side by side.</param>
/// <param name="BatchTokens">Most tokens of one step.</param>
sealed record ContextShape(int Cells, int Sequences, int BatchTokens)
{
    public int Threads { get; init; } = 1;

    public ContextOptions Options { get; init; } = new();

    /// <summary>What is added to the weights.</summary>
    public ImmutableArray<LoadedAdapter> Adapters { get; init; } = [];

    public bool ForEmbeddings { get; init; }
}

/// <summary>
/// A model's memory and one step of computing: tokens of many sequences are added, then computed together. One caller
/// at a time.
/// </summary>
sealed unsafe class LlamaContext : IDisposable
{
    // LLAMA_POOLING_TYPE_*
    const int NoPooling = 0;
    const int MeanPooling = 1;

    readonly ContextHandle _context;
    readonly nint _memory;
    readonly bool _hasEncoder;
    readonly NativeArray _arrays;
    Llama.Batch _batch;

    LlamaContext(LlamaModel model, ContextHandle context, ContextShape shape)
    {
        (_context, Shape, VocabularySize) = (context, shape, model.VocabularySize);
        _memory = Llama.llama_get_memory(context);
        EmbeddingLength = Llama.llama_model_n_embd(model.Handle);
        _hasEncoder = _memory == 0;
        _arrays = new(shape.BatchTokens, model.VocabularySize);
        _batch = _arrays.Batch;
    }

    public ContextShape Shape { get; }

    public int VocabularySize { get; }

    /// <summary>Numbers of one embedding.</summary>
    public int EmbeddingLength { get; }

    /// <summary>Whether the model writes text: one that only computes embeddings has no memory.</summary>
    public bool Writes => _memory != 0;

    /// <summary>Tokens added since the last step.</summary>
    public int Added => _batch.NTokens;

    /// <exception cref="InferenceException">There is not enough memory.</exception>
    public static LlamaContext Create(LlamaModel model, ContextShape shape)
    {
        LlamaWords.Forget();
        var pooling = shape.ForEmbeddings ? shape.Options.Pooling : null;
        var context = Make(model, shape, pooling ?? Llama.llama_context_default_params().PoolingType);
        // A model that says nothing of pooling gives one vector a token: the mean is what is meant by its embedding.
        if (shape.ForEmbeddings && !context.IsInvalid && Llama.llama_pooling_type(context) == NoPooling)
        {
            context.Dispose();
            context = Make(model, shape, MeanPooling);
        }

        if (!context.IsInvalid) Adapt(context, shape.Adapters);
        return !context.IsInvalid ? new(model, context, shape) : throw new InferenceException(
            "model-unavailable",
            $"no context of {shape.Cells} tokens could be made for {model.FileName}: {LlamaWords.Cause() ?? "too little memory"}");
    }

    static void Adapt(ContextHandle context, ImmutableArray<LoadedAdapter> adapters)
    {
        if (adapters.IsEmpty) return;
        nint[] handles = [.. adapters.Select(static adapter => adapter.Handle)];
        float[] scales = [.. adapters.Select(static adapter => adapter.Scale)];
        fixed (nint* handle = handles)
        fixed (float* scale = scales)
        {
            if (Llama.llama_set_adapters_lora(context, handle, (nuint)handles.Length, scale) != 0)
                throw new InferenceException("model-unavailable", "llama.cpp does not take the adapters");
        }
    }

    static ContextHandle Make(LlamaModel model, ContextShape shape, int pooling)
    {
        var parameters = Llama.llama_context_default_params();
        parameters.NCtx = (uint)shape.Cells;
        parameters.NBatch = parameters.NUbatch = (uint)shape.BatchTokens;
        // A text that becomes a vector is read whole.
        if (!shape.ForEmbeddings && shape.Options.UbatchTokens is > 0 and var most)
            parameters.NUbatch = Math.Min(parameters.NUbatch, (uint)most);
        parameters.NSeqMax = (uint)shape.Sequences;
        // Room for every sequence's next token; llama.cpp would take a row of the vocabulary's size for each token.
        parameters.NOutputsMax = (uint)(shape.ForEmbeddings ? shape.BatchTokens : shape.Sequences);
        parameters.NThreads = parameters.NThreadsBatch = shape.Threads;
        parameters.PoolingType = pooling;
        parameters.Embeddings = shape.ForEmbeddings ? (byte)1 : (byte)0;
        parameters.KvUnified = 1;
        parameters.NoPerf = 1;
        Set(ref parameters, shape.Options, shape.ForEmbeddings);
        return new(Llama.llama_init_from_model(model.Handle, parameters));
    }

    static void Set(ref Llama.ContextParams parameters, ContextOptions options, bool forEmbeddings)
    {
        parameters.FlashAttnType = options.FlashAttention ?? parameters.FlashAttnType;
        parameters.TypeK = (int?)options.KeyType ?? parameters.TypeK;
        parameters.TypeV = (int?)options.ValueType ?? parameters.TypeV;
        parameters.RopeScalingType = options.RopeScaling ?? parameters.RopeScalingType;
        parameters.RopeFreqBase = options.RopeFreqBase ?? parameters.RopeFreqBase;
        parameters.RopeFreqScale = options.RopeFreqScale ?? parameters.RopeFreqScale;
        parameters.YarnExtFactor = options.YarnExtFactor ?? parameters.YarnExtFactor;
        parameters.YarnAttnFactor = options.YarnAttnFactor ?? parameters.YarnAttnFactor;
        parameters.YarnBetaFast = options.YarnBetaFast ?? parameters.YarnBetaFast;
        parameters.YarnBetaSlow = options.YarnBetaSlow ?? parameters.YarnBetaSlow;
        parameters.YarnOrigCtx = (uint?)options.YarnOrigContext ?? parameters.YarnOrigCtx;
        if (options.IsCacheOnCpu) parameters.OffloadKqv = 0;
        if (forEmbeddings) parameters.AttentionType = options.Attention ?? parameters.AttentionType;
    }

    /// <summary>Adds a token to the next step and answers its place in it.</summary>
    public int Add(int token, int position, int sequence, bool isWanted)
    {
        var at = _batch.NTokens;
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(at, Shape.BatchTokens);
        _batch.Token[at] = token;
        _batch.Pos[at] = position;
        _batch.NSeqId[at] = 1;
        _batch.SeqId[at][0] = sequence;
        _batch.Logits[at] = isWanted ? (sbyte)1 : (sbyte)0;
        _batch.NTokens++;
        return at;
    }

    /// <summary>Computes what was added. 0 is success, 1 a full memory, everything else a failure.</summary>
    public int Compute()
    {
        var answer = _hasEncoder ? Llama.llama_encode(_context, _batch) : Llama.llama_decode(_context, _batch);
        _batch.NTokens = 0;
        return answer;
    }

    /// <summary>Breaks llama.cpp's rule on the size of a step, which ends the process: the tests' way to an abort.</summary>
    public void Abort()
    {
        // Positions that do not follow what is there would be refused before.
        Clear();
        using var tooLarge = new NativeArray(Shape.BatchTokens + 1, 1);
        var batch = tooLarge.Batch;
        batch.NTokens = Shape.BatchTokens + 1;
        for (var i = 0; i < batch.NTokens; i++) (batch.Pos[i], batch.NSeqId[i], batch.SeqId[i][0]) = (i, 1, 0);
        _ = Llama.llama_decode(_context, batch);
    }

    /// <summary>The scores of all tokens after the token at this place of the last step; good until the next step.</summary>
    public Span<float> Scores(int index)
    {
        var scores = Llama.llama_get_logits_ith(_context, index);
        return scores != null ? new(scores, VocabularySize)
            : throw new InferenceException("model-unavailable", "the model gave no scores for its next token");
    }

    /// <summary>Room for all candidates, shared by all sequences.</summary>
    public Span<Llama.Candidate> Candidates => new(_arrays.Candidates, VocabularySize);

    /// <summary>The vector of a sequence in the last step.</summary>
    public ReadOnlySpan<float> Embedding(int sequence)
    {
        var vector = Llama.llama_get_embeddings_seq(_context, sequence);
        return vector != null ? new(vector, EmbeddingLength)
            : throw new InferenceException("invalid", "the model gives no embeddings");
    }

    /// <summary>Forgets a sequence from a position on.</summary>
    public bool Forget(int sequence, int from = 0) =>
        _memory == 0 || Llama.llama_memory_seq_rm(_memory, sequence, from, -1) != 0;

    /// <summary>Lets a sequence begin as another one does; nothing is copied but marks.</summary>
    public void Share(int source, int target, int tokens) => Llama.llama_memory_seq_cp(_memory, source, target, 0, tokens);

    /// <summary>Forgets everything, what was added and not computed among it.</summary>
    public void Clear()
    {
        _batch.NTokens = 0;
        if (_memory != 0) Llama.llama_memory_clear(_memory, 0);
    }

    public void SetThreads(int decoding, int reading) => Llama.llama_set_n_threads(_context, decoding, reading);

    public void Dispose()
    {
        _context.Dispose();
        _arrays.Dispose();
    }
}

/// <summary>The arrays of a batch, and of candidates, outside the managed heap.</summary>
sealed unsafe class NativeArray : SafeHandle
{
    public NativeArray(int tokens, int vocabulary) : base(0, ownsHandle: true)
    {
        // Per token: token, position, count of sequences, pointer to its one sequence, that sequence, whether wanted.
        var perToken = (sizeof(int) * 4) + sizeof(nint) + 1;
        var bytes = ((long)tokens * perToken) + 8 + ((long)vocabulary * sizeof(Llama.Candidate));
        SetHandle((nint)NativeMemory.AllocZeroed((nuint)bytes));
        var pointers = (int**)handle;
        var token = (int*)(pointers + tokens);
        var sequences = token + (3 * tokens);
        Candidates = (Llama.Candidate*)(sequences + tokens);
        for (var i = 0; i < tokens; i++) pointers[i] = sequences + i;
        Batch = new()
        {
            Token = token,
            Pos = token + tokens,
            NSeqId = token + (2 * tokens),
            SeqId = pointers,
            Logits = (sbyte*)(Candidates + vocabulary),
        };
    }

    public Llama.Batch Batch { get; }

    public Llama.Candidate* Candidates { get; }

    public override bool IsInvalid => handle == 0;

    protected override bool ReleaseHandle()
    {
        NativeMemory.Free((void*)handle);
        return true;
    }
}
