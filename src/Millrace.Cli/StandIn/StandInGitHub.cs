using System.Globalization;
using System.Net;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Millrace.Cli.StandIn;

/// <summary>
/// A GitHub on loopback: it serves pull requests, keeps comments, and sends signed webhooks. Where a pull request is
/// somebody's real one (<see cref="Upstream"/>), reads go through to it and comments stay here.
/// </summary>
sealed class StandInGitHub : IAsyncDisposable
{
    /// <summary>The account that the token belongs to.</summary>
    public const string BotLogin = "millrace[bot]";

    const int DiffFilesMax = 300;
    const int ListFilesMax = 3_000;

    readonly WebApplication _app;
    readonly HttpClient _webhooks = new();
    readonly TimeProvider _time;
    readonly Lock _lock = new();
    readonly List<PullRequest> _pulls = [];
    long _nextComment = 1_000;
    long _nextDelivery;

    StandInGitHub(WebApplication app, string token, TimeProvider time) => (_app, Token, _time) = (app, token, time);

    /// <summary>The token that requests must bear.</summary>
    public string Token { get; }

    public Uri Address { get; private set; } = new("http://127.0.0.1/");

    /// <summary>What was asked, in order.</summary>
    public Ledger Ledger { get; } = new();

    /// <summary>Where webhooks go, with the secret that signs them; none are sent while null.</summary>
    public (Uri Address, string Secret)? Hook { get; set; }

    /// <summary>Misbehaviour by request, asked once for each; null is good behaviour.</summary>
    public Func<HttpRequest, Fault?>? Faults { get; set; }

    /// <summary>Called after a request was applied, before it is answered.</summary>
    public Func<HttpRequest, Task>? Applied { get; set; }

    /// <summary>A real GitHub that reads are passed on to.</summary>
    public Upstream? Upstream { get; set; }

    GitHubJson Json => new(Address);

