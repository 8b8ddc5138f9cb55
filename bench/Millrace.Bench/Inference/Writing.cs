using System.Diagnostics;
using Millrace.Inference;

namespace Millrace.Bench.Inference;

/// <summary>What an answer took.</summary>
/// <param name="First">To its first piece.</param>
/// <param name="Rest">From its first piece to its last.</param>
/// <param name="Tokens">Tokens of it; where it was broken off, its pieces.</param>
readonly record struct Writing(TimeSpan First, TimeSpan Rest, int Tokens)
{
    /// <summary>With the reading of the prompt.</summary>
    public double TokensPerSecond => Tokens / (First + Rest).TotalSeconds;

    /// <summary>Reads an answer to its end, or until its time is over.</summary>
    public static async Task<Writing> OfAsync(InferenceClient client, ChatJob job, TimeSpan most, CancellationToken cancel)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        limit.CancelAfter(most);
        var began = Stopwatch.GetTimestamp();
        TimeSpan? first = null;
        var pieces = 0;
        try
        {
            await foreach (var part in client.StreamAsync(job, limit.Token))
            {
                first ??= Stopwatch.GetElapsedTime(began);
                pieces = part.End?.CompletionTokens ?? pieces + 1;
            }
        }
        catch (OperationCanceledException) when (!cancel.IsCancellationRequested)
        {
            // What was written until now tells the speed.
        }

        var all = Stopwatch.GetElapsedTime(began);
        return new(first ?? all, all - (first ?? TimeSpan.Zero), pieces);
    }
}
