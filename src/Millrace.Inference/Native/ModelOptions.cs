namespace Millrace.Inference.Native;

/// <summary>How a model is loaded and computed. Equal ones share what is loaded; others never disturb each other.</summary>
/// <param name="Weights">What the weights in memory depend on.</param>
/// <param name="Context">What only the computing depends on.</param>
sealed record ModelOptions(WeightOptions Weights, ContextOptions Context)
{
    public static ModelOptions Standard { get; } = new(new(), new());
}

/// <summary>How weights are loaded; null is what suits the machine.</summary>
sealed record WeightOptions
{
    /// <summary>Layers on the GPU; null for all.</summary>
    public int? GpuLayers { get; init; }

    public int? MainGpu { get; init; }

    /// <summary>Shares of the GPUs, as <c>3,1</c>.</summary>
    public string? TensorSplit { get; init; }

    public SplitMode? Split { get; init; }

    public bool IsMapped { get; init; } = true;

    /// <summary>Whether the system may not swap them out.</summary>
    public bool IsLocked { get; init; }

    /// <summary>Whether damaged numbers are looked for.</summary>
    public bool IsChecked { get; init; }
}

/// <summary><c>enum llama_split_mode</c></summary>
enum SplitMode
{
    None,
    Layer,
    Row,
}

/// <summary>How contexts are made; null, and 0 of a number of something, is what llama.cpp or this project takes by itself.</summary>
sealed record ContextOptions
{
    /// <summary>Most threads that write.</summary>
    public int Threads { get; init; }

    /// <summary>Most threads that read.</summary>
    public int ThreadsBatch { get; init; }

    /// <summary>Most tokens of one step.</summary>
    public int BatchTokens { get; init; }

    /// <summary>Most tokens that are computed together in a step.</summary>
    public int UbatchTokens { get; init; }

    /// <summary><c>enum llama_flash_attn_type</c></summary>
    public int? FlashAttention { get; init; }

    /// <summary>What keys are kept as.</summary>
    public CacheType? KeyType { get; init; }

    /// <summary>What values are kept as.</summary>
    public CacheType? ValueType { get; init; }

    /// <summary><c>enum llama_rope_scaling_type</c></summary>
    public int? RopeScaling { get; init; }

    public float? RopeFreqBase { get; init; }

    public float? RopeFreqScale { get; init; }

    public float? YarnExtFactor { get; init; }

    public float? YarnAttnFactor { get; init; }

    public float? YarnBetaFast { get; init; }

    public float? YarnBetaSlow { get; init; }

    public int? YarnOrigContext { get; init; }

    /// <summary><c>enum llama_pooling_type</c>, for vectors.</summary>
    public int? Pooling { get; init; }

    /// <summary><c>enum llama_attention_type</c>, for vectors.</summary>
    public int? Attention { get; init; }

    /// <summary>Whether keys and values stay in the computer's own memory.</summary>
    public bool IsCacheOnCpu { get; init; }
}

/// <summary>Those of <c>enum ggml_type</c> that a context's memory can be of.</summary>
enum CacheType
{
    F32 = 0,
    F16 = 1,
    Q4_0 = 2,
    Q4_1 = 3,
    Q5_0 = 6,
    Q5_1 = 7,
    Q8_0 = 8,
    IQ4_NL = 20,
    BF16 = 30,
}

static class CacheTypes
{
    /// <summary>Bytes of 32 numbers.</summary>
    public static int BlockBytes(this CacheType type) => type switch
    {
        CacheType.F32 => 128,
        CacheType.F16 or CacheType.BF16 => 64,
        CacheType.Q8_0 => 34,
        CacheType.Q5_1 => 24,
        CacheType.Q5_0 => 22,
        CacheType.Q4_1 => 20,
        _ => 18,
    };
}
