namespace Millrace.Flows;

/// <summary>What <c>models check</c> found for a model.</summary>
/// <param name="Passed">Whether its prose may be posted.</param>
/// <param name="Reason">One sentence when it did not pass; empty when it did.</param>
public sealed record ModelVerdict(bool Passed, string Reason);

/// <summary>A model that flows can name.</summary>
/// <param name="Name">Its name.</param>
/// <param name="ContextTokens">Tokens of prompt and answer together.</param>
/// <param name="Verdict">What <c>models check</c> found.</param>
/// <param name="IsDefault">Whether it answers requests that name none.</param>
public sealed record ModelSummary(string Name, int ContextTokens, ModelVerdict Verdict, bool IsDefault)
{
    /// <summary>Who answers for it; null: this machine.</summary>
    public string? Connection { get; init; }

    /// <summary>For a remote one: <c>host model</c>, by which its verdict is remembered.</summary>
    public string? VerdictKey { get; init; }
}
