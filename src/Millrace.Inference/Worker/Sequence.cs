using Millrace.Inference.Native;

namespace Millrace.Inference.Worker;

/// <summary>
/// Tokens in a context's memory: the first <see cref="Computed"/> are there, the rest waits. A sequence that writes has
/// one token waiting, one that reads its prompt has more.
/// </summary>
sealed class Sequence(int[] prompt)
{
    /// <summary>Prompt and answer.</summary>
    public List<int> Tokens { get; } = [.. prompt];

    /// <summary>Its number in the context; -1 while it has none.</summary>
    public int Number { get; set; } = -1;

    public int Computed { get; set; }

    public List<int> Cells { get; } = [];

    public int Waiting => Tokens.Count - Computed;

    public bool Writes => Waiting == 1 && Computed > 0;

    /// <summary>How many tokens of the beginning are the same.</summary>
    public int Common(Sequence other, int most)
    {
        var limit = Math.Min(Math.Min(Tokens.Count, other.Tokens.Count), most);
        var same = 0;
        while (same < limit && Tokens[same] == other.Tokens[same]) same++;
        return same;
    }
}

/// <summary>Who wants the tokens of a sequence.</summary>
interface ITokenSink
{
    /// <summary>No token is wanted any more; nobody is told.</summary>
    bool IsCancelled { get; }

    /// <summary>Chooses the next token after a place of the step just computed; null ends the sequence.</summary>
    int? Next(LlamaContext context, int index, Sequence sequence);

    /// <summary>There is no room for more, or computing failed. Told once, and last.</summary>
    void Fail(InferenceException reason);

    /// <summary>The room that a prompt of this length needs was found, so many tokens being there already.</summary>
    void Begin(int cachedTokens);
}