    /// <summary>Starts one on a free loopback port.</summary>
    public static async Task<StandInGitHub> StartAsync(TimeProvider time, CancellationToken ct)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(options => options.Listen(IPAddress.Loopback, 0));
        var app = builder.Build();
        var token = "standin-" + Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(16));
        var github = new StandInGitHub(app, token, time);
        github.Map();
        await app.StartAsync(ct);
        github.Address = new Uri(app.Urls.First().TrimEnd('/') + "/");
        return github;
    }

    public void Add(PullRequest pull)
    {
        lock (_lock) _pulls.Add(pull);
    }

    public async ValueTask DisposeAsync()
    {
        _webhooks.Dispose();
        using var soon = new CancellationTokenSource(TimeSpan.FromMilliseconds(200));
        await _app.StopAsync(soon.Token);
        await _app.DisposeAsync();
    }

    /// <summary>Sends the webhook of a pull request's action (<c>opened</c>, <c>synchronize</c> …).</summary>
    public Task<HttpResponseMessage> SendPullRequestAsync(
        PullRequest pull, string action, CancellationToken ct, string? before = null) =>
        SendAsync("pull_request", Json.PullRequestEvent(pull, action, before), ct);

    /// <summary>Somebody comments: the comment is kept and its webhook sent.</summary>
    public async Task<HttpResponseMessage?> CommentAsync(
        PullRequest pull, string login, string association, string body, CancellationToken ct)
    {
        var comment = AddComment(pull, body, login, "User");
        return Hook is null ? null : await SendAsync("issue_comment", Json.CommentEvent(pull, comment, association), ct);
    }

    /// <summary>Sends any webhook, signed as GitHub signs.</summary>
    public async Task<HttpResponseMessage> SendAsync(
        string type, JsonObject payload, CancellationToken ct, string? delivery = null)
    {
        var (address, secret) = Hook ?? throw new InvalidOperationException("no hook is set");
        var body = Encoding.UTF8.GetBytes(payload.ToJsonString());
        using var request = new HttpRequestMessage(HttpMethod.Post, address) { Content = new ByteArrayContent(body) };
        request.Content.Headers.ContentType = new("application/json");
        request.Headers.TryAddWithoutValidation("User-Agent", "GitHub-Hookshot/standin");
        request.Headers.TryAddWithoutValidation("X-GitHub-Event", type);
        request.Headers.TryAddWithoutValidation("X-GitHub-Delivery", delivery ?? NextDelivery());
        var mac = HMACSHA256.HashData(Encoding.UTF8.GetBytes(secret), body);
        request.Headers.TryAddWithoutValidation("X-Hub-Signature-256", "sha256=" + Convert.ToHexStringLower(mac));
        return await _webhooks.SendAsync(request, ct);
    }

    string NextDelivery() =>
        $"00000000-0000-4000-8000-{Interlocked.Increment(ref _nextDelivery).ToString("x12", CultureInfo.InvariantCulture)}";

    Comment AddComment(PullRequest pull, string body, string login, string type)
    {
        var now = _time.GetUtcNow();
        lock (_lock)
        {
            var comment = new Comment(++_nextComment, body, login, type, now, now);
            pull.Comments.Add(comment);
            return comment;
        }
    }

    void Map()
    {
        // An Enterprise server's API lies below /api/v3: the same answers there.
        _app.UsePathBase("/api/v3");
        _app.UseRouting();
        _app.Use(GuardAsync);
        _app.MapGet("/zen", () => "Keep it logically awesome.");
        _app.MapGet("/user", () => JsonResult(Json.User(BotLogin, "Bot")));
        var repository = _app.MapGroup("/repos/{owner}/{repo}");
        repository.MapGet("/pulls/{number:int}", (Delegate)PullAsync);
        repository.MapGet("/pulls/{number:int}/files", (Delegate)ListFilesAsync);
        repository.MapGet("/pulls/{number:int}/commits", (Delegate)ListCommitsAsync);
        repository.MapGet("/compare/{range}", CompareAsync);
        repository.MapGet("/issues/{number:int}/comments", (Delegate)ListComments);
        repository.MapPost("/issues/{number:int}/comments", (Delegate)CreateCommentAsync);
        repository.MapPatch("/issues/comments/{id:long}", UpdateCommentAsync);
        repository.MapGet("/issues/comments/{id:long}", GetComment);
        _app.MapFallback(() => Problem(404, "Not Found"));
    }

    /// <summary>Keeps the ledger, checks the token, and misbehaves where told to.</summary>
    async Task GuardAsync(HttpContext context, RequestDelegate next)
    {
        context.Request.EnableBuffering();
        using var copy = new MemoryStream();
        await context.Request.Body.CopyToAsync(copy, context.RequestAborted);
        context.Request.Body.Position = 0;
        var path = context.Request.Path + context.Request.QueryString;
        void Enter(int status) => Ledger.Add(new(context.Request.Method, path, [.. copy.ToArray()], status));

        var fault = Faults?.Invoke(context.Request);
        if (fault?.Kind == FaultKind.Reset)
        {
            Enter(0);
            context.Abort();
            return;
        }

        if (fault?.Kind == FaultKind.Refuse)
        {
            Enter(fault.Status);
            await AnswerAsync(context, fault);
            return;
        }

        if (context.Request.Headers.Authorization != $"Bearer {Token}")
        {
            Enter(401);
            await Problem(401, "Bad credentials").ExecuteAsync(context);
            return;
        }

        // The answer is held back until the request was entered and the fault decided.
        var answer = context.Response.Body;
        using var held = new MemoryStream();
        context.Response.Body = held;
        await next(context);
        context.Response.Body = answer;
        var isCut = fault?.Kind is FaultKind.ApplyThenReset or FaultKind.ApplyThenHang;
        Enter(isCut ? 0 : fault?.Status ?? context.Response.StatusCode);
        if (Applied is { } applied) await applied(context.Request);
        if (fault?.Kind == FaultKind.ApplyThenReset) { context.Abort(); return; }
        if (fault?.Kind == FaultKind.ApplyThenHang)
        {
            await Task.Delay(Timeout.Infinite, context.RequestAborted).ContinueWith(_ => { }, CancellationToken.None,
                TaskContinuationOptions.None, TaskScheduler.Default);
            return;
        }

        if (fault is not null) { await AnswerAsync(context, fault); return; }
        await answer.WriteAsync(held.GetBuffer().AsMemory(0, (int)held.Length), context.RequestAborted);
    }

    static async Task AnswerAsync(HttpContext context, Fault fault)
    {
        context.Response.Clear();
        foreach (var (name, value) in fault.Headers) context.Response.Headers[name] = value;
        await Problem(fault.Status, "Server Error").ExecuteAsync(context);
    }

    PullRequest? Find(HttpContext context)
    {
        var route = context.Request.RouteValues;
        var name = $"{route["owner"]}/{route["repo"]}";
        var number = route["number"] is string text ? int.Parse(text, CultureInfo.InvariantCulture) : 0;
        lock (_lock)
        {
            return _pulls.Find(pull => pull.FullName.Equals(name, StringComparison.OrdinalIgnoreCase)
                && (number == 0 || pull.Number == number));
        }
    }

    async Task<IResult> PullAsync(HttpContext context)
    {
        if (Upstream is not null) return await Upstream.ForwardAsync(context);
        if (Find(context) is not { } pull) return Problem(404, "Not Found");
        var accept = context.Request.Headers.Accept.ToString();
        if (accept.Contains("diff", StringComparison.Ordinal)) return Diff(pull.Change);
        lock (_lock) return JsonResult(Json.PullRequest(pull));
    }

    static IResult Diff(Changes.Change change) => change.Files.Length > DiffFilesMax
        ? Problem(406, $"Sorry, the diff exceeded the maximum number of files ({DiffFilesMax}).", "too_large")
        : Results.Bytes(change.Diff.ToArray(), "application/vnd.github.diff; charset=utf-8");

    async Task<IResult> ListFilesAsync(HttpContext context)
    {
        if (Upstream is not null) return await Upstream.ForwardAsync(context);
        if (Find(context) is not { } pull) return Problem(404, "Not Found");
        return Page(context, [.. pull.Change.Files.Take(ListFilesMax)], file => Json.File(pull, file));
    }

    async Task<IResult> ListCommitsAsync(HttpContext context)
    {
        if (Upstream is not null) return await Upstream.ForwardAsync(context);
        if (Find(context) is not { } pull) return Problem(404, "Not Found");
        // GitHub lists at most 250 commits of a pull request.
        var commits = pull.Change.Commits;
        return Page(context, [.. commits.Take(250).Select((commit, i) => (commit, i))],
            entry => Json.Commit(pull, entry.commit, entry.i == 0 ? pull.Change.BaseSha : commits[entry.i - 1].Sha));
    }

    async Task<IResult> CompareAsync(HttpContext context, string range)
    {
        if (Upstream is not null) return await Upstream.ForwardAsync(context);
        var ends = range.Split("...");
        if (Find(context) is not { } pull || ends.Length != 2) return Problem(404, "Not Found");
        var comparison = pull.Compare is { } compare
            ? await compare(ends[0], ends[1], context.RequestAborted)
            : OwnComparison(pull, ends[0], ends[1]);
        if (comparison is null) return Problem(404, "Not Found");
        if (context.Request.Headers.Accept.ToString().Contains("diff", StringComparison.Ordinal))
            return Diff(comparison.Change);

        // Commits are paged; files come with the first page only, at most 300 of them.
        var (page, size) = Paging(context, 250);
        var json = Json.Comparison(pull, comparison);
        var commits = comparison.Change.Commits.Skip((page - 1) * size).Take(size);
        json["commits"] = new JsonArray([.. commits.Select(commit => Json.Commit(pull, commit, comparison.MergeBase))]);
        var files = page == 1 ? comparison.Change.Files.Take(DiffFilesMax) : [];
        json["files"] = new JsonArray([.. files.Select(file => Json.File(pull, file))]);
        return JsonResult(json);
    }

    static Comparison? OwnComparison(PullRequest pull, string from, string to)
    {
        var change = pull.Change;
        if (from == change.BaseSha && to == change.HeadSha) return new("ahead", 0, from, change);
        if (from != to || from != change.HeadSha) return null;
        return new("identical", 0, from, change with { BaseSha = from, Commits = [], Files = [], Diff = default });
    }

    IResult ListComments(HttpContext context)
    {
        if (Find(context) is not { } pull) return Problem(404, "Not Found");
        Comment[] comments;
        lock (_lock) comments = [.. pull.Comments];
        return Page(context, comments, comment => Json.Comment(pull, comment));
    }

    async Task<IResult> CreateCommentAsync(HttpContext context)
    {
        if (Find(context) is not { } pull) return Problem(404, "Not Found");
        if (await BodyAsync(context) is not { } body) return Invalid();
        var comment = AddComment(pull, body, BotLogin, "Bot");
        if (Hook is not null) _ = NotifyAsync(pull, comment);
        context.Response.Headers.Location = $"{Address}repos/{pull.FullName}/issues/comments/{comment.Id}";
        return JsonResult(Json.Comment(pull, comment), 201);
    }

    /// <summary>GitHub tells its hooks of the bot's own comment too; a bot that answers itself shows here.</summary>
    async Task NotifyAsync(PullRequest pull, Comment comment)
    {
        try
        {
            using var response = await SendAsync("issue_comment", Json.CommentEvent(pull, comment, "NONE"), CancellationToken.None);
        }
        catch (Exception e) when (e is HttpRequestException or OperationCanceledException or ObjectDisposedException)
        {
            // A receiver that is down loses the delivery, as with GitHub.
        }
    }

    async Task<IResult> UpdateCommentAsync(HttpContext context, long id)
    {
        if (await BodyAsync(context) is not { } body) return Invalid();
        lock (_lock)
        {
            if (FindByComment(context, id) is not { } pull) return Problem(404, "Not Found");
            var at = pull.Comments.FindIndex(comment => comment.Id == id);
            pull.Comments[at] = pull.Comments[at] with { Body = body, UpdatedAt = _time.GetUtcNow() };
            return JsonResult(Json.Comment(pull, pull.Comments[at]));
        }
    }

    IResult GetComment(HttpContext context, long id)
    {
        lock (_lock)
        {
            return FindByComment(context, id) is { } pull
                ? JsonResult(Json.Comment(pull, pull.Comments.First(comment => comment.Id == id)))
                : Problem(404, "Not Found");
        }
    }

    /// <summary>Comments are addressed within their repository, not their pull request. Under the lock.</summary>
    PullRequest? FindByComment(HttpContext context, long id)
    {
        var name = $"{context.Request.RouteValues["owner"]}/{context.Request.RouteValues["repo"]}";
        return _pulls.Find(pull => pull.FullName.Equals(name, StringComparison.OrdinalIgnoreCase)
            && pull.Comments.Exists(comment => comment.Id == id));
    }

    static async Task<string?> BodyAsync(HttpContext context)
    {
        try
        {
            var json = await JsonNode.ParseAsync(context.Request.Body, cancellationToken: context.RequestAborted);
            var body = (string?)json?["body"];
            return body is { Length: > 0 and <= 65_536 } ? body : null;
        }
        catch (System.Text.Json.JsonException)
        {
            return null;
        }
    }

    static IResult Invalid() => Problem(422, "Validation Failed");

    static (int Page, int Size) Paging(HttpContext context, int sizeMax = 100)
    {
        int Number(string name, int fallback) =>
            int.TryParse(context.Request.Query[name], NumberStyles.None, CultureInfo.InvariantCulture, out var n) && n > 0
                ? n : fallback;
        return (Number("page", 1), Math.Min(Number("per_page", 30), sizeMax));
    }

    IResult Page<T>(HttpContext context, T[] entries, Func<T, JsonObject> shape)
    {
        var (page, size) = Paging(context);
        var last = Math.Max(1, (entries.Length + size - 1) / size);
        if (page < last)
        {
            string Link(int to, string relation) =>
                $"<{Address}{context.Request.Path.Value!.TrimStart('/')}?per_page={size}&page={to}>; rel=\"{relation}\"";
            context.Response.Headers.Link = $"{Link(page + 1, "next")}, {Link(last, "last")}";
        }

        return JsonResult(new JsonArray([.. entries.Skip((page - 1) * size).Take(size).Select(shape)]));
    }

    static IResult JsonResult(JsonNode json, int status = 200) =>
        Results.Text(json.ToJsonString(), "application/json", Encoding.UTF8, status);

    static IResult Problem(int status, string message, string? code = null)
    {
        JsonObject json = new() { ["message"] = message, ["documentation_url"] = "https://docs.github.com/rest" };
        if (code is not null) json["errors"] = new JsonArray(new JsonObject { ["resource"] = "PullRequest", ["code"] = code });
        json["status"] = status.ToString(CultureInfo.InvariantCulture);
        return JsonResult(json, status);
    }
}
