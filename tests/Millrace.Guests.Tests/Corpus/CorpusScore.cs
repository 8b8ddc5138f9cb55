using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;

namespace Millrace.Guests.Tests.Corpus;

/// <summary>What the computed part found in one case, in the order shown.</summary>
sealed record CaseResult(CorpusCase Case, JsonArray Findings)
{
    /// <summary>Rank of the first finding of the right kind at the right place, from 1; 0 where there is none.</summary>
    public int Rank => 1 + Findings.ToList().FindIndex(finding => IsPlaced(finding) && (string?)finding!["kind"] == Case.Kind);

    public bool IsFound => Rank > 0;

    public bool IsHalfFound => !IsFound && Findings.Any(IsPlaced);

    /// <summary>Findings that are not about the defect; several about it count once, as right.</summary>
    public int Wrong => Findings.Count(finding => !(IsPlaced(finding) && (string?)finding!["kind"] == Case.Kind));

    bool IsPlaced(JsonNode? finding) =>
        Case.IsAt((string)finding!["file"]!, (int)finding["line"]!, (string?)finding["side"] ?? "RIGHT");
}

/// <summary>The corpus's figures, scored as its README says.</summary>
sealed class CorpusScore(IReadOnlyList<CaseResult> results)
{
    IEnumerable<CaseResult> Seeded => results.Where(result => result.Case.Kind is not null);

    IEnumerable<CaseResult> Plain => Seeded.Where(result => !result.Case.NeedsModel);

    IEnumerable<CaseResult> Clean => results.Where(result => result.Case.Kind is null);

    /// <summary>Of the defects that need no model, the share found in the top three.</summary>
    public double PlainRecall => Plain.Count(result => result.Rank is >= 1 and <= 3) / (double)Plain.Count();

    /// <summary>Right findings over all findings, of all cases.</summary>
    public double Precision => Seeded.Count(result => result.IsFound)
        / (double)Math.Max(1, Seeded.Count(result => result.IsFound) + results.Sum(result => result.Wrong));

    public int CleanWithMoreThanOne => Clean.Count(result => result.Findings.Count > 1);

    public string ToMarkdown()
    {
        var text = new StringBuilder("| kind | defects | found | need no model | found of these |\n|---|---|---|---|---|\n");
        foreach (var kind in Seeded.GroupBy(result => result.Case.Kind).OrderBy(kind => kind.Key, StringComparer.Ordinal))
        {
            var plain = kind.Where(result => !result.Case.NeedsModel).ToList();
            text.Append(CultureInfo.InvariantCulture,
                $"| {kind.Key} | {kind.Count()} | {kind.Count(result => result.IsFound)} | {plain.Count} | {plain.Count(result => result.IsFound)} |\n");
        }

        var ranks = Seeded.Where(result => result.IsFound).Select(result => result.Rank).ToList();
        text.Append(CultureInfo.InvariantCulture,
            $"| **all** | {Seeded.Count()} | {Seeded.Count(result => result.IsFound)} | {Plain.Count()} | {Plain.Count(result => result.IsFound)} |\n\n")
            .Append(CultureInfo.InvariantCulture, $"Recall over the defects that need no model, in the top three: {PlainRecall:0.00}. ")
            .Append(CultureInfo.InvariantCulture, $"Precision over all findings of all cases: {Precision:0.00}. ")
            .Append(CultureInfo.InvariantCulture, $"Half found (right place, other kind): {Seeded.Count(result => result.IsHalfFound)}. ")
            .Append(CultureInfo.InvariantCulture, $"Rank of the first right finding: 1 in {ranks.Count(rank => rank == 1)} of {ranks.Count}, at most 3 in {ranks.Count(rank => rank <= 3)}. ")
            .Append(CultureInfo.InvariantCulture, $"Clean patches with no finding: {Clean.Count(result => result.Findings.Count == 0)}, ")
            .Append(CultureInfo.InvariantCulture, $"with one: {Clean.Count(result => result.Findings.Count == 1)}, with more: {CleanWithMoreThanOne}.\n");
        return text.ToString();
    }
}
