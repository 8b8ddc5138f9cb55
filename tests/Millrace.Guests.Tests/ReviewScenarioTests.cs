using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Millrace.Sandbox;

namespace Millrace.Guests.Tests;

/// <summary>
/// The code-review function against folders: scenario.json and patches go in, comments.md (what then stands on the pull
/// request) and output.json (stdout of the last run) come out. UPDATE_GOLDEN=1 writes what came out.
/// </summary>
public class ReviewScenarioTests
{
    static readonly JsonSerializerOptions Readable = new()
    {
        WriteIndented = true,
        Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    public static TheoryData<string> All => Folders.Names("code_review");

    [Theory]
    [MemberData(nameof(All))]
    public void A_review_comes_out_as_the_folder_says(string name)
    {
        var folder = Path.Combine(Folders.Scenarios, "code_review", name);
        var scenario = JsonNode.Parse(File.ReadAllText(Path.Combine(folder, "scenario.json")))!;
        var pull = new FakePullRequest();
        GuestRun? last = null;
        foreach (var step in scenario["steps"]!.AsArray()) last = Step(pull, folder, step!);

        var comments = string.Join("\n========\n", pull.Comments.Select(c => $"comment {c["id"]}\n{c["body"]}")) + "\n";
        var output = last!.Output.Length == 0 ? "" : JsonNode.Parse(last.Output)!.ToJsonString(Readable) + "\n";
        Check(Path.Combine(folder, "comments.md"), comments);
        Check(Path.Combine(folder, "output.json"), output);
    }

    static GuestRun Step(FakePullRequest pull, string folder, JsonNode step)
    {
        foreach (var (member, value) in step["pull"] as JsonObject ?? []) pull.Pull[member] = value?.DeepClone();
        if (step["head"] is { } head) pull.Pull["head"]!["sha"] = head.DeepClone();
        if (step["patch"] is { } patch) pull.Patch = File.ReadAllBytes(Path.Combine(folder, (string)patch!));
        if (step["files"] is JsonArray files) pull.Files = (JsonArray)files.DeepClone();
        if (step["commits"] is JsonArray commits) pull.Commits = (JsonArray)commits.DeepClone();
        if (step["compare"] is { } comparison) pull.Comparison = comparison.DeepClone();
        if (step["settings"] is JsonObject settings) pull.Settings = (JsonObject)settings.DeepClone();
        if (step["model"] is { } model)
            pull.Models = FakePullRequest.OneModel((int?)model["context_tokens"] ?? 4096, (bool?)model["passed"] ?? true);
        pull.Failures.Clear();
        foreach (var (operation, error) in step["failures"] as JsonObject ?? [])
            pull.Failures[operation] = Reply.Error((string)error!["type"]!, (string)error["detail"]!);
        foreach (var comment in step["comments"] as JsonArray ?? [])
        {
            pull.AddComment((long)comment!["id"]!, (string)comment["body"]!, (string)comment["type"]!,
                (string)comment["association"]!);
        }
        if (step["deleted"] is { } deleted) pull.Comments.RemoveAll(c => (long)c["id"]! == (long)deleted!);
        var answers = new Queue<string>((step["answers"] as JsonArray ?? []).Select(a => (string)a!));
        pull.Chat = _ => FakePullRequest.Says(answers.Count > 1 ? answers.Dequeue() : answers.Peek());

        var run = Send(pull, step);

        Assert.Equal((RunEndKind.Exited, (int?)step["exit_code"] ?? 0), (run.End.Kind, run.End.ExitCode));
        Assert.Equal((string?)step["log"] ?? "", run.Log.TrimEnd('\n'));
        return run;
    }

    static GuestRun Send(FakePullRequest pull, JsonNode step) => step switch
    {
        _ when step["pull_request"] is { } action => pull.PullRequest((string)action!),
        _ when step["comment"] is { } comment =>
            pull.Say((string)comment!, (string?)step["association"] ?? "OWNER", (string?)step["user"] ?? "User"),
        _ when step["failed"] is { } outcome =>
            pull.Failed((string)outcome!, (string?)step["message"] ?? "", (bool?)step["by_comment"] ?? false),
        _ => pull.Send((string)step["event"]!, step["payload"]!),
    };

    static void Check(string path, string text)
    {
        if (Environment.GetEnvironmentVariable("UPDATE_GOLDEN") == "1") File.WriteAllText(path, text, new UTF8Encoding(false));
        Assert.Equal(File.ReadAllText(path), text);
    }
}
