using System.Collections.Immutable;
using Millrace.Flows;

namespace Millrace.Server.Pages;

/// <summary>The runs, newest first.</summary>
sealed class RunListPage(ImmutableArray<FlowSummary> flows, DateTimeOffset now)
{
    public Html Render(ImmutableArray<RunSummary> runs, string? flow, bool isOlder, int perPage)
    {
        var body = new Html();
        body.Add($"<header><h1>Runs</h1>{Filter(flow)}</header>");
        if (runs.IsEmpty) body.Add(Empty(flow, isOlder));
        else body.Add(Table(runs.Take(perPage)));
        body.Add(Pager(runs, flow, isOlder, perPage));
        var isMoving = !isOlder && runs.Any(run => run.State != RunState.Ended);
        return PageFrame.Around("Runs", body, isMoving);
    }

    Html Filter(string? chosen)
    {
        var html = new Html();
        if (flows.Length < 2) return html;
        html.Add($"<nav class=\"filter\">").Add(Choice("all flows", "/", chosen is null));
        foreach (var flow in flows)
            html.Add(Choice(flow.Name, $"/?flow={Uri.EscapeDataString(flow.Name)}", flow.Name == chosen));
        return html.Add($"</nav>");
    }

    static Html Choice(string text, string address, bool isChosen) => isChosen
        ? new Html().Add($"<span aria-current=\"page\">{text}</span>")
        : new Html().Add($"<a href=\"{address}\">{text}</a>");

    Html Table(IEnumerable<RunSummary> runs)
    {
        var html = new Html().Add($"<table class=\"runs\"><thead><tr><th>State</th><th>Flow</th><th>Event</th>")
            .Add($"<th>Partition</th><th>Came</th><th class=\"n\">Took</th><th>Run</th></tr></thead><tbody>");
        foreach (var run in runs)
        {
            html.Add($"<tr><td><span class=\"badge {Words.Tone(run)}\">{Words.State(run)}</span></td>")
                .Add($"<td>{run.Flow} <small>v{run.Version}</small></td><td>{run.EventType}</td>")
                .Add($"<td>{run.Partition}</td>")
                .Add($"<td title=\"{Words.Time(run.CreatedAt)}\">{Words.Ago(run.CreatedAt, now)}</td>")
                .Add($"<td class=\"n\">{Took(run)}</td>")
                .Add($"<td><a href=\"/runs/{run.Id}\"><code>{run.Id}</code></a></td></tr>");
        }
        return html.Add($"</tbody></table>");
    }

    string Took(RunSummary run) => run.StartedAt is { } started
        ? Words.Duration((run.EndedAt ?? now) - started)
        : "";

    static Html Pager(ImmutableArray<RunSummary> runs, string? flow, bool isOlder, int perPage)
    {
        var html = new Html().Add($"<nav class=\"pager\">");
        var filter = flow is null ? "" : $"flow={Uri.EscapeDataString(flow)}&";
        if (isOlder) html.Add($"<a href=\"/?{filter.TrimEnd('&')}\">Newest</a>");
        if (runs.Length > perPage) html.Add($"<a href=\"/?{filter}before={runs[perPage - 1].Id}\">Older</a>");
        return html.Add($"</nav>");
    }

    Html Empty(string? flow, bool isOlder)
    {
        var html = new Html().Add($"<section class=\"empty\">");
        if (isOlder) return html.Add($"<h2>No older runs</h2></section>");
        if (flow is not null) return html.Add($"<h2>{flow} has not run yet</h2></section>");
        if (!flows.IsEmpty)
        {
            return html.Add($"<h2>Nothing has happened yet</h2><p>Deployed and waiting: ")
                .Add($"{string.Join(", ", flows.Select(f => f.Name))}. Send an event and reload.</p></section>");
        }
        return html.Add($"<h2>No flow is deployed yet</h2><p>Make and deploy one:</p>")
            .Add($"<pre>millrace new hello\nmillrace deploy hello</pre></section>");
    }
}
