namespace Millrace.Server.Pages;

/// <summary>The pages' style sheet.</summary>
static class PageStyle
{
    public const string Css = """
        :root {
          color-scheme: light dark;
          --paper: light-dark(#fbfaf7, #15181b); --card: light-dark(#ffffff, #1d2125);
          --ink: light-dark(#1d2327, #dfe3e6); --faint: light-dark(#667077, #929ba2);
          --line: light-dark(#e4e1d9, #2d3338); --water: light-dark(#1f6f8b, #63b4cf);
          --good: light-dark(#2e7d4f, #6cc08b); --bad: light-dark(#b3362b, #ef8a80);
          --wait: light-dark(#8a6d1c, #d9b964);
        }
        * { box-sizing: border-box; }
        body { margin: 0; background: var(--paper); color: var(--ink);
          font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; }
        a { color: var(--water); text-decoration: none; }
        a:hover { text-decoration: underline; }
        .top { border-bottom: 1px solid var(--line); padding: 10px 24px; font-weight: 600; letter-spacing: .02em; }
        main { max-width: 1120px; margin: 0 auto; padding: 20px 24px 64px; }
        header { display: flex; align-items: center; gap: 14px; flex-wrap: wrap; margin-bottom: 14px; }
        h1 { font-size: 22px; margin: 0; }
        h2 { font-size: 16px; margin: 28px 0 10px; }
        h3 { font-size: 12px; margin: 10px 0 4px; color: var(--faint); font-weight: 600; }
        small, .by { color: var(--faint); font-weight: 400; }
        .by { margin: -6px 0 8px; font-size: 13px; }
        nav { display: flex; gap: 14px; }
        nav [aria-current] { font-weight: 600; }
        .pager { margin-top: 16px; }
        table { width: 100%; border-collapse: collapse; background: var(--card); border: 1px solid var(--line);
          border-radius: 8px; overflow: hidden; font-size: 14px; }
        th { text-align: left; font-size: 12px; font-weight: 600; color: var(--faint); }
        th, td { padding: 7px 12px; border-bottom: 1px solid var(--line); vertical-align: top; }
        tbody:last-child tr:last-child td { border-bottom: 0; }
        .n { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
        .span { width: 30%; }
        code, pre { font: 13px/1.5 ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; }
        pre { margin: 0; padding: 12px 14px; background: var(--card); border: 1px solid var(--line); border-radius: 8px;
          white-space: pre-wrap; overflow-wrap: anywhere; }
        td pre { padding: 0; border: 0; background: none; }
        details pre { background: var(--paper); border: 1px solid var(--line); padding: 8px 10px; }
        summary { cursor: pointer; }
        .message { border-left: 3px solid var(--bad); margin-bottom: 14px; }
        .badge { display: inline-block; padding: 0 9px; border-radius: 10px; border: 1px solid currentColor;
          font-size: 12px; line-height: 19px; font-weight: 600; color: var(--faint); white-space: nowrap; }
        .good { color: var(--good); } .bad { color: var(--bad); }
        .wait { color: var(--wait); } .run { color: var(--water); }
        .facts { display: flex; flex-wrap: wrap; gap: 10px 28px; margin: 0; }
        .facts dt { font-size: 12px; color: var(--faint); } .facts dd { margin: 0; overflow-wrap: anywhere; }
        .depth1 td:first-child { padding-left: 32px; } .depth2 td:first-child { padding-left: 52px; }
        .depth3 td:first-child { padding-left: 72px; }
        svg rect { fill: var(--water); }
        .log td { padding: 3px 12px; } .log .error td { color: var(--bad); } .log .warn td { color: var(--wait); }
        .empty { border: 1px dashed var(--line); border-radius: 8px; padding: 26px; text-align: center;
          color: var(--faint); }
        .empty h2 { margin-top: 0; color: var(--ink); } .empty pre { display: inline-block; text-align: left; }
        details + details, pre + details, table + details { margin-top: 18px; }
        @media (max-width: 720px) { .span { display: none; } th, td { padding: 6px 8px; } }
        """;
}
