namespace Millrace.Wasm.Scripts;

/// <summary>How a command ended.</summary>
/// <param name="Failure">What went wrong; null where nothing did.</param>
/// <param name="Exclusion">Why it could not be run; null where it was.</param>
readonly record struct Outcome(string? Failure, string? Exclusion)
{
    public static readonly Outcome Passed;

    public static Outcome Failed(string text) => new(text, null);

    public static Outcome Excluded(string reason) => new(null, reason);
}
