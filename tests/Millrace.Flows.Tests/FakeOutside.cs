using System.Text;
using System.Text.Json.Nodes;
using Millrace.Flows.Door;
using Millrace.Sandbox;

namespace Millrace.Flows.Tests;

/// <summary>How the far side behaves for one request.</summary>
public enum Weather
{
    Fair,
    /// <summary>Applies it and answers 502.</summary>
    AppliesThenFails,
    /// <summary>Applies nothing and answers 502.</summary>
    Fails,
    /// <summary>Refuses the connection.</summary>
    NoConnection,
    /// <summary>429 with Retry-After.</summary>
    Limits,
    /// <summary>Applies it and never answers.</summary>
    AppliesThenHangs,
}

/// <summary>
/// The world outside with a ledger of its own, answering <c>http.fetch</c>. It outlives platforms; assertions read the
/// ledger, never the platform's database.
/// </summary>
sealed class FakeOutside
{
    readonly Lock _lock = new();
    readonly List<(string Method, string Path, string Body)> _applied = [];
    readonly Queue<Weather> _weather = [];

    /// <summary>What POST, PUT and DELETE did.</summary>
    public IReadOnlyList<(string Method, string Path, string Body)> Applied
    {
        get { lock (_lock) return [.. _applied]; }
    }

    /// <summary>Requests that arrived, also those that changed nothing.</summary>
    public List<string> Seen { get; } = [];

    /// <summary>Called when a request has arrived and before it is answered.</summary>
    public Func<string, Task> Arrived { get; set; } = _ => Task.CompletedTask;

    /// <summary>How the next requests that change something are treated.</summary>
    public void Expect(params Weather[] weather)
    {
        lock (_lock)
        {
            foreach (var one in weather) _weather.Enqueue(one);
        }
    }

    public BuiltIn Fetch => new("http.fetch", KindOf, FetchAsync);

    static OperationKind KindOf(OperationRequest request) =>
        Method(request) is "GET" or "HEAD" ? OperationKind.Read : OperationKind.Write;

    async Task<OperationOutcome> FetchAsync(
        OperationContext context, OperationRequest request, CancellationToken cancel)
    {
        await Task.Yield();
        var (method, path) = (Method(request), (string)Head(request)["url"]!);
        var body = Encoding.UTF8.GetString(request.Body.Span);
        var weather = Weather.Fair;
        lock (_lock)
        {
            if (method != "GET" && _weather.TryDequeue(out var next)) weather = next;
        }
        if (weather == Weather.NoConnection) return Failed(context, FailureKind.NotSent);
        context.BeforeSend();
        var applies = method != "GET" && weather is not (Weather.Fails or Weather.Limits);
        lock (_lock)
        {
            Seen.Add($"{method} {path}");
            if (applies) _applied.Add((method, path, body));
        }
        await Arrived($"{method} {path}").WaitAsync(cancel);
        if (weather == Weather.AppliesThenHangs)
        {
            await Task.Delay(context.SendDeadline, context.Time, cancel);
            return Failed(context, FailureKind.InDoubt);
        }
        return weather switch
        {
            Weather.AppliesThenFails or Weather.Fails => Failed(context, FailureKind.Transient),
            Weather.Limits => Failed(context, FailureKind.NotSent) with { RetryAfter = TimeSpan.FromMilliseconds(5) },
            _ => Answer(context, method, path),
        };
    }

    OperationOutcome Answer(OperationContext context, string method, string path)
    {
        lock (_lock)
        {
            var matching = _applied.Where(a => a.Path == path).Select(a => (JsonNode)a.Body).ToArray();
            var body = method == "GET"
                ? new JsonArray(matching).ToJsonString()
                : $$"""{"id":{{_applied.Count}}}""";
            return new(new(ResultState.Done, """{"status":200}"""u8.ToArray(), Encoding.UTF8.GetBytes(body),
                Clock.Ns(context.Time)));
        }
    }

    static OperationOutcome Failed(OperationContext context, FailureKind failure) =>
        new(ErrorResult.Of(context.Time, ErrorResult.Unavailable, "The far side failed."), failure);

    static JsonObject Head(OperationRequest request) => (JsonObject)JsonNode.Parse(request.Head.Span)!;

    static string Method(OperationRequest request) => (string)Head(request)["method"]!;

    /// <summary>
    /// The integration's module: <c>read</c> GETs, <c>post</c> and <c>put</c> send their key along, <c>find</c> looks
    /// for it.
    /// </summary>
    public static int Integration(GuestDoor door)
    {
        var operation = JsonNode.Parse(door.Environment("MILLRACE_EVENT"))!["operation"]!;
        var (name, key) = ((string)operation["name"]!, (string)operation["key"]!);
        var head = JsonNode.Parse(door.Input[..door.Input.IndexOf('\n', StringComparison.Ordinal)])!;
        var text = (string?)head["text"] ?? "";
        switch (name)
        {
            case "read":
                return Print(door, door.Call("http.fetch", """{"method":"GET","url":"/posts"}"""));
            case "find_post":
                var found = door.Call("http.fetch", """{"method":"GET","url":"/posts"}""");
                if (found.State == ResultState.Error) return Print(door, found);
                var isThere = Encoding.UTF8.GetString(found.Body.Span).Contains(key, StringComparison.Ordinal);
                door.Write((isThere ? """{"found":{"id":7}}""" : """{"found":null}""") + "\n");
                return 0;
            case "twice":
                door.Call("http.fetch", """{"method":"POST","url":"/posts"}""", "first");
                return Print(door, door.Call("http.fetch", """{"method":"POST","url":"/posts"}""", "second"));
            case "charge":
                return Print(door, door.Call("http.fetch", """{"method":"POST","url":"/charges"}""", text));
            default:
                var url = name == "put" ? "/settings" : "/posts";
                var request = $$"""{"method":"POST","url":"{{url}}"}""";
                return Print(door, door.Call("http.fetch", request, name == "put" ? text : $"{text} {key}"));
        }
    }

    static int Print(GuestDoor door, OperationResult result)
    {
        if (result.State == ResultState.Error)
        {
            door.Write(Encoding.UTF8.GetString(result.Head.Span) + "\n");
            return 1;
        }
        var answer = new JsonObject { ["answer"] = JsonNode.Parse(result.Body.Span) };
        door.Write(answer.ToJsonString() + "\n");
        return 0;
    }

    public const string Manifest =
        """
        millrace: 1
        name: outside
        module: outside.wasm
        hosts: [outside.example]
        operations:
          read: {kind: read}
          find_post: {kind: read}
          post: {kind: write, find: find_post}
          put: {kind: write, repeat: safe}
          blind: {kind: write}
          twice: {kind: write}
          charge: {kind: paid}
        """;
}
