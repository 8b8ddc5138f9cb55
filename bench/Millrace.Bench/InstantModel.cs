using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Millrace.Bench;

/// <summary>An OpenAI-compatible server on loopback that answers everything at once with the same review.</summary>
sealed class InstantModel : IAsyncDisposable
{
    public const string Name = "instant";

    const string Answer =
        "SUMMARY: The change is small and does what its title says.\nCHANGE: One place is edited, nothing else moves.";

    static readonly string Completion = new JsonObject
    {
        ["id"] = "chatcmpl-1",
        ["object"] = "chat.completion",
        ["created"] = 1,
        ["model"] = Name,
        ["choices"] = new JsonArray(new JsonObject
        {
            ["index"] = 0,
            ["message"] = new JsonObject { ["role"] = "assistant", ["content"] = Answer },
            ["finish_reason"] = "stop",
        }),
        ["usage"] = new JsonObject { ["prompt_tokens"] = 1000, ["completion_tokens"] = 30, ["total_tokens"] = 1030 },
    }.ToJsonString();

    readonly WebApplication _application;

    InstantModel(WebApplication application) => _application = application;

    public string BaseUrl { get; private set; } = "";

    public static async Task<InstantModel> StartAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(options => options.Listen(IPAddress.Loopback, 0));
        var application = builder.Build();
        application.MapPost("/v1/chat/completions", (Delegate)AnswerAsync);
        await application.StartAsync();
        return new(application) { BaseUrl = application.Urls.First() + "/v1" };
    }

    static async Task<IResult> AnswerAsync(HttpContext context)
    {
        await context.Request.Body.CopyToAsync(Stream.Null, context.RequestAborted);
        return Results.Text(Completion, "application/json", Encoding.UTF8);
    }

    public ValueTask DisposeAsync() => _application.DisposeAsync();
}
