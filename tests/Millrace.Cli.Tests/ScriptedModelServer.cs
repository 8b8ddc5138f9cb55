using System.Net;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Millrace.Cli.StandIn;

namespace Millrace.Cli.Tests;

/// <summary>
/// A model server on loopback whose answers are written by hand: it passes the check like a model that reads diffs,
/// and answers everything else from <see cref="Script"/>. Keeps a ledger of its own.
/// </summary>
sealed class ScriptedModelServer : IAsyncDisposable
{
    public const string Model = "scripted-reader";

    // The check's questions with their right answers, by a word of the question.
    static readonly (string Word, string Answer)[] CheckAnswers =
    [
        ("Which file is changed", "net/client.py"), ("timeout after the change", "30"),
        ("never reached", "log.info(\"fetched\")"), ("How many lines are removed", "3"),
        ("What does the change remove", "C"), ("Who can cancel", "anyone"), ("new name of the function", "ReadAll"),
        ("calls lib.Load", "B"), ("MaxUsers before", "40"), ("How many fields", "2"),
    ];

    readonly WebApplication _app;

    ScriptedModelServer(WebApplication app) => _app = app;

    public Uri BaseUrl { get; private set; } = new("http://127.0.0.1/v1");

    public Ledger Ledger { get; } = new();

    /// <summary>Answers a prompt (all message contents joined) that is no question of the check.</summary>
    public Func<string, string> Script { get; set; } = _ => "Nothing to say.";

    /// <summary>Misbehaviour by request.</summary>
    public Func<HttpRequest, Fault?>? Faults { get; set; }

    /// <summary>Called after an answer was made, before it is sent.</summary>
    public Func<string, Task>? Answered { get; set; }

    public static async Task<ScriptedModelServer> StartAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(options => options.Listen(IPAddress.Loopback, 0));
        var app = builder.Build();
        var server = new ScriptedModelServer(app);
        app.MapPost("/v1/chat/completions", (Delegate)server.ChatAsync);
        await app.StartAsync();
        server.BaseUrl = new Uri(app.Urls.First() + "/v1");
        return server;
    }

    /// <summary>Prompts that were no question of the check, as received.</summary>
    public IEnumerable<string> Prompts => Ledger.Entries.Select(entry => Prompt(JsonNode.Parse(entry.Body.AsSpan())!))
        .Where(prompt => CheckAnswer(prompt) is null);

    async Task<IResult> ChatAsync(HttpContext context)
    {
        using var copy = new MemoryStream();
        await context.Request.Body.CopyToAsync(copy);
        var request = JsonNode.Parse(copy.ToArray())!;
        var prompt = Prompt(request);
        var fault = Faults?.Invoke(context.Request);
        Ledger.Add(new("POST", context.Request.Path, [.. copy.ToArray()], fault?.Status ?? 200));
        if (fault?.Kind is FaultKind.Reset or FaultKind.ApplyThenReset)
        {
            context.Abort();
            return Results.Empty;
        }

        if (fault is not null)
        {
            foreach (var (name, value) in fault.Headers) context.Response.Headers[name] = value;
            return Results.Json(new { error = new { message = "scripted", type = "server_error" } }, statusCode: fault.Status);
        }

        var content = CheckAnswer(prompt) ?? Script(prompt);
        if (Answered is { } answered) await answered(prompt);
        return Results.Text(JsonSerializer.Serialize(new
        {
            id = "chatcmpl-1",
            @object = "chat.completion",
            created = 1,
            model = Model,
            choices = new[] { new { index = 0, message = new { role = "assistant", content }, finish_reason = "stop" } },
            usage = new { prompt_tokens = prompt.Length / 4, completion_tokens = content.Length / 4, total_tokens = (prompt.Length + content.Length) / 4 },
        }), "application/json", Encoding.UTF8);
    }

    static string Prompt(JsonNode request) => string.Join(
        "\n\n", request["messages"]!.AsArray().Select(message => (string?)message!["content"]));

    static string? CheckAnswer(string prompt)
    {
        var found = CheckAnswers.FirstOrDefault(entry => prompt.Contains(entry.Word, StringComparison.Ordinal));
        return found.Answer is not null && prompt.Contains("Write only the answer.", StringComparison.Ordinal) ? found.Answer : null;
    }

    public async ValueTask DisposeAsync()
    {
        using var soon = new CancellationTokenSource(TimeSpan.FromMilliseconds(200));
        await _app.StopAsync(soon.Token);
        await _app.DisposeAsync();
    }
}
