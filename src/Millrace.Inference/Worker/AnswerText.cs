using System.Text;

namespace Millrace.Inference.Worker;

/// <summary>
/// An answer's bytes as text that can be handed out: whole characters only, and nothing that may yet become a stop text
/// or the beginning of a call.
/// </summary>
/// <param name="stops">Texts that end the answer.</param>
/// <param name="call">How a call begins; null where there are none, empty where the whole answer is one.</param>
sealed class AnswerText(IEnumerable<string> stops, string? call = null)
{
    readonly string[] _stops = [.. stops.Where(static stop => stop.Length > 0)];
    readonly Decoder _decoder = Encoding.UTF8.GetDecoder();
    readonly StringBuilder _held = new();
    bool _isCalling = call is "";

    /// <summary>Whether a stop text was reached: nothing comes after it.</summary>
    public bool IsStopped { get; private set; }

    /// <summary>From the beginning of the first call on; null before it.</summary>
    public string? Calls => _isCalling ? _held.ToString() : null;

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
        Span<char> chars = stackalloc char[Encoding.UTF8.GetMaxCharCount(256)];
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
        if (IsStopped || _isCalling || _held.Length == 0) return "";
        var text = _held.ToString();
        var stop = _stops.Select(stop => text.IndexOf(stop, StringComparison.Ordinal)).Where(static at => at >= 0)
            .DefaultIfEmpty(text.Length).Min();
        var callAt = call is null ? -1 : text.IndexOf(call, StringComparison.Ordinal);
        _isCalling = callAt >= 0 && callAt < stop;
        IsStopped = !_isCalling && stop < text.Length;
        var certain = _isCalling ? callAt : IsStopped ? stop : isLast ? text.Length : text.Length - Begun(text);
        _held.Remove(0, certain);
        return text[..certain];
    }

    int Begun(string text) => _stops.Append(call ?? "").Max(mark => Begun(text, mark));

    /// <summary>How much of the text's end may be the beginning of the mark.</summary>
    static int Begun(string text, string mark)
    {
        for (var length = Math.Min(mark.Length - 1, text.Length); length > 0; length--)
        {
            if (text.AsSpan(text.Length - length).SequenceEqual(mark.AsSpan(0, length))) return length;
        }

        return 0;
    }
}
