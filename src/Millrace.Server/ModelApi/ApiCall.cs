using System.Collections.Immutable;
using System.Runtime.CompilerServices;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;
using Millrace.Inference;

namespace Millrace.Server.ModelApi;

/// <summary>One request that was let in, and what it may use.</summary>
sealed class ApiCall(HttpContext context, ApiState state, ApiKey? key)
{
    public HttpContext Context => context;

    public long Now => state.Time.GetUtcNow().ToUnixTimeSeconds();

    public static string NewId(string prefix) => prefix + Guid.NewGuid().ToString("N");

    /// <summary>The model that a request names; the default one where it names none.</summary>
    public ModelFile FindModel(JsonBody body)
    {
        var name = body.Text("model");
        var models = state.Usable();
        if (string.IsNullOrEmpty(name) && models.Default() is { } standard) return standard;
        return models.Files().FirstOrDefault(file => file.Name == name) ?? throw NoModel(name);
    }

    public static ApiException NoModel(string? name) => new(404, ApiException.InvalidRequest, "model_not_found",
        string.IsNullOrEmpty(name) ? "There is no model here; fetch one: millrace models pull"
            : $"There is no model '{name}'; GET /v1/models lists them.")
    { Parameter = "model" };

    /// <summary>Answers within the key's budget, counted. Of a request that fails, only what reached the caller is charged.</summary>
    public async IAsyncEnumerable<Piece> GenerateAsync(
        Generation generation, [EnumeratorCancellation] CancellationToken cancel = default)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancel, context.RequestAborted);
        var (reserved, tokens) = await ReserveAsync(generation, stop.Token);
        using var settled = reserved;
        var limited = generation with { Jobs = [.. generation.Jobs.Select(job => job with { MaxTokens = tokens })] };
        var (begun, ends, pieces) = (state.Time.GetTimestamp(), new Dictionary<int, ChatEnd>(), new int[generation.Jobs.Length]);
        var isWhole = false;
        try
        {
            await using var running = limited.RunAsync(state.Usable().Client, stop.Token).GetAsyncEnumerator(stop.Token);
            while (await TryAsync(running.MoveNextAsync, generation.FormatField))
            {
                var (choice, part) = running.Current;
                if (pieces.All(count => count == 0)) state.Metrics.FirstToken(generation.Model, state.Time.GetElapsedTime(begun));
                pieces[choice]++;
                if (part.End is { } end) ends[choice] = end;
                yield return running.Current;
            }

            isWhole = true;
        }
        finally
        {
            var isGone = context.RequestAborted.IsCancellationRequested;
            var usage = generation.UsageOf(ends, pieces, isGone);
            if (isWhole || isGone || context.Response.HasStarted) reserved.Used = usage.Total;
            state.Metrics.Generated(generation.Model, usage, state.Time.GetElapsedTime(begun));
        }
    }

    /// <summary>Sets aside what the prompts have and the answers may take; says how many tokens each may have.</summary>
    async Task<(ApiBudgets.Reservation Reserved, int Each)> ReserveAsync(Generation generation, CancellationToken cancel)
    {
        var (jobs, wanted) = (generation.Jobs, generation.Jobs[0].MaxTokens);
        if (key?.TokensPerDay is null) return (state.Budgets.Reserve(key, 0, 0), wanted);
        var client = state.Usable().Client;
        var prompts = await TryAsync(() => new ValueTask<int[]>(
            Task.WhenAll(generation.Prompts.Select(job => client.CountTokensAsync(job, cancel)))));
        var (read, room) = (prompts.Sum(one => (long)one), wanted);
        if (wanted < 0)
        {
            var facts = await TryAsync(() => new ValueTask<ModelFacts>(client.DescribeAsync(jobs[0].Model, cancel)));
            room = facts.ContextTokens - prompts.Max();
        }

        // Without room the model is asked all the same, for what it says of it.
        if (room < 1) return (state.Budgets.Reserve(key, 1, 1), wanted);
        var reserved = state.Budgets.Reserve(key, read + jobs.Length, read + ((long)room * jobs.Length));
        return (reserved, (int)Math.Min((reserved.Tokens - read) / jobs.Length, room));
    }

    /// <summary>All answers, each from its first piece to its last.</summary>
    public async Task<(ImmutableArray<WholeAnswer> Answers, Usage Usage)> GatherAsync(Generation generation)
    {
        var texts = generation.Jobs.Select(_ => new StringBuilder()).ToList();
        var tokens = generation.Jobs.Select(_ => new List<TokenChoice>()).ToList();
        var ends = new Dictionary<int, ChatEnd>();
        await foreach (var (choice, part) in GenerateAsync(generation))
        {
            texts[choice].Append(part.Text);
            tokens[choice].AddRange(part.Tokens);
            if (part.End is { } end) ends[choice] = end;
        }

        return ([.. texts.Select((text, i) => new WholeAnswer(text.ToString(), tokens[i], ends[i]))], generation.UsageOf(ends));
    }

    static async ValueTask<T> TryAsync<T>(Func<ValueTask<T>> act, string? formatField = null)
    {
        try
        {
            return await act();
        }
        catch (InferenceException e)
        {
            throw ApiException.Of(e, formatField);
        }
    }

    public async Task<Embeddings> EmbedAsync(ModelFile model, ImmutableArray<string> texts)
    {
        using var reserved = state.Budgets.Reserve(key, 1, 1);
        var begun = state.Time.GetTimestamp();
        var found = await TryAsync(() => new ValueTask<Embeddings>(
            state.Usable().Client.EmbedAsync(model.Path, texts, context.RequestAborted)));
        reserved.Used = found.PromptTokens;
        state.Metrics.Generated(model.Name, new(found.PromptTokens, 0, 0), state.Time.GetElapsedTime(begun));
        return found;
    }

    public Task WriteAsync(JsonObject answer) => context.Response.WriteAsJsonAsync(answer, context.RequestAborted);
}
