using System.Collections.Immutable;
using System.Text;
using System.Text.Json.Nodes;
using Millrace.Flows.Door;
using Millrace.Flows.Manifests;
using Millrace.Flows.Operations;
using Millrace.Sandbox;

namespace Millrace.Flows.Tests.Operations;

public sealed class ModelOperationsTests
{
    const string Question = """{"messages":[{"role":"user","content":"Hello?"}],"max_tokens":10""";

    static readonly Connection Remote = new()
    {
        Name = "far",
        Integration = "wise",
        BaseUrl = "https://wise.example/v1",
        Settings = new JsonObject { ["models"] = new JsonArray("sage", "small"), ["context_tokens"] = 9000 },
    };

    static readonly Integration Wise = new()
    {
        Name = "wise",
        Module = "w.wasm",
        Operations = ImmutableDictionary<string, IntegrationOperation>.Empty.Add(
            "chat", new IntegrationOperation { Name = "chat", Kind = OperationKind.Paid }),
    };

    readonly FakeModel _local = new();
    readonly List<(string Connection, OperationRequest Request)> _calls = [];
    readonly Dictionary<string, ModelVerdict> _verdicts = [];
    string? _preferred;

    ModelOperations Operations(bool hasLocal = true) => new(hasLocal ? _local : null, new ModelRoutes(
        hasLocal ? _local : null, () => [Remote], name => name == "wise" ? Wise : null,
        key => _verdicts.GetValueOrDefault(key), _preferred));

    OperationContext Context(params string[] models) => OperationContexts.OfFunction(
        Grants.None with { Models = [.. models] }) with
    {
        CallIntegration = (connection, request, _) =>
        {
            _calls.Add((connection, request));
            return Task.FromResult(new OperationOutcome(new OperationResult(ResultState.Done,
                """{"model":"sage","content":"Yes.","finish_reason":"stop","usage":{"prompt_tokens":3,"completion_tokens":2}}"""u8
                    .ToArray(), default, 0)));
        },
    };

    static OperationRequest Request(string name, string head) => new(name, Encoding.UTF8.GetBytes(head), default);

    Task<OperationOutcome> ChatAsync(string head, params string[] models) =>
        Operations().Chat.Execute(Context(models), Request("llm.chat", head), default);

    static JsonNode HeadOf(OperationOutcome outcome) => JsonNode.Parse(outcome.Result.Head.Span)!;

    [Fact]
    public async Task A_local_model_is_asked_here()
    {
        var outcome = await ChatAsync(Question + ""","model":"near","stop":["x"],"seed":5}""", "*");

        Assert.Equal("Hello to you.", (string)HeadOf(outcome)["content"]!);
        Assert.Equal(7, outcome.Tokens);
        Assert.Empty(_calls);
        Assert.Equal(5, _local.Asked.Single().Seed);
    }

    [Fact]
    public async Task Any_other_model_is_its_connections_integration()
    {
        var outcome = await ChatAsync(Question + ""","model":"sage"}""", "*");

        Assert.Equal(5, outcome.Tokens);
        var (connection, request) = _calls.Single();
        Assert.Equal("far", connection);
        Assert.Equal("wise.chat", request.Name);
        Assert.Equal("sage", (string)JsonNode.Parse(request.Head.Span)!["model"]!);
        Assert.Empty(_local.Asked);
    }

    [Fact]
    public async Task A_request_without_a_model_goes_to_one_that_passed()
    {
        _verdicts["wise.example small"] = new ModelVerdict(true, "");

        await ChatAsync(Question + "}", "*");
        _preferred = "near";
        await ChatAsync(Question + "}", "*");

        Assert.Equal("small", (string)JsonNode.Parse(_calls.Single().Request.Head.Span)!["model"]!);
        Assert.Single(_local.Asked);
    }

