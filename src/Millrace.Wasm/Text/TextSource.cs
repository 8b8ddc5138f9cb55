using System.Globalization;
using System.Text;

namespace Millrace.Wasm.Text;

/// <summary>A text and its positions: character offsets, and lines and columns for people.</summary>
sealed class TextSource(string text)
{
    static readonly UTF8Encoding Utf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    List<int>? _lineEnds;

    public string Text { get; } = text;

    /// <summary>Decodes UTF-8; the specification makes a text that is not UTF-8 malformed as a whole.</summary>
    public static TextSource FromUtf8(ReadOnlySpan<byte> bytes)
    {
        try
        {
            return new(Utf8.GetString(bytes));
        }
        catch (DecoderFallbackException fault)
        {
            throw new MalformedException("malformed UTF-8 encoding", Math.Max(0, fault.Index));
        }
    }

    /// <summary>A text in memory; a lone surrogate has no UTF-8 form.</summary>
    public static TextSource FromString(string text)
    {
        var source = new TextSource(text);
        var at = text.AsSpan().IndexOfAnyInRange('\ud800', '\udfff');
        for (; at >= 0 && at < text.Length; at++)
        {
            if (!char.IsSurrogate(text[at])) continue;
            if (!Rune.TryGetRuneAt(text, at, out _)) throw source.Error("malformed UTF-8 encoding", at);
            at++;
        }

        return source;
    }

    public MalformedException Error(string reason, int offset) => new(reason, offset, Locate(offset));

    /// <summary>Line and column of a character, both counted from one.</summary>
    public string Locate(int offset)
    {
        var before = Text.AsSpan(0, Math.Clamp(offset, 0, Text.Length));
        var column = before.Length - before.LastIndexOf('\n');
        return string.Create(CultureInfo.InvariantCulture, $"{LineOf(offset)}:{column}");
    }

    public int LineOf(int offset)
    {
        _lineEnds ??= FindLineEnds();
        var index = _lineEnds.BinarySearch(Math.Clamp(offset, 0, Text.Length));
        return 1 + (index < 0 ? ~index : index);
    }

    List<int> FindLineEnds()
    {
        var ends = new List<int>();
        for (var at = Text.IndexOf('\n'); at >= 0; at = Text.IndexOf('\n', at + 1)) ends.Add(at);
        return ends;
    }
}
