using System.Collections.Immutable;
using System.Runtime.CompilerServices;
using System.Threading.Channels;
using Millrace.Inference;

namespace Millrace.Server.ModelApi;

/// <summary>What answers took together.</summary>
/// <param name="Prompt">Tokens read; a prompt that several answers share counts once.</param>
/// <param name="Cached">How many of them were there already.</param>
/// <param name="Completion">Tokens written.</param>
sealed record Usage(int Prompt, int Cached, int Completion)
{
    public int Total => Prompt + Completion;
}

/// <summary>One piece of one of the answers to a request.</summary>
readonly record struct Piece(int Choice, ChatPart Part);

/// <summary>One of the answers to a request.</summary>
sealed record WholeAnswer(string Text, IReadOnlyList<TokenChoice> Tokens, ChatEnd End);

/// <summary>Answers of one request, at once; who stops reading stops the model.</summary>
/// <param name="Model">As the caller names it.</param>
/// <param name="Jobs">One for each answer.</param>
sealed record Generation(string Model, ImmutableArray<ChatJob> Jobs)
{
    // What a reader that lags behind may leave lying, over all answers.
    const int PiecesMax = 256;

    // Of English in most vocabularies; counts only where an answer broke off before the model could say how many there were.
    const int CharactersPerToken = 4;

    /// <summary>Answers that share one prompt: their seeds differ.</summary>
    public static Generation Of(string model, ChatJob job, int choices) => new(model, [.. Enumerable.Range(0, choices)
        .Select(i => job with { Sampling = job.Sampling with { Seed = unchecked(job.Sampling.Seed + (uint)i) } })]);

    /// <summary>Where the request has the schema of its answer.</summary>
    public string SchemaField { get; init; } = "response_format.json_schema.schema";

    /// <summary>Where the request says what form the answer must have.</summary>
    public string FormatField => Jobs[0].Format.Kind == AnswerKind.Grammar ? "grammar" : SchemaField;

    /// <summary>Which tokens were read: the prompt of each answer, or of the first where all share it.</summary>
    public bool SharesPrompt { get; init; } = true;

    /// <summary>A job for each prompt that is read.</summary>
    public IEnumerable<ChatJob> Prompts => SharesPrompt ? Jobs.Take(1) : Jobs;

    public Usage UsageOf(IReadOnlyDictionary<int, ChatEnd> ends)
    {
        var read = SharesPrompt ? ends.Where(end => end.Key == ends.Keys.Min()).ToList() : [.. ends];
        return new(
            read.Sum(end => end.Value.PromptTokens), read.Sum(end => end.Value.CachedTokens),
            ends.Values.Sum(end => end.CompletionTokens));
    }

    /// <summary>What was used in the end, also by answers that have none: a piece is about a token.</summary>
    /// <param name="ends">Of the answers that have one.</param>
    /// <param name="pieces">How many came of each answer.</param>
    /// <param name="isCallerGone">Whether answers were read for, of which nothing came; else the model refused them.</param>
    public Usage UsageOf(IReadOnlyDictionary<int, ChatEnd> ends, int[] pieces, bool isCallerGone)
    {
        var usage = UsageOf(ends);
        var broken = Enumerable.Range(0, Jobs.Length).Where(i => !ends.ContainsKey(i) && (isCallerGone || pieces[i] > 0)).ToList();
        var read = !SharesPrompt ? broken : ends.Count > 0 ? [] : broken.Take(1);
        return usage with
        {
            Prompt = usage.Prompt + (int)(read.Sum(i => Characters(Jobs[i])) / CharactersPerToken),
            Completion = usage.Completion + broken.Sum(i => pieces[i]),
        };
    }

    static long Characters(ChatJob job) => (job.Prompt?.Length ?? 0) + job.Turns.Sum(turn => (long)turn.Content.Length);

    public IAsyncEnumerable<Piece> RunAsync(InferenceClient client, CancellationToken cancel) =>
        Jobs.Length == 1 ? OneAsync(client, cancel) : ManyAsync(client, cancel);

    async IAsyncEnumerable<Piece> OneAsync(InferenceClient client, [EnumeratorCancellation] CancellationToken cancel)
    {
        await foreach (var part in client.StreamAsync(Jobs[0], cancel)) yield return new(0, part);
    }

    async IAsyncEnumerable<Piece> ManyAsync(InferenceClient client, [EnumeratorCancellation] CancellationToken cancel)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        var pieces = Channel.CreateBounded<Piece>(PiecesMax);
        var all = Task.WhenAll(Jobs.Select((_, i) => FillAsync(client, i, pieces.Writer, stop.Token)));
        var closed = all.ContinueWith(
            done => pieces.Writer.TryComplete(done.Exception?.InnerException), CancellationToken.None,
            TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
        try
        {
            await foreach (var piece in pieces.Reader.ReadAllAsync(cancel)) yield return piece;
        }
        finally
        {
            await stop.CancelAsync();
            await closed;
        }
    }

    async Task FillAsync(InferenceClient client, int choice, ChannelWriter<Piece> pieces, CancellationToken cancel)
    {
        try
        {
            await foreach (var part in client.StreamAsync(Jobs[choice], cancel)) await pieces.WriteAsync(new(choice, part), cancel);
        }
        catch (InferenceException e)
        {
            // One answer that fails fails the request: the others are not waited for.
            pieces.TryComplete(e);
            throw;
        }
    }
}