    [Theory]
    [InlineData(""","model":"near"}""", "denied")]
    [InlineData(""","model":"small","top_p":2}""", "invalid")]
    [InlineData(""","model":"small","max_tokens":0}""", "invalid")]
    [InlineData(""","model":"small-none"}""", "model-unavailable")]
    [InlineData(""","model":"small","other":1}""", "invalid")]
    public async Task Refuses_with_a_type(string rest, string expected)
    {
        var outcome = await ChatAsync(Question + rest, "small*");

        Assert.Equal(expected, (string)HeadOf(outcome)["type"]!);
        Assert.Equal(FailureKind.Final, outcome.Failure);
        Assert.Empty(_calls);
    }

    [Theory]
    [InlineData("""{"max_tokens":1}""")]
    [InlineData("""{"messages":[],"max_tokens":1}""")]
    [InlineData("""{"messages":[{"role":"tool","content":"x"}],"max_tokens":1}""")]
    [InlineData("""{"messages":[{"role":"user","content":1}],"max_tokens":1}""")]
    [InlineData("""{"messages":[{"role":"user","content":"x"}]}""")]
    [InlineData("""{"messages":[{"role":"user","content":"x"}],"max_tokens":1,"stop":"x"}""")]
    public async Task Refuses_a_conversation_that_is_none(string head) =>
        Assert.Equal("invalid", (string)HeadOf(await ChatAsync(head, "*"))["type"]!);

    [Fact]
    public async Task A_dead_worker_is_an_error_that_may_be_asked_again()
    {
        _local.Failure = new LanguageModelException("model-unavailable", "The worker died.", isTransient: true);

        var outcome = await ChatAsync(Question + ""","model":"near"}""", "*");

        Assert.Equal("model-unavailable", (string)HeadOf(outcome)["type"]!);
        Assert.Equal(FailureKind.Transient, outcome.Failure);
    }

    [Fact]
    public async Task Reserves_the_prompt_and_the_most_that_may_be_answered()
    {
        var chat = Operations().Chat;

        Assert.Equal(4 + 10, await chat.Reserve!(Context("*"), Request("llm.chat", Question + ""","model":"near"}"""), default));
        Assert.Equal(3 + 10, await chat.Reserve!(Context("*"), Request("llm.chat", Question + ""","model":"sage"}"""), default));
        Assert.Equal(0, await chat.Reserve!(Context("*"), Request("llm.chat", "{}"), default));
    }

    [Fact]
    public async Task Lists_the_granted_models_with_what_the_check_said()
    {
        var outcome = await Operations().Models.Execute(Context("near", "s*"), Request("llm.models", "{}"), default);

        var models = HeadOf(outcome)["models"]!.AsArray();
        Assert.Equal(["near", "sage", "small"], models.Select(model => (string)model!["name"]!));
        Assert.Equal([false, true, true], models.Select(model => (bool)model!["remote"]!));
        Assert.Equal(9000, (int)models[1]!["context_tokens"]!);
        Assert.Equal("It has not been checked yet: millrace models check.", (string)models[1]!["reason"]!);
        Assert.Equal("near", (string)HeadOf(outcome)["default"]!);
    }

    [Fact]
    public async Task Without_any_model_there_is_no_default()
    {
        var outcome = await Operations(hasLocal: false).Models.Execute(Context("none"), Request("llm.models", "{}"), default);

        Assert.Equal("""{"default":null,"models":[]}""", HeadOf(outcome).ToJsonString());
    }

    sealed class FakeModel : ILanguageModel
    {
        public List<ChatRequest> Asked { get; } = [];

        public LanguageModelException? Failure { get; set; }

        public Task<ImmutableArray<LanguageModel>> ListAsync(CancellationToken cancel) =>
            Task.FromResult(ImmutableArray.Create(new LanguageModel("near", 2048, false, "It failed six of ten.")));

        public Task<int> CountTokensAsync(string model, ImmutableArray<ChatMessage> messages, CancellationToken cancel) =>
            Task.FromResult(4);

        public Task<ChatAnswer> ChatAsync(ChatRequest request, CancellationToken cancel)
        {
            Asked.Add(request);
            return Failure is null ? Task.FromResult(new ChatAnswer("Hello to you.", "stop", 4, 3)) : throw Failure;
        }
    }
}
