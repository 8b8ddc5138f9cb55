using System.Net.Http.Headers;
using Microsoft.AspNetCore.Http;

namespace Millrace.Cli.StandIn;

/// <summary>A real GitHub behind the stand-in: reads are passed on, with the user's own token.</summary>
sealed class Upstream(Uri api, string? token) : IDisposable
{
    readonly HttpClient _client = new() { BaseAddress = api, Timeout = TimeSpan.FromSeconds(60) };

    /// <summary>Passes a GET on and answers what came back.</summary>
    public async Task<IResult> ForwardAsync(HttpContext context)
    {
        var path = (context.Request.Path + context.Request.QueryString).TrimStart('/');
        using var response = await GetAsync(path, context.Request.Headers.Accept.ToString(), context.RequestAborted);
        foreach (var name in (string[])["Link", "Retry-After", "X-RateLimit-Remaining", "X-RateLimit-Reset"])
        {
            // Links lead back to the stand-in, so that every page passes through here.
            if (!response.Headers.TryGetValues(name, out var values)) continue;
            var here = $"{context.Request.Scheme}://{context.Request.Host}/";
            context.Response.Headers[name] = string.Join(", ", values).Replace(api.ToString(), here, StringComparison.Ordinal);
        }

        context.Response.StatusCode = (int)response.StatusCode;
        var type = response.Content.Headers.ContentType?.ToString() ?? "application/json";
        var bytes = await response.Content.ReadAsByteArrayAsync(context.RequestAborted);
        context.Response.ContentType = type;
        await context.Response.Body.WriteAsync(bytes, context.RequestAborted);
        return Results.Empty;
    }

    public async Task<HttpResponseMessage> GetAsync(string path, string accept, CancellationToken ct)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, path);
        request.Headers.TryAddWithoutValidation("Accept", accept.Length == 0 ? "application/vnd.github+json" : accept);
        request.Headers.TryAddWithoutValidation("X-GitHub-Api-Version", "2022-11-28");
        request.Headers.UserAgent.Add(new ProductInfoHeaderValue("millrace", "0.1"));
        if (token is not null) request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", token);
        return await _client.SendAsync(request, ct);
    }

    public void Dispose() => _client.Dispose();
}
