namespace Millrace.Inference.Templates;

/// <summary>What one rendering may cost. A template comes with a model file, which is a stranger's.</summary>
/// <param name="Steps">Evaluated expressions, and an eighth of the characters and elements made or looked at.</param>
/// <param name="Chars">Longest text, and the longest output.</param>
/// <param name="Depth">Macros and recursive loops inside each other.</param>
sealed record TemplateLimits(long Steps = 40_000_000, int Chars = 32 << 20, int Depth = 200)
{
    /// <summary>The reference's own bound of <c>range</c>.</summary>
    public const int RangeMax = 100_000;

    /// <summary>Bits of an integer.</summary>
    public const int IntegerBitsMax = 1 << 16;

    /// <summary>Digits of an integer in text.</summary>
    public const int DigitsMax = 4300;
}

/// <summary>Counts one rendering's cost and stops it at its limits.</summary>
sealed class Budget(TemplateLimits limits)
{
    long _left = limits.Steps;
    int _depth;

    public void Step(long count = 1)
    {
        _left -= count;
        if (_left < 0) throw TemplateException.Limit($"the template takes more than {limits.Steps} steps");
    }

    /// <summary>Pays for a text or list before it is made.</summary>
    public void Make(long length)
    {
        CheckLength(length);
        Step(1 + length / 8);
    }

    public void CheckLength(long length)
    {
        if (length > limits.Chars) throw TemplateException.Limit($"the template makes a value longer than {limits.Chars}");
    }

    public string Made(string text)
    {
        Make(text.Length);
        return text;
    }

    /// <summary>Pays for a search, which may compare every place with the whole needle.</summary>
    public void Search(string text, string needle) =>
        Step(1 + text.Length / 8 + (needle.Length > 256 ? (long)text.Length * needle.Length / 256 : 0));

    public void Enter()
    {
        if (++_depth > limits.Depth) throw TemplateException.Limit($"macros or loops are deeper than {limits.Depth}");
    }

    public void Leave() => _depth--;
}
