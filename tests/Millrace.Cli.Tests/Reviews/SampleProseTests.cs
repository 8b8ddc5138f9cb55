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
        ["many-commits"] = "foreach (var frame in end.Backtrace) screen.Note($\"  at {frame}\");",
    }.ToImmutableDictionary();

    /// <summary>What the bad answers speak of, and no sample holds.</summary>
    static readonly ImmutableArray<string> Invented =
    [
        "db.Execute", "Secrets.cs", "Budget.cs", "bytes.Length > Max", "evil.example", "left-pad", "GpuWorker",
        "BinaryFormatter", "Process.Start",
    ];

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
        var summary = Answer(sample, "good").Split('\n')[0];
        Assert.Contains(summary["SUMMARY: ".Length..].Split('`')[0], reviewed.Comment, StringComparison.Ordinal);
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
        Assert.All(Invented, text => Assert.DoesNotContain(text, reviewed.Comment, StringComparison.Ordinal));
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
        // A large change is shown in parts, and its summary asked for at the end: claims come with their part only.
        bench.Model.Script = prompt => kind == "absurd" || prompt.Contains(True[sample], StringComparison.Ordinal)
            ? answer : $"{answer.Split('\n')[0]}\nNO RISKS";
        var reviewed = await bench.ReviewAsync(bench.Pull(SampleChange.Read(Shipped.Sample(sample))));
        CommentSafety.Check(reviewed.Comment);
        CommentSafety.Check(reviewed.Document, reviewed.Pull.Change);
        return reviewed;
    }

    static string Answer(string sample, string kind) =>
        File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "Reviews", "answers", $"{sample}.{kind}.txt"));
}
