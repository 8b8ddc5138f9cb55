using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Json.Nodes;
using Millrace.Flows;

namespace Millrace.Server.Pages;

/// <summary>One run: what it was about, what it asked, what it wrote.</summary>
sealed class RunPage(RunDetail run, string output, ImmutableArray<LogEntry> log, DateTimeOffset now)
{
    /// <summary>Characters of one text shown; the rest is counted.</summary>
    public const int TextMax = 256 << 10;

    const int HeadMax = 8 << 10;

    static readonly JsonSerializerOptions Indented = new()
    {
        WriteIndented = true,
        Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    static readonly JsonDocumentOptions Strict = new() { AllowDuplicateProperties = false };

    RunSummary Summary => run.Summary;

    DateTimeOffset Start => Summary.StartedAt ?? Summary.CreatedAt;

    TimeSpan Length => (Summary.EndedAt ?? now) - Start;

    public Html Render()
    {
        var body = new Html();
        body.Add($"<header><h1>{Summary.Flow} <small>v{Summary.Version}</small></h1>")
            .Add($"<span class=\"badge {Words.Tone(Summary)}\">{Words.State(Summary)}</span></header>");
        if (Summary.Message.Length > 0) body.Add($"<pre class=\"message\">{Summary.Message}</pre>");
        body.Add(Facts()).Add(Posted()).Add(Timeline());
        if (output.Length > 0) body.Add($"<h2>Output</h2>").Add(Json(output, TextMax));
        body.Add(Log());
        if (run.Event.Length > 0)
            body.Add($"<details><summary>Event</summary>").Add(Json(run.Event)).Add($"</details>");
        return PageFrame.Around($"{Summary.Flow} {Summary.Id}", body, Summary.State != RunState.Ended);
    }

    Html Facts()
    {
        var html = new Html().Add($"<dl class=\"facts\">");
        void Fact(string name, string? value)
        {
            if (value is { Length: > 0 }) html.Add($"<div><dt>{name}</dt><dd>{value}</dd></div>");
        }
        Fact("Run", Summary.Id);
        Fact("Event", Summary.EventType);
        Fact("Partition", Summary.Partition);
        Fact("Came", Words.Time(Summary.CreatedAt));
        Fact("Took", Summary.StartedAt is null ? "not started yet" : Words.Duration(Length));
        Fact("CPU", run.Cpu > TimeSpan.Zero ? Words.Duration(run.Cpu) : "");
        Fact("Memory", run.MemoryBytesPeak > 0 ? Words.Bytes(run.MemoryBytesPeak) : "");
        Fact("Tokens", run.Tokens > 0 ? Words.Number(run.Tokens) : "");
        Fact("Attempts", Summary.Attempts > 1 ? Words.Number(Summary.Attempts) : "");
        if (Summary.FailureOf is { } failed)
            html.Add($"<div><dt>Answers the failure of</dt><dd><a href=\"/runs/{failed}\">{failed}</a></dd></div>");
        return html.Add($"</dl>");
    }

    /// <summary>The text that the run last wrote to the world: the review, in the review function's runs.</summary>
    Html Posted()
    {
        var html = new Html();
        foreach (var write in run.Operations.Reverse())
        {
            if (write is not { Kind: OperationKind.Write, State: OperationState.Done }) continue;
            if (Parse(write.Head)?["body"] is not JsonValue value || !value.TryGetValue<string>(out var text)) continue;
            return html.Add($"<h2>Posted</h2><p class=\"by\">by {write.Name}</p>").Add(Text(text, TextMax));
        }
        return html;
    }

    Html Timeline()
    {
        var html = new Html().Add($"<h2>Timeline</h2>");
        if (run.Operations.IsEmpty)
            return html.Add($"<section class=\"empty\"><p>It asked nothing at the door.</p></section>");
        html.Add($"<table class=\"timeline\"><thead><tr><th>Operation</th><th>State</th><th class=\"n\">At</th>")
            .Add($"<th class=\"n\">Took</th><th class=\"n\">Tokens</th><th class=\"span\">When</th></tr></thead>");
        foreach (var operation in run.Operations) html.Add(Row(operation, 0));
        return html.Add($"</table>");
    }

    Html Row(OperationDetail operation, int depth)
    {
        var at = operation.StartedAt - Start;
        var took = operation.State is OperationState.Open or OperationState.Intended
            ? now - operation.StartedAt : operation.Duration;
        var tokens = operation.Tokens > 0 ? Words.Number(operation.Tokens) : "";
        var html = new Html().Add($"<tbody><tr class=\"depth{depth}\"><td>{Asked(operation)}</td>")
            .Add($"<td><span class=\"badge {Words.Tone(operation.State)}\">{State(operation)}</span></td>")
            .Add($"<td class=\"n\">{Words.Duration(at)}</td><td class=\"n\">{Words.Duration(took)}</td>")
            .Add($"<td class=\"n\">{tokens}</td><td class=\"span\">{Bar(at, took)}</td></tr></tbody>");
        foreach (var child in operation.Children.SelectMany(child => child.Operations))
            html.Add(Row(child, Math.Min(depth + 1, 3)));
        return html;
    }

    static Html Asked(OperationDetail operation)
    {
        var html = new Html().Add($"<details><summary><code>{operation.Name}</code> ")
            .Add($"<small>{operation.Kind.ToString().ToLowerInvariant()}</small></summary>");
        if (operation.Asks > 1) html.Add($"<p>Asked {operation.Asks} times.</p>");
        if (operation.Rounds > 0) html.Add($"<p>Being in doubt, looked for {operation.Rounds} times.</p>");
        html.Add($"<h3>Asked</h3>").Add(Json(operation.Head));
        if (operation.Result is { } result) html.Add($"<h3>Answered</h3>").Add(Json(result));
        if (operation.ResultBodyBytes > 0) html.Add($"<p>and a body of {Words.Bytes(operation.ResultBodyBytes)}</p>");
        return html.Add($"</details>");
    }

    static string State(OperationDetail operation)
    {
        if (operation.State != OperationState.Error) return operation.State.ToString().ToLowerInvariant();
        var type = Parse(operation.Result)?["type"];
        return type is JsonValue value && value.TryGetValue<string>(out var text) ? text : "error";
    }

    /// <summary>An SVG needs no style attribute, which the pages' policy forbids.</summary>
    Html Bar(TimeSpan at, TimeSpan took)
    {
        var whole = Math.Max(Length.TotalMilliseconds, 1);
        var width = Math.Max(took.TotalMilliseconds / whole, 0.004);
        return new Html().Add($"<svg width=\"100%\" height=\"10\" role=\"img\" aria-label=\"{Words.Duration(took)}\">")
            .Add($"<rect x=\"{Words.Percent(at.TotalMilliseconds / whole)}\" y=\"2\" ")
            .Add($"width=\"{Words.Percent(width)}\" height=\"6\" rx=\"2\"/></svg>");
    }

    Html Log()
    {
        var html = new Html();
        if (log.IsEmpty) return html;
        html.Add($"<h2>Log</h2><table class=\"log\"><tbody>");
        foreach (var line in log)
        {
            html.Add($"<tr class=\"{line.Level}\"><td class=\"n\">{Words.Duration(line.At - Start)}</td>")
                .Add($"<td>{line.Level}</td><td><pre>{SecretMask.Apply(line.Text)}</pre></td></tr>");
        }
        return html.Add($"</tbody></table>");
    }

    static Html Json(string text, int max = HeadMax) =>
        Text(Parse(text) is { } node and (JsonObject or JsonArray) ? node.ToJsonString(Indented) : text, max);

    static Html Text(string text, int max)
    {
        var masked = SecretMask.Apply(text);
        var rest = masked.Length - max;
        var html = new Html().Add($"<pre>{(rest > 0 ? masked[..max] : masked)}</pre>");
        return rest > 0 ? html.Add($"<p class=\"by\">and {Words.Number(rest)} characters more</p>") : html;
    }

    /// <summary>Null for what cannot be read whole: a name given twice, or half a surrogate pair in a text.</summary>
    static JsonNode? Parse(string? text)
    {
        try
        {
            var node = text is null ? null : JsonNode.Parse(text, null, Strict);
            // Texts are only decoded when they are asked for.
            _ = node?.ToJsonString();
            return node;
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            return null;
        }
    }
}
