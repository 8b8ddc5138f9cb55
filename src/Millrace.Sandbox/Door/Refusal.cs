using System.Text;
using System.Text.Json;

namespace Millrace.Sandbox.Door;

/// <summary>Error results that the door gives by itself. They depend on the guest's own doing only.</summary>
static class Refusal
{
    public const int HeadBytesMax = 1 << 20;
    public const int BodyBytesMax = 32 << 20;

    /// <summary>Bytes of all requests that are open at one time.</summary>
    public const int OpenBytesMax = 64 << 20;

    public static readonly OperationResult TooManyOpen =
        Error("over-budget", "64 operations are open; take or cancel one first");

    static readonly OperationResult BadName =
        Error("invalid", "the operation's name is not UTF-8 text of 1 to 128 bytes");
    static readonly OperationResult BadHead = Error("invalid", "the head is not JSON");
    static readonly OperationResult HeadTooLarge = Error("too-large", "the head is over 1 MiB");
    static readonly OperationResult BodyTooLarge = Error("too-large", "the body is over 32 MiB");
    public static readonly OperationResult OpenTooLarge = Error("too-large", "open requests are over 64 MiB together");

    const int NameBytesMax = 128;

    static readonly UTF8Encoding StrictUtf8 = new(false, throwOnInvalidBytes: true);

    /// <summary>What is wrong with the content of a request; null when nothing is.</summary>
    public static OperationResult? Check(
        ReadOnlySpan<byte> name, ReadOnlySpan<byte> head, int bodyLength, out string text)
    {
        text = "";
        if (name.Length is 0 or > NameBytesMax) return BadName;
        try
        {
            text = StrictUtf8.GetString(name);
        }
        catch (DecoderFallbackException)
        {
            return BadName;
        }

        if (head.Length > HeadBytesMax) return HeadTooLarge;
        if (bodyLength > BodyBytesMax) return BodyTooLarge;
        return IsJson(head) ? null : BadHead;
    }

    /// <summary>Whether these bytes are one JSON value.</summary>
    public static bool IsJson(ReadOnlySpan<byte> head)
    {
        try
        {
            var reader = new Utf8JsonReader(head);
            while (reader.Read())
            {
                // The reader checks names and texts only when they are asked for.
                if (reader.TokenType is JsonTokenType.String or JsonTokenType.PropertyName) reader.GetString();
            }

            return head.Length > 0;
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            return false;
        }
    }

    static OperationResult Error(string type, string detail)
    {
        var title = type.Replace('-', ' ');
        var head = JsonSerializer.SerializeToUtf8Bytes(
            new Dictionary<string, string> { ["type"] = type, ["title"] = title, ["detail"] = detail });
        return new(ResultState.Error, head, default, 0);
    }
}
