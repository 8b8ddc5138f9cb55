using System.Text;
using System.Text.Json.Nodes;
using Millrace.Sandbox;

namespace Millrace.Guests.Tests;

/// <summary>
/// A pull request, a model and the flow's keys behind the door of the code-review function; it keeps between runs what
/// the world would keep.
/// </summary>
sealed class FakePullRequest
{
    readonly Dictionary<string, byte[]> _keys = [];
    long _nextComment = 101;

    public JsonObject Pull { get; } = new()
    {
        ["number"] = 7,
        ["title"] = "Change something",
        ["body"] = "",
        ["state"] = "open",
        ["draft"] = false,
        ["user"] = new JsonObject { ["login"] = "ann", ["type"] = "User" },
        ["head"] = new JsonObject { ["sha"] = "1111111111", ["ref"] = "change", ["repo"] = null },
        ["base"] = new JsonObject
        {
            ["sha"] = "bbbbbbbbbb",
            ["ref"] = "main",
            ["repo"] = new JsonObject { ["full_name"] = "acme/widgets" },
        },
        ["changed_files"] = 0,
        ["additions"] = 0,
        ["deletions"] = 0,
        ["commits"] = 1,
        ["html_url"] = "https://far.example/acme/widgets/pull/7",
    };

    public byte[] Patch { get; set; } = [];

    public JsonArray Files { get; set; } = [];

    public JsonArray Commits { get; set; } =
        [new JsonObject { ["sha"] = "1111111111", ["message"] = "Change something", ["author"] = "ann" }];

    /// <summary>What `compare` answers; null: the commits have nothing in common any more.</summary>
    public JsonNode? Comparison { get; set; }

    public List<JsonObject> Comments { get; } = [];

    /// <summary>The answer of `llm.models`.</summary>
    public JsonNode Models { get; set; } = new JsonObject { ["default"] = null, ["models"] = new JsonArray() };

    /// <summary>What the model answers to a prompt: a text, or an error result.</summary>
    public Func<JsonNode, Reply> Chat { get; set; } = _ => Says("");

    /// <summary>Operations that fail, and how.</summary>
    public Dictionary<string, Reply> Failures { get; } = [];

    public List<JsonNode> Prompts { get; } = [];

    public JsonObject Settings { get; set; } = [];

    public string Comment => (string)Assert.Single(Comments)["body"]!;

    public void ForgetKeys() => _keys.Clear();

    public static JsonNode OneModel(int contextTokens = 4096, bool passed = true, bool remote = false) => new JsonObject
    {
        ["default"] = "small",
        ["models"] = new JsonArray(new JsonObject
        {
            ["name"] = "small",
            ["context_tokens"] = contextTokens,
            ["remote"] = remote,
            ["passed"] = passed,
            ["reason"] = passed ? "" : "3 of 10 tasks",
        }),
    };

    public static Reply Says(string text, long takesMs = 2_000)
    {
        var completion = new JsonObject
        {
            ["model"] = "small",
            ["content"] = text,
            ["finish_reason"] = "stop",
            ["usage"] = new JsonObject { ["prompt_tokens"] = 100, ["completion_tokens"] = 20 },
        };
        return Reply.Done(completion) with { TakesMs = takesMs };
    }

    /// <summary>One run of the function for an event.</summary>
    public GuestRun Send(string type, JsonNode body) => GuestRun.Of(
        "code_review", Encoding.UTF8.GetBytes(body.ToJsonString()), Answer,
        ("MILLRACE_EVENT", new JsonObject { ["id"] = "e", ["type"] = type }), ("MILLRACE_SETTINGS", Settings));

    public GuestRun PullRequest(string action) => Send("github.pull_request", new JsonObject
    {
        ["action"] = action,
        ["number"] = 7,
        ["pull_request"] = new JsonObject { ["number"] = 7 },
        ["repository"] = new JsonObject { ["full_name"] = "acme/widgets" },
    });

    public GuestRun Say(string comment, string association, string userType) => Send("github.issue_comment", new JsonObject
    {
        ["action"] = "created",
        ["issue"] = new JsonObject { ["number"] = 7, ["pull_request"] = new JsonObject { ["url"] = "u" } },
        ["comment"] = new JsonObject
        {
            ["id"] = 55,
            ["body"] = comment,
            ["author_association"] = association,
            ["user"] = new JsonObject { ["login"] = "bob", ["type"] = userType },
        },
        ["sender"] = new JsonObject { ["login"] = "bob", ["type"] = userType },
        ["repository"] = new JsonObject { ["full_name"] = "acme/widgets" },
    });

