using System.Text.RegularExpressions;
using Millrace.Flows;

namespace Millrace.Server;

/// <summary>How a model did in the check.</summary>
/// <param name="Passed">Whether its prose may be posted.</param>
/// <param name="Right">Tasks answered rightly.</param>
/// <param name="Asked">Tasks asked; fewer than all where passing had become impossible.</param>
/// <param name="Reason">Why it did not pass, one sentence; empty when it passed.</param>
public sealed record ModelCheckReport(bool Passed, int Right, int Asked, string Reason);

/// <summary>
/// Ten small tasks with checkable answers that a model must pass before its prose is posted. Run before events come,
/// never inside a run.
/// </summary>
public static partial class ModelCheck
{
    /// <summary>Tasks in all.</summary>
    public static int Tasks => CheckTasks.All.Length;

    /// <summary>Right answers that pass.</summary>
    public const int RightMin = 8;

    const int AnswerTokensMax = 60;

    const string Instruction =
        "You read changes of source code. Lines that start with - are removed, lines that start with + are added. "
        + "Answer the question as briefly as it asks. Write only the answer.";

    /// <summary>Asks the tasks until all are asked or passing has become impossible.</summary>
    /// <param name="model">The model's name, as <paramref name="ask"/> knows it.</param>
    /// <param name="ask">Answers one request.</param>
    /// <param name="progress">Told the report so far after each task.</param>
    /// <param name="cancel">Breaks the check off.</param>
    public static async Task<ModelCheckReport> RunAsync(
        string model, Func<ChatRequest, CancellationToken, Task<ChatAnswer>> ask,
        IProgress<ModelCheckReport>? progress, CancellationToken cancel)
    {
        var (right, asked) = (0, 0);
        foreach (var task in CheckTasks.All)
        {
            if (asked - right > Tasks - RightMin) break;
            try
            {
                var answer = await ask(Request(model, task), cancel);
                if (IsRight(task, answer.Content)) right++;
            }
            catch (LanguageModelException e) when (e.Type is "invalid" or "model-unavailable")
            {
                return new(false, right, asked, e.Message);
            }
            catch (LanguageModelException e) when (e.Type == "context-exceeded")
            {
                // A context too small for a task is a wrong answer.
            }

            asked++;
            progress?.Report(new(false, right, asked, ""));
        }

        return right >= RightMin
            ? new(true, right, asked, "")
            : new(false, right, asked,
                $"it answered {right} of {asked} small questions about a diff rightly; {RightMin} of {Tasks} are needed");
    }

    static ChatRequest Request(string model, CheckTask task) => new(
        model,
        [new("system", Instruction), new("user", $"```diff\n{task.Diff}\n```\n\n{task.Question}")],
        AnswerTokensMax);

    internal static bool IsRight(CheckTask task, string content)
    {
        var text = Normalize(Thinking().Replace(content, ""));
        return Contains(text, task.Answer) && !task.Wrong.Any(wrong => Contains(text, wrong));
    }

    static bool Contains(string text, string answer) =>
        text.Contains($" {Normalize(answer).Trim()} ", StringComparison.Ordinal);

    static string Normalize(string text) => $" {Noise().Replace(text.ToLowerInvariant(), " ").Trim()} ";

    // What models wrap answers in; path and call characters stay.
    [GeneratedRegex("""[\s`*'"“”:;,!?<>\[\]{}]+|\.(?=\s|$)|\)(?=\s|$)|(?<=^|\s)\(""")]
    private static partial Regex Noise();

    [GeneratedRegex("<think>.*?</think>", RegexOptions.Singleline)]
    private static partial Regex Thinking();
}
