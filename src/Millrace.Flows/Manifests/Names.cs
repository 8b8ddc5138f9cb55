using System.Text.RegularExpressions;

namespace Millrace.Flows.Manifests;

/// <summary>Which texts are names.</summary>
static partial class Names
{
    public static bool IsName(string text) => NamePattern().IsMatch(text);

    public static bool IsOperation(string text) => OperationPattern().IsMatch(text);

    [GeneratedRegex(@"\A[a-z][a-z0-9-]{0,62}\z", RegexOptions.CultureInvariant)]
    private static partial Regex NamePattern();

    [GeneratedRegex(@"\A[a-z][a-z0-9_]{0,62}\z", RegexOptions.CultureInvariant)]
    private static partial Regex OperationPattern();
}
