using System.Text.RegularExpressions;

namespace Millrace.Server;

/// <summary>
/// Hides what looks like a secret in texts for people: its first four characters and its length stay. Secrets of
/// connections never come this far; these are those that stood in an event or a file that a guest wrote about.
/// </summary>
public static class SecretMask
{
    /// <summary>The text with secret-looking parts masked.</summary>
    public static string Apply(string text) => Shapes.Replace(text, match =>
    {
        var secret = match.Groups["secret"];
        var before = match.Value[..(secret.Index - match.Index)];
        var after = match.Value[(secret.Index - match.Index + secret.Length)..];
        return $"{before}{secret.Value[..4]}…({secret.Length}){after}";
    });

    // Prefixes that issuers gave their tokens so that scanners find them; JSON web tokens; values named as secrets.
    // Without backtracking: the texts are anyone's.
    static readonly Regex Shapes = new(
        @"(?<secret>\b(gh[pousr]_[A-Za-z0-9]{20,}|github_pat_[A-Za-z0-9_]{20,}|glpat-[A-Za-z0-9_-]{16,}"
        + @"|sk-[A-Za-z0-9_-]{16,}|xox[abeoprs]-[A-Za-z0-9-]{10,}|AKIA[0-9A-Z]{16}|AIza[0-9A-Za-z_-]{30,}"
        + @"|npm_[A-Za-z0-9]{30,}|pypi-[A-Za-z0-9_-]{30,}|eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}))"
        + @"|-----BEGIN [A-Z ]*PRIVATE KEY-----\s*(?<secret>[A-Za-z0-9+/=\s]{16,})"
        + @"|(?i:\bBearer\s+)(?<secret>[A-Za-z0-9._~+/=-]{16,})"
        + @"|(?i:(password|passwd|secret|token|api_?key)""?\s*[:=]\s*[""']?)(?<secret>[^\s""',;]{8,})",
        RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture | RegexOptions.NonBacktracking);
}
