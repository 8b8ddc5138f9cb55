using System.Text.Json;
using Millrace.Flows;

namespace Millrace.Cli;

/// <summary>A run's timeline as a tree for a person: operations in order, child runs below them.</summary>
static class RunTree
{
    const int ErrorCharactersMax = 120;

    public static IEnumerable<string> Lines(RunDetail run)
    {
        yield return Head(run.Summary) + Totals(run);
        if (run.Summary.EventType is { } type)
        {
            var partition = run.Summary.Partition is { } name ? $", partition {name}" : "";
            yield return $"  event {type} at {Words.At(run.Summary.CreatedAt)}{partition}";
        }

        if (run.Summary.FailureOf is { } failed) yield return $"  answers the failure of {failed}";
        foreach (var line in Message(run.Summary)) yield return "  " + line;
        foreach (var line in Operations(run, "  ")) yield return line;
    }

    static string Head(RunSummary run) =>
        $"{run.Id}  {run.Flow} version {run.Version}  {End(run)}{Took(run)}";

    /// <summary>Outcome, or where the run is.</summary>
    public static string End(RunSummary run) => run.Outcome switch
    {
        null => run.State.ToString().ToLowerInvariant(),
        RunOutcome.Failed => $"Failed({run.ExitCode})",
        { } outcome => outcome.ToString(),
    };

    static string Took(RunSummary run) =>
        run is { StartedAt: { } start, EndedAt: { } end } ? $"  {Words.Took(end - start)}" : "";

    static string Totals(RunDetail run)
    {
        var attempts = run.Summary.Attempts > 1 ? $"  {run.Summary.Attempts} attempts" : "";
        var tokens = run.Tokens > 0 ? $"  {Words.Count(run.Tokens, "token")}" : "";
        var memory = run.MemoryBytesPeak > 0 ? $"  {Words.Size(run.MemoryBytesPeak)}" : "";
        return attempts + tokens + memory;
    }

    static string[] Message(RunSummary run) =>
        run.Message.Split('\n', StringSplitOptions.RemoveEmptyEntries);

    static IEnumerable<string> Operations(RunDetail run, string indent)
    {
        var width = run.Operations.Select(operation => operation.Name.Length).DefaultIfEmpty().Max();
        foreach (var operation in run.Operations)
        {
            yield return indent + Operation(operation, width);
            foreach (var child in operation.Children)
            {
                var answer = child.Summary;
                yield return $"{indent}   └ {answer.Flow} version {answer.Version}  {End(answer)}{Took(answer)}";
                foreach (var line in Message(child.Summary)) yield return $"{indent}     {line}";
                foreach (var line in Operations(child, indent + "     ")) yield return line;
            }
        }
    }

    static string Operation(OperationDetail operation, int width)
    {
        var kind = operation.Kind.ToString().ToLowerInvariant();
        var state = operation.State.ToString().ToLowerInvariant();
        var line = $"{operation.Sequence,3} {operation.Name.PadRight(width)}  {kind,-5}  {state,-9}  "
            + $"{Words.Took(operation.Duration),9}";
        if (operation.Tokens > 0) line += $"  {Words.Count(operation.Tokens, "token")}";
        if (operation.Asks > 1) line += $"  asked {operation.Asks} times";
        if (operation.Rounds > 0) line += $"  looked for {Words.Count(operation.Rounds, "time")}";
        if (operation.State == OperationState.Error) line += $"  {Problem(operation.Result)}";
        return line;
    }

    static string Problem(string? result)
    {
        if (result is null) return "";
        using var head = JsonDocument.Parse(result);
        var text = $"{Text(head, "type")}: {Text(head, "detail")}";
        return text.Length <= ErrorCharactersMax ? text : text[..ErrorCharactersMax] + "…";
    }

    static string Text(JsonDocument head, string name) =>
        head.RootElement.ValueKind == JsonValueKind.Object && head.RootElement.TryGetProperty(name, out var value)
            ? value.ToString() : "";
}
