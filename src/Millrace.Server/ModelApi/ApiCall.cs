using System.Collections.Immutable;
using System.Runtime.CompilerServices;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;
using Millrace.Inference;

namespace Millrace.Server.ModelApi;

/// <summary>One request that was let in, and what it may use.</summary>
sealed class ApiCall(HttpContext context, ApiState state, ApiKey? key)
{
    // Of English in most vocabularies; counts only where a caller was gone before the model could say how many there were.
    const int CharactersPerToken = 4;

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

    /// <summary>Answers within the key's budget, counted.</summary>
    public async IAsyncEnumerable<Piece> GenerateAsync(
        Generation generation, [EnumeratorCancellation] CancellationToken cancel = default)
    {
        var count = generation.Jobs.Length;
        var wanted = generation.Jobs[0].MaxTokens;
        using var reserved = state.Budgets.Reserve(key, wanted < 0 ? -1 : (int)Math.Min((long)wanted * count, int.MaxValue));
        var each = reserved.Tokens < 0 ? -1 : Math.Max(1, reserved.Tokens / count);
        var limited = generation with { Jobs = [.. generation.Jobs.Select(job => job with { MaxTokens = each })] };
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancel, context.RequestAborted);
        var (begun, ends, pieces) = (state.Time.GetTimestamp(), new Dictionary<int, ChatEnd>(), 0);
        try
        {
            await using var running = limited.RunAsync(state.Usable().Client, stop.Token).GetAsyncEnumerator(stop.Token);
            while (await NextAsync(running))
            {
                if (pieces++ == 0) state.Metrics.FirstToken(generation.Model, state.Time.GetElapsedTime(begun));
                if (running.Current.Part.End is { } end) ends[running.Current.Choice] = end;
                yield return running.Current;
            }
        }
        finally
        {
            var usage = ends.Count > 0 ? generation.UsageOf(ends) : new(0, 0, 0);
            var unended = generation.Jobs.Where((_, i) => !ends.ContainsKey(i)).Sum(Characters) / CharactersPerToken;
            reserved.Used = usage.Total + (ends.Count < count ? unended + pieces : 0);
            state.Metrics.Generated(generation.Model, usage, state.Time.GetElapsedTime(begun));
        }
    }

    static long Characters(ChatJob job) => (job.Prompt?.Length ?? 0) + job.Turns.Sum(turn => (long)turn.Content.Length);

    static async ValueTask<bool> NextAsync(IAsyncEnumerator<Piece> pieces)
    {
        try
        {
            return await pieces.MoveNextAsync();
        }
        catch (InferenceException e)
        {
            throw ApiException.Of(e);
        }
    }

    public async Task<Embeddings> EmbedAsync(ModelFile model, ImmutableArray<string> texts)
    {
        using var reserved = state.Budgets.Reserve(key, 0);
        var begun = state.Time.GetTimestamp();
        try
        {
            var found = await state.Usable().Client.EmbedAsync(model.Path, texts, context.RequestAborted);
            reserved.Used = found.PromptTokens;
            state.Metrics.Generated(model.Name, new(found.PromptTokens, 0, 0), state.Time.GetElapsedTime(begun));
            return found;
        }
        catch (InferenceException e)
        {
            throw ApiException.Of(e);
        }
    }

    public Task WriteAsync(JsonObject answer) => context.Response.WriteAsJsonAsync(answer, context.RequestAborted);
}
