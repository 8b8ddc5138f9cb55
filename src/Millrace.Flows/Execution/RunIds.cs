using Millrace.Flows.Door;

namespace Millrace.Flows.Execution;

/// <summary>Ids that sort by time and are short enough to type.</summary>
static class RunIds
{
    const string Digits = "0123456789abcdefghjkmnpqrstvwxyz";
    const int TimeDigits = 9;
    const int ChanceDigits = 5;

    public static string New(PlatformOptions options) => string.Create(TimeDigits + ChanceDigits, options, Fill);

    static void Fill(Span<char> id, PlatformOptions options)
    {
        var ms = Clock.Ms(options.Time);
        for (var i = TimeDigits - 1; i >= 0; i--, ms /= Digits.Length) id[i] = Digits[(int)(ms % Digits.Length)];
        var chance = options.Randomness(ChanceDigits);
        for (var i = 0; i < ChanceDigits; i++) id[TimeDigits + i] = Digits[chance[i] % Digits.Length];
    }
}
