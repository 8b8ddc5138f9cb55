using System.Collections.Immutable;

namespace Millrace.Inference;

/// <summary>How tokens are chosen. Penalties come first, then the cuts in the order of the members, then the temperature.</summary>
/// <param name="Temperature">0 takes the likeliest token.</param>
/// <param name="TopP">Nucleus sampling; 1 is off.</param>
/// <param name="Seed">Seed of the choice.</param>
public sealed record Sampling(double Temperature, double TopP, uint Seed)
{
    /// <summary>Only the likeliest so many; 0 is off.</summary>
    public int TopK { get; init; }

    /// <summary>Only tokens at least so likely, as a share of the likeliest one's chance; 0 is off.</summary>
    public double MinP { get; init; }

    /// <summary>Locally typical sampling; 1 is off.</summary>
    public double TypicalP { get; init; } = 1;

    /// <summary>Divides the score of what was said before; 1 is off.</summary>
    public double RepeatPenalty { get; init; } = 1;

    /// <summary>Taken from the score of what was said before.</summary>
    public double PresencePenalty { get; init; }

    /// <summary>Taken from the score of what was said before, for each time.</summary>
    public double FrequencyPenalty { get; init; }

    /// <summary>How many of the last tokens the penalties look at; -1 for the whole context.</summary>
    public int PenaltyLastTokens { get; init; } = 64;

    /// <summary>Added to the score of a token.</summary>
    public ImmutableDictionary<int, double> LogitBias { get; init; } = ImmutableDictionary<int, double>.Empty;
}
