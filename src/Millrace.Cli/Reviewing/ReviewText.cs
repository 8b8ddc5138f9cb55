using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace Millrace.Cli.Reviewing;

/// <summary>A review for a person at a terminal.</summary>
static partial class ReviewText
{
    static readonly string[] Severities = ["low", "medium", "high", "critical"];

    /// <summary>The words that <c>--fail-on</c> takes, mildest first.</summary>
    public static IReadOnlyList<string> SeverityNames => Severities;

    /// <summary>The comment without the marks that no reader of it sees.</summary>
    public static string Visible(string comment) => HiddenMark().Replace(comment, "").Trim();

    /// <summary>The function's document, or null where it is none.</summary>
    public static JsonObject? Document(string output)
    {
        try
        {
            return JsonNode.Parse(output) as JsonObject;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    /// <summary>Whether a finding is at least that severe.</summary>
    public static bool Fails(JsonObject document, string severity)
    {
        var limit = Array.IndexOf(Severities, severity);
        return document["findings"] is JsonArray findings
            && findings.Any(finding => Array.IndexOf(Severities, (string?)finding?["severity"]) >= limit);
    }

    // Marks begin a line of their own; the same signs inside a quoted line of the patch are its text.
    [GeneratedRegex(@"^<!-- millrace.*?-->\s*", RegexOptions.Singleline | RegexOptions.Multiline)]
    private static partial Regex HiddenMark();
}
