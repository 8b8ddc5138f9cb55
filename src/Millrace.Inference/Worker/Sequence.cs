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
