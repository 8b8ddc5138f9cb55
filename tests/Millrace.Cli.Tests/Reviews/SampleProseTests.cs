using System.Collections.Immutable;
using System.Text.Json.Nodes;
using Millrace.Cli.Changes;

namespace Millrace.Cli.Tests.Reviews;

/// <summary>
/// The samples that <c>demo</c> shows, read by a model whose answers stand in <c>answers/</c>, written by hand for each
/// sample: a good one, a bad one with one true claim among invented ones, and an absurd one.
/// </summary>
[Collection(ReviewTests.Name)]
public sealed class SampleProseTests(ReviewBench bench)
{
    /// <summary>What the one true claim about each sample quotes.</summary>
    static readonly ImmutableDictionary<string, string> True = new Dictionary<string, string>
    {
        ["small"] = "public static int UnknownZero;",
        ["tests"] = "public const int WorkFree = 4_000_000;",
        ["ci"] = "apt-get update -q && apt-get install -yq --no-install-recommends \"${wanted[@]}\"",
        ["dependencies"] = "public TimeSpan StartTimeout { get; init; } = TimeSpan.FromSeconds(30);",
        ["large"] = "var stubs = new Dictionary<int, IlLabel>();",
        ["many-commits"] = "_ended.SetException(e);",
    }.ToImmutableDictionary();

    public static TheoryData<string> Samples => [.. Shipped.Samples()];

    [Theory]
    [MemberData(nameof(Samples))]
    public async Task A_good_answer_about_a_sample_is_posted_whole(string sample)
    {
        var reviewed = await ReadAsync(sample, "good");

        var claim = Claim(reviewed);
        Assert.Contains(True[sample], (string)claim["quote"]!, StringComparison.Ordinal);
        Assert.Equal(0, (int)reviewed.Document["dropped"]!);
        Assert.Equal(ScriptedModelServer.Model, (string?)reviewed.Document["model"]);
        foreach (var line in Answer(sample, "good").Split('\n').Where(line => line.StartsWith("SUMMARY: ", StringComparison.Ordinal)))
            Assert.Contains(line["SUMMARY: ".Length..].Split('`')[0], reviewed.Comment, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Samples))]
    public async Task Of_a_bad_answer_about_a_sample_only_what_is_true_is_posted_and_where_it_stands(string sample)
    {
        var good = Claim(await ReadAsync(sample, "good"));

        var reviewed = await ReadAsync(sample, "bad");

        var claim = Claim(reviewed);
        Assert.Equal(
            ((string)good["file"]!, (int)good["line"]!, (string)good["quote"]!),
            ((string)claim["file"]!, (int)claim["line"]!, (string)claim["quote"]!));
        Assert.True((int)reviewed.Document["dropped"]! > 0);
        Assert.Contains("left out as unsupported", reviewed.Comment, StringComparison.Ordinal);
        foreach (var invented in (string[])["db.Execute", "Secrets.cs", "Budget.cs", "bytes.Length > Max", "evil.example",
            "left-pad", "GpuWorker", "BinaryFormatter", "Process.Start"])
            Assert.DoesNotContain(invented, reviewed.Comment, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Samples))]
    public async Task Of_an_absurd_answer_about_a_sample_nothing_is_posted(string sample)
    {
        var reviewed = await ReadAsync(sample, "absurd");

        Assert.Null(reviewed.Document["model"]);
        Assert.DoesNotContain(reviewed.Findings, finding => !(bool)finding!["computed"]!);
        Assert.Contains("No model wrote here, only computed checks", reviewed.Comment, StringComparison.Ordinal);
    }

    static JsonNode Claim(Reviewed reviewed) =>
        Assert.Single(reviewed.Findings, finding => !(bool)finding!["computed"]!)!;

    async Task<Reviewed> ReadAsync(string sample, string kind)
    {
        bench.Calm();
        var answer = Answer(sample, kind);
        // A large change is shown in parts: what is said is said of the part that it is about.
        bench.Model.Script = prompt =>
            kind == "absurd" || prompt.Contains(True[sample], StringComparison.Ordinal) ? answer : "NO RISKS";
        var reviewed = await bench.ReviewAsync(bench.Pull(SampleChange.Read(Shipped.Sample(sample))));
        CommentSafety.Check(reviewed.Comment);
        CommentSafety.Check(reviewed.Document, reviewed.Pull.Change);
        return reviewed;
    }

    static string Answer(string sample, string kind) =>
        File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "answers", $"{sample}.{kind}.txt"));
}
