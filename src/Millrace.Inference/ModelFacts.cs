using System.Collections.Immutable;

namespace Millrace.Inference;

/// <summary>What a model file says about itself, and how it is loaded here.</summary>
/// <param name="ContextTokens">Tokens of prompt and answer together, as loaded.</param>
/// <param name="TrainedTokens">Tokens that the model was trained for.</param>
/// <param name="Architecture">As <c>general.architecture</c> names it.</param>
public sealed record ModelFacts(int ContextTokens, int TrainedTokens, string Architecture)
{
    /// <summary>Tokens of a <see cref="ChatJob.IsStretched"/> job; no fewer than <see cref="ContextTokens"/>.</summary>
    public int StretchedTokens { get; init; } = ContextTokens;

    /// <summary>The model's own name; empty where the file has none.</summary>
    public string Name { get; init; } = "";

    /// <summary>Architecture, size and quantization in words.</summary>
    public string Description { get; init; } = "";

    /// <summary>The licence; empty where the file names none.</summary>
    public string License { get; init; } = "";

    /// <summary>The chat template; null where the file has none.</summary>
    public string? Template { get; init; }

    /// <summary>Bytes of all weights.</summary>
    public long WeightBytes { get; init; }

    /// <summary>How many weights there are.</summary>
    public long Parameters { get; init; }

    /// <summary>Numbers of one embedding.</summary>
    public int EmbeddingLength { get; init; }

    /// <summary>Entries of the vocabulary.</summary>
    public int VocabularySize { get; init; }
}

/// <summary>Texts as vectors.</summary>
/// <param name="Vectors">One for each text, of length 1.</param>
/// <param name="PromptTokens">Tokens read, all texts together.</param>
public sealed record Embeddings(ImmutableArray<ImmutableArray<float>> Vectors, int PromptTokens);
