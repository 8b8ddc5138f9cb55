using System.Collections.Immutable;
using System.Text;
using System.Text.Encodings.Web;

namespace Millrace.Flows.Operations;

/// <summary>
/// Takes secrets out of what a far server answered, in the forms in which servers echo what they were sent: raw,
/// base64 (also inside a longer text), URL, JSON and hex. Guest and journal get the same scrubbed bytes.
/// </summary>
sealed class SecretScrubber
{
    static readonly byte[] Mark = "[secret]"u8.ToArray();

    /// <summary>A form shorter than this would hit texts that have nothing to do with the secret.</summary>
    const int FormBytesMin = 4;

    readonly ImmutableArray<byte[]> _forms;

    public SecretScrubber(IEnumerable<string> secrets)
    {
        _forms = [.. secrets.SelectMany(Forms)
            .Where(form => form.Length >= FormBytesMin)
            .Distinct(StringComparer.Ordinal)
            // The longest first: a shorter form may be a part of it.
            .OrderByDescending(form => form.Length)
            .Select(Encoding.UTF8.GetBytes)];
    }

    public string Scrub(string text) => _forms.IsEmpty || text.Length == 0
        ? text
        : Encoding.UTF8.GetString(Scrub(Encoding.UTF8.GetBytes(text)));

    /// <summary>The same array when nothing is to take out.</summary>
    public byte[] Scrub(byte[] bytes)
    {
        foreach (var form in _forms)
        {
            if (bytes.AsSpan().IndexOf(form) >= 0) bytes = Replace(bytes, form);
        }
        return bytes;
    }

    static byte[] Replace(ReadOnlySpan<byte> bytes, ReadOnlySpan<byte> form)
    {
        using var result = new MemoryStream(bytes.Length);
        for (var at = bytes.IndexOf(form); at >= 0; at = bytes.IndexOf(form))
        {
            result.Write(bytes[..at]);
            result.Write(Mark);
            bytes = bytes[(at + form.Length)..];
        }
        result.Write(bytes);
        return result.ToArray();
    }

    static IEnumerable<string> Forms(string secret)
    {
        var bytes = Encoding.UTF8.GetBytes(secret);
        yield return secret;
        var url = Uri.EscapeDataString(secret);
        yield return url;
        yield return LowerEscapes(url);
        yield return url.Replace("%20", "+", StringComparison.Ordinal);
        yield return JavaScriptEncoder.Default.Encode(secret);
        var json = JavaScriptEncoder.UnsafeRelaxedJsonEscaping.Encode(secret);
        yield return json;
        yield return json.Replace("/", "\\/", StringComparison.Ordinal);
        yield return Convert.ToHexStringLower(bytes);
        yield return Convert.ToHexString(bytes);
        for (var offset = 0; offset < 3; offset++)
        {
            var standard = Base64At(bytes, offset);
            yield return standard;
            yield return standard.Replace('+', '-').Replace('/', '_');
        }
    }

    /// <summary>
    /// The characters that the secret has in the base64 of a longer text, when it begins there at
    /// <paramref name="offset"/> modulo 3. Characters that also depend on its neighbours are left out.
    /// </summary>
    static string Base64At(byte[] secret, int offset)
    {
        var padded = new byte[offset + secret.Length];
        secret.CopyTo(padded, offset);
        var text = Convert.ToBase64String(padded);
        var first = (offset * 8 + 5) / 6;
        var end = padded.Length * 8 / 6;
        return end > first ? text[first..end] : "";
    }

    static string LowerEscapes(string url)
    {
        var text = new StringBuilder(url);
        for (var i = 0; i < text.Length; i++)
        {
            if (text[i] != '%') continue;
            text[i + 1] = char.ToLowerInvariant(text[i + 1]);
            text[i + 2] = char.ToLowerInvariant(text[i + 2]);
            i += 2;
        }
        return text.ToString();
    }
}
