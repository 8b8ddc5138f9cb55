using System.Text.Json;
using System.Text.Json.Nodes;
using Millrace.Flows.Door;
using Millrace.Flows.Manifests;
using Millrace.Sandbox;

namespace Millrace.Flows.Operations;

/// <summary>
/// <c>llm.chat</c> and <c>llm.models</c>. A local model is asked here; any other is the operation of an integration,
/// as a child run of the same operation: the host speaks no model server's protocol.
/// </summary>
sealed class ModelOperations(ILanguageModel? local, ModelRoutes routes)
{
    public BuiltIn Chat => new("llm.chat", _ => OperationKind.Paid, ChatAsync) { Reserve = ReserveAsync };

    public BuiltIn Models => new("llm.models", _ => OperationKind.Read, ModelsAsync);

    async Task<OperationOutcome> ModelsAsync(
        OperationContext context, OperationRequest request, CancellationToken cancel)
    {
        var grants = GrantsOf(context);
        var granted = (await routes.ListAsync(cancel)).RemoveAll(route => !grants.AllowsModel(route.Name));
        var head = new JsonObject
        {
            ["default"] = routes.Default(granted),
            ["models"] = new JsonArray([.. granted.Select(route => (JsonNode)new JsonObject
            {
                ["name"] = route.Name,
                ["context_tokens"] = route.ContextTokens,
                ["remote"] = route.IsRemote,
                ["passed"] = route.Passed,
                ["reason"] = route.Reason,
            })]),
        };
        return new OperationOutcome(Done(context, head));
    }

    async ValueTask<long> ReserveAsync(OperationContext context, OperationRequest request, CancellationToken cancel)
    {
        try
        {
            var head = ChatHead.Read(request.Head);
            var route = await FindAsync(context, head, cancel);
            // A remote model's tokenizer is not here; two bytes a token is on the safe side for text and code.
            var prompt = route.IsRemote
                ? head.Bytes / 2
                : await local!.CountTokensAsync(route.Name, head.Messages, cancel);
            return prompt + head.MaxTokens;
        }
        catch (Exception e) when (e is InvalidRequestException or DeniedException or LanguageModelException)
        {
            // Nothing will be spent: the attempt answers with this error.
            return 0;
        }
    }

    async Task<OperationOutcome> ChatAsync(
        OperationContext context, OperationRequest request, CancellationToken cancel)
    {
        try
        {
            var head = ChatHead.Read(request.Head);
            var route = await FindAsync(context, head, cancel);
            return route.IsRemote
                ? await AskRemoteAsync(context, route, head, cancel)
                : await AskLocalAsync(context, route, head, cancel);
        }
        catch (InvalidRequestException e)
        {
            return Error(context, ErrorResult.Invalid, e.Message);
        }
        catch (DeniedException e)
        {
            return Error(context, ErrorResult.Denied, e.Message);
        }
        catch (LanguageModelException e)
        {
            return Error(context, e.Type, e.Message, e.IsTransient ? FailureKind.Transient : FailureKind.Final);
        }
    }

    async Task<ModelRoute> FindAsync(OperationContext context, ChatHead head, CancellationToken cancel)
    {
        var grants = GrantsOf(context);
        if (head.Model is { } wanted && !grants.AllowsModel(wanted))
            throw new DeniedException($"The model '{wanted}' is not granted.");
        var granted = (await routes.ListAsync(cancel)).RemoveAll(route => !grants.AllowsModel(route.Name));
        var name = head.Model ?? routes.Default(granted)
            ?? throw new LanguageModelException(ErrorResult.ModelUnavailable, "There is no model.");
        return granted.FirstOrDefault(route => route.Name == name)
            ?? throw new LanguageModelException(ErrorResult.ModelUnavailable, $"There is no model '{name}'.");
    }

    async Task<OperationOutcome> AskLocalAsync(
        OperationContext context, ModelRoute route, ChatHead head, CancellationToken cancel)
    {
        var left = context.Deadline - context.Time.GetUtcNow();
        if (head.Timeout < left) left = head.Timeout.Value;
        using var timeout = new CancellationTokenSource(left > TimeSpan.Zero ? left : TimeSpan.Zero, context.Time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancel, timeout.Token);
        context.BeforeSend();
        try
        {
            var request = new ChatRequest(route.Name, head.Messages, head.MaxTokens)
            {
                Temperature = head.Temperature ?? 0,
                TopP = head.TopP ?? 1,
                Stop = head.Stop,
                Seed = head.Seed,
            };
            return Answered(context, route, await local!.ChatAsync(request, either.Token));
        }
        catch (OperationCanceledException) when (!cancel.IsCancellationRequested)
        {
            return Error(context, ErrorResult.TimeOut, "The model did not answer in time.");
        }
    }

    static OperationOutcome Answered(OperationContext context, ModelRoute route, ChatAnswer answer)
    {
        var head = new JsonObject
        {
            ["model"] = route.Name,
            ["content"] = answer.Content,
            ["finish_reason"] = answer.FinishReason,
            ["usage"] = new JsonObject
            {
                ["prompt_tokens"] = answer.PromptTokens,
                ["completion_tokens"] = answer.CompletionTokens,
            },
        };
        return new OperationOutcome(Done(context, head)) { Tokens = answer.PromptTokens + answer.CompletionTokens };
    }

    static async Task<OperationOutcome> AskRemoteAsync(
        OperationContext context, ModelRoute route, ChatHead head, CancellationToken cancel)
    {
        var request = new OperationRequest(route.Operation!, head.For(route.Name), default);
        var outcome = await context.CallIntegration(route.Connection!, request, cancel);
        return outcome with { Tokens = TokensOf(outcome.Result) };
    }

    /// <summary>Tokens as the far side reports them; 0 for an error, which it does not bill.</summary>
    static long TokensOf(OperationResult result)
    {
        if (result.State != ResultState.Done) return 0;
        try
        {
            using var head = JsonDocument.Parse(result.Head);
            if (!head.RootElement.TryGetProperty("usage", out var usage)) return 0;
            return Count(usage, "prompt_tokens") + Count(usage, "completion_tokens");
        }
        catch (JsonException)
        {
            return 0;
        }
    }

    static long Count(JsonElement usage, string name) =>
        usage.ValueKind == JsonValueKind.Object && usage.TryGetProperty(name, out var count)
        && count.ValueKind == JsonValueKind.Number && count.TryGetInt64(out var number) ? number : 0;

    static Grants GrantsOf(OperationContext context) => context.Flow?.Grants ?? context.Integration!.Grants;

    static OperationResult Done(OperationContext context, JsonObject head) =>
        new(ResultState.Done, JsonSerializer.SerializeToUtf8Bytes(head), default, Clock.Ns(context.Time));

    static OperationOutcome Error(
        OperationContext context, string type, string detail, FailureKind failure = FailureKind.Final) =>
        new(ErrorResult.Of(context.Time, type, detail), failure);
}
