using System.Collections.Immutable;

namespace Millrace.Inference;

/// <summary>
/// How tokens are chosen: penalties, then llama.cpp's samplers in its own order (DRY, top k, typical, top p, min p, XTC), then the
/// temperature. Mirostat takes the place of all samplers.
/// </summary>
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

    /// <summary>The cuts leave at least so many tokens.</summary>
    public int MinKeep { get; init; }

    /// <summary>XTC: the chance that it leaves out the likeliest tokens; 0 is off.</summary>
    public double XtcProbability { get; init; }

    /// <summary>XTC: how likely a token must be to be left out; all such but the least likely are.</summary>
    public double XtcThreshold { get; init; } = 0.1;

    /// <summary>How far the temperature moves with the model's certainty; 0 is off.</summary>
    public double DynamicTemperatureRange { get; init; }

    /// <summary>How the temperature follows the certainty.</summary>
    public double DynamicTemperatureExponent { get; init; } = 1;

    /// <summary>DRY: how much is taken from what would go on with a repetition; 0 is off.</summary>
    public double DryMultiplier { get; init; }

    /// <summary>DRY: to the power of the repetition's length.</summary>
    public double DryBase { get; init; } = 1.75;

    /// <summary>DRY: repetitions of so many tokens are free.</summary>
    public int DryAllowedLength { get; init; } = 2;

    /// <summary>DRY: how many of the last tokens it looks at.</summary>
    public int DryLastTokens { get; init; } = 64;

    /// <summary>1 or 2: keeps the text as surprising as <see cref="MirostatTau"/> says; 0 is off.</summary>
    public int Mirostat { get; init; }

    /// <summary>The surprise that Mirostat aims at.</summary>
    public double MirostatTau { get; init; } = 5;

    /// <summary>How fast Mirostat learns.</summary>
    public double MirostatEta { get; init; } = 0.1;

    /// <summary>Whether no token may be chosen that ends the text.</summary>
    public bool IgnoresEnd { get; init; }

    /// <summary>Added to the score of a token.</summary>
    public ImmutableDictionary<int, double> LogitBias { get; init; } = ImmutableDictionary<int, double>.Empty;
}