    public GuestRun Failed(string outcome, string message, bool byComment = false) => Send("millrace.run.failed", new JsonObject
    {
        ["event"] = new JsonObject
        {
            ["type"] = byComment ? "github.issue_comment" : "github.pull_request",
            ["body"] = new JsonObject
            {
                [byComment ? "issue" : "pull_request"] = new JsonObject { ["number"] = 7 },
                ["repository"] = new JsonObject { ["full_name"] = "acme/widgets" },
            },
        },
        ["run"] = "r1",
        ["outcome"] = outcome,
        ["message"] = message,
        ["writes"] = new JsonArray(),
    });

    Reply Answer(OperationRequest request)
    {
        var head = JsonNode.Parse(request.Head.Span)!;
        CheckRequest(request.Name, head);
        if (Failures.TryGetValue(request.Name, out var failure)) return failure;
        return request.Name switch
        {
            "github.get_pull_request" => Reply.Done(Pull),
            "github.list_comments" => Reply.Done(new JsonObject { ["comments"] = Copy(new JsonArray([.. Comments.Select(Copy)])) }),
            "github.create_comment" => Create(head),
            "github.update_comment" => Update(head),
            "github.get_patch" => Reply.Done(new JsonObject(), Patch),
            "github.list_files" => Reply.Done(
                new JsonObject { ["files"] = Copy(Files), ["truncated"] = Files.Count >= 3000, ["patches_left_out"] = 0 }),
            "github.list_commits" => Reply.Done(new JsonObject { ["commits"] = Copy(Commits), ["truncated"] = false }),
            "github.compare" => Comparison is null ? Reply.Error("not-found", "GitHub answered 404") : Reply.Done(Comparison),
            "llm.models" => Reply.Done(Models),
            "llm.chat" => Ask(head),
            "kv.get" => _keys.TryGetValue((string)head["key"]!, out var value)
                ? Reply.Done(new JsonObject { ["found"] = true, ["version"] = 1 }, value)
                : Reply.Done(new JsonObject { ["found"] = false, ["version"] = 0 }),
            "kv.set" => Set(head, request.Body.ToArray()),
            var name => throw new InvalidOperationException($"the flow has no grant for {name}"),
        };
    }

    /// <summary>What a flow asks of an integration fits the integration's schemas.</summary>
    static void CheckRequest(string name, JsonNode head)
    {
        var (guest, operation) = (name.Split('.')[0], name.Split('.')[1]);
        if (guest == "github") new IntegrationSchemas(guest, operation).CheckRequest(head);
        if (name == "llm.chat") new IntegrationSchemas("openai", "chat").CheckRequest(head);
    }

    Reply Create(JsonNode head)
    {
        var id = _nextComment++;
        AddComment(id, $"{head["body"]}\n\n<!-- millrace:key{id} -->", "Bot", "NONE");
        return Reply.Done(new JsonObject { ["id"] = id, ["html_url"] = "u" });
    }

    public void AddComment(long id, string body, string userType, string association) => Comments.Add(new()
    {
        ["id"] = id,
        ["body"] = body,
        ["user"] = new JsonObject { ["login"] = "someone", ["type"] = userType },
        ["author_association"] = association,
        ["created_at"] = "2026-11-25T15:30:00Z",
        ["html_url"] = "u",
    });

    Reply Update(JsonNode head)
    {
        if (Comments.Find(c => (long)c["id"]! == (long)head["id"]!) is not { } comment)
            return Reply.Error("not-found", "GitHub answered 404");
        comment["body"] = head["body"]!.DeepClone();
        return Reply.Done(new JsonObject { ["id"] = head["id"]!.DeepClone(), ["html_url"] = "u" });
    }

    Reply Ask(JsonNode head)
    {
        Prompts.Add(head);
        return Chat(head);
    }

    Reply Set(JsonNode head, byte[] value)
    {
        _keys[(string)head["key"]!] = value;
        return Reply.Done(new JsonObject { ["version"] = 1 });
    }

    static T Copy<T>(T node) where T : JsonNode => (T)node.DeepClone();
}
