using System.Text;

namespace Millrace.Inference.Worker;

/// <summary>
/// An answer's bytes as text that can be handed out: whole characters only, and nothing that may yet become a stop text.
/// </summary>
sealed class AnswerText(IEnumerable<string> stops)
{
    readonly string[] _stops = [.. stops.Where(static stop => stop.Length > 0)];
    readonly Decoder _decoder = Encoding.UTF8.GetDecoder();
    readonly StringBuilder _held = new();

    /// <summary>Whether a stop text was reached: nothing comes after it.</summary>
    public bool IsStopped { get; private set; }

    /// <summary>Takes a token's bytes and answers what of the text is certain now.</summary>
    public string Add(ReadOnlySpan<byte> bytes)
    {
        Decode(bytes, isLast: false);
        return Release(isLast: false);
    }

    /// <summary>The rest: half a character becomes U+FFFD.</summary>
    public string Finish()
    {
        if (IsStopped) return "";
        Decode([], isLast: true);
        return Release(isLast: true);
    }

    void Decode(ReadOnlySpan<byte> bytes, bool isLast)
    {
        Span<char> chars = stackalloc char[Encoding.UTF8.GetMaxCharCount(Math.Min(bytes.Length, 256))];
        do
        {
            var step = bytes[..Math.Min(bytes.Length, 256)];
            bytes = bytes[step.Length..];
            _held.Append(chars[.._decoder.GetChars(step, chars, isLast && bytes.IsEmpty)]);
        }
        while (!bytes.IsEmpty);
    }

    string Release(bool isLast)
    {
        if (IsStopped || _held.Length == 0) return "";
        var text = _held.ToString();
        var at = _stops.Select(stop => text.IndexOf(stop, StringComparison.Ordinal)).Where(static at => at >= 0)
            .DefaultIfEmpty(-1).Min();
        IsStopped = at >= 0;
        var begun = isLast ? 0 : _stops.Select(stop => Begun(text, stop)).DefaultIfEmpty().Max();
        var certain = IsStopped ? at : text.Length - begun;
        _held.Remove(0, certain);
        return text[..certain];
    }

    /// <summary>How much of the text's end may be the beginning of the stop text.</summary>
    static int Begun(string text, string stop)
    {
        for (var length = Math.Min(stop.Length - 1, text.Length); length > 0; length--)
        {
            if (text.AsSpan(text.Length - length).SequenceEqual(stop.AsSpan(0, length))) return length;
        }

        return 0;
    }
}
