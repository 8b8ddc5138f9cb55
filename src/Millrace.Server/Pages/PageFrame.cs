namespace Millrace.Server.Pages;

/// <summary>What stands around every page.</summary>
static class PageFrame
{
    /// <param name="isMoving">Whether the browser loads it again by itself.</param>
    public static Html Around(string title, Html body, bool isMoving)
    {
        var html = new Html().Add($"<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\">")
            .Add($"<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">")
            .Add($"<meta name=\"color-scheme\" content=\"light dark\">");
        if (isMoving) html.Add($"<meta http-equiv=\"refresh\" content=\"3\">");
        return html.Add($"<title>{title} · Millrace</title><link rel=\"stylesheet\" href=\"/page.css\"></head><body>")
            .Add($"<div class=\"top\"><a href=\"/\">Millrace</a></div><main>").Add(body).Add($"</main></body></html>");
    }
}
