using System.Text.Json.Nodes;
using Xunit.Abstractions;

namespace Millrace.Guests.Tests.Corpus;

/// <summary>The computed findings on the written cases: the committed module, no model.</summary>
public class CorpusTests(ITestOutputHelper output)
{
    [SkippableFact]
    public void Computed_findings_are_worth_posting_by_themselves()
    {
        var folder = Environment.GetEnvironmentVariable("MILLRACE_CORPUS");
        Skip.If(folder is null, "MILLRACE_CORPUS names no folder of review cases");
        var cases = Directory.EnumerateDirectories(folder!).Order(StringComparer.Ordinal).Select(CorpusCase.Read).ToList();
        Assert.NotEmpty(cases);

        var results = cases.Select(Review).ToList();
        var score = new CorpusScore(results);
        output.WriteLine(score.ToMarkdown());
        foreach (var result in results.Where(result => result.Wrong > 0 || (!result.IsFound && result.Case is { Kind: not null, NeedsModel: false })))
            output.WriteLine($"{result.Case.Id} {result.Case.Kind ?? "clean"}: {(result.IsFound ? "found" : "not found")}, {result.Wrong} wrong");
        if (Environment.GetEnvironmentVariable("MILLRACE_CORPUS_OUT") is { } path) File.WriteAllText(path, score.ToMarkdown());

        Assert.True(score.PlainRecall >= 0.6, $"recall {score.PlainRecall:0.00}");
        Assert.True(score.Precision >= 0.8, $"precision {score.Precision:0.00}");
        Assert.Equal(0, score.CleanWithMoreThanOne);
    }

    static CaseResult Review(CorpusCase one)
    {
        var pull = new FakePullRequest { Patch = one.Patch };
        (pull.Pull["title"], pull.Pull["body"]) = (one.Title, one.Body);

        var run = pull.PullRequest("opened");

        Assert.Equal(0, run.End.ExitCode);
        return new(one, JsonNode.Parse(run.Text)!["findings"]!.AsArray());
    }
}
