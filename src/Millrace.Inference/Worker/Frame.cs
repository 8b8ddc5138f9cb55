using System.Buffers.Binary;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Millrace.Inference.Worker;

/// <summary>What a frame says.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<FrameKind>))]
enum FrameKind
{
    /// <summary>Worker to host, first: protocol and library version.</summary>
    Hello,
    /// <summary>Host to worker: answer a conversation.</summary>
    Chat,
    /// <summary>Host to worker: count a conversation's tokens.</summary>
    Count,
    /// <summary>Host to worker: load a model and tell its context.</summary>
    Describe,
    /// <summary>Host to worker: stop answering a request.</summary>
    Cancel,
    /// <summary>Worker to host: the answer.</summary>
    Reply,
    /// <summary>Worker to host: there is no answer.</summary>
    Error,
}

/// <summary>One message between host and worker: u32 length (little-endian), then this as JSON.</summary>
sealed record Frame(FrameKind Kind, long Id)
{
    /// <summary>Raised when the meaning of a frame changes; both sides are one executable, so no older one is spoken.</summary>
    public const int Protocol = 1;

    const int BytesMax = 64 << 20;

    public int? Version { get; init; }
    public ChatJob? Job { get; init; }
    public ChatReply? Reply { get; init; }
    public int? Tokens { get; init; }
    public string? ErrorType { get; init; }
    public string? Message { get; init; }

    public static async Task WriteAsync(Stream stream, Frame frame, CancellationToken cancel)
    {
        var json = JsonSerializer.SerializeToUtf8Bytes(frame);
        if (json.Length > BytesMax) throw new InferenceException("too-large", $"the prompt is larger than {BytesMax} bytes");
        var bytes = new byte[4 + json.Length];
        BinaryPrimitives.WriteInt32LittleEndian(bytes, json.Length);
        json.CopyTo(bytes, 4);
        await stream.WriteAsync(bytes, cancel);
    }

    /// <summary>The next frame, or null at the stream's end.</summary>
    /// <exception cref="InvalidDataException">The other side does not speak this protocol.</exception>
    public static async Task<Frame?> ReadAsync(Stream stream, CancellationToken cancel)
    {
        var head = new byte[4];
        var got = await stream.ReadAtLeastAsync(head, 4, throwOnEndOfStream: false, cancel);
        if (got < 4) return null;
        var length = BinaryPrimitives.ReadInt32LittleEndian(head);
        if (length is <= 0 or > BytesMax) throw new InvalidDataException($"a frame of {length} bytes");
        var json = new byte[length];
        await stream.ReadExactlyAsync(json, cancel);
        return JsonSerializer.Deserialize<Frame>(json) ?? throw new InvalidDataException("an empty frame");
    }
}
