using System.Buffers.Binary;
using System.Collections.Immutable;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using Millrace.Inference.Native;
using Millrace.Inference.Proxy;

namespace Millrace.Inference.Worker;

/// <summary>What a frame says.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<FrameKind>))]
enum FrameKind
{
    /// <summary>Worker to host, first: protocol and library version.</summary>
    Hello,
    /// <summary>Host to worker: answer a conversation. Parts follow; the last one has the end.</summary>
    Chat,
    /// <summary>Host to worker: count a conversation's tokens.</summary>
    Count,
    /// <summary>Host to worker: turn a text into tokens.</summary>
    Tokenize,
    /// <summary>Host to worker: load a model and tell what it is.</summary>
    Describe,
    /// <summary>Host to worker: turn texts into vectors.</summary>
    Embed,
    /// <summary>Host to worker: stop answering a request.</summary>
    Cancel,
    /// <summary>Host to worker, and back as a reply: a graph or context for a guest.</summary>
    Nn,
    /// <summary>Host to worker, first: how to work.</summary>
    Settings,
    /// <summary>Host to worker: do what makes llama.cpp end the process. For tests.</summary>
    Abort,
    /// <summary>Worker to host: a long computation goes on.</summary>
    Alive,
    /// <summary>Worker to host: a piece of an answer; more follows.</summary>
    Part,
    /// <summary>Worker to host: the answer, or its last piece.</summary>
    Reply,
    /// <summary>Worker to host: there is no answer.</summary>
    Error,
}

/// <summary>
/// One message between host and worker: u32 lengths of head and body (little-endian), this as JSON, raw bytes. Where there
/// is no head, the body is a <see cref="Piece"/>.
/// </summary>
sealed record Frame(FrameKind Kind, long Id)
{
    /// <summary>Raised when the meaning of a frame changes; both sides are one executable, so no older one is spoken.</summary>
    public const int Protocol = 4;

    const int LengthsBytes = 8;

    /// <summary>Most bytes of a head, and of a body.</summary>
    public const int BytesMax = 64 << 20;

    // Between two processes of ours nothing needs the escapes that make a page of Chinese six times as long.
    static readonly JsonSerializerOptions Json = new()
    {
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    public int? Version { get; init; }
    public WorkerSettings? Settings { get; init; }
    public ChatJob? Job { get; init; }

    /// <summary>
    /// Whether the answer is wanted token by token as bytes, the token that ends it among them; of vectors, as the model gives them.
    /// </summary>
    public bool? IsRaw { get; init; }
    public string? Model { get; init; }

    /// <summary>How the model is loaded; null as usual.</summary>
    public ModelOptions? Options { get; init; }
    public ImmutableArray<string>? Texts { get; init; }
    public ChatPart? Part { get; init; }
    public int? Tokens { get; init; }
    public ModelFacts? Facts { get; init; }
    public NnMessage? Nn { get; init; }
    public string? ErrorType { get; init; }
    public string? Message { get; init; }
    public bool? IsTransient { get; init; }

    /// <summary>Whether it is the answer's form that is wrong.</summary>
    public bool? IsOfFormat { get; init; }

    /// <summary>Numbers that JSON would make long: tokens (i32), vectors (f32), tensors.</summary>
    [JsonIgnore]
    public ReadOnlyMemory<byte> Body { get; init; }

    /// <summary>What a request failed by. Only of what was foreseen are the words its own.</summary>
    public static Frame Failure(long id, Exception reason) => new(FrameKind.Error, id)
    {
        ErrorType = (reason as InferenceException)?.Type ?? "model-unavailable",
        IsOfFormat = (reason as InferenceException)?.IsOfFormat,
        Message = reason is InferenceException ? reason.Message
            : $"the request failed by a mistake of Millrace's own ({reason.GetType().Name}); others go on",
    };

    public static async Task WriteAsync(Stream stream, Frame frame, CancellationToken cancel) =>
        await stream.WriteAsync(frame.ToBytes(), cancel);

    /// <summary>The frame as it is sent, lengths and all.</summary>
    /// <exception cref="InferenceException">It is too large.</exception>
    public byte[] ToBytes()
    {
        if (Piece.TryWrite(this) is { } piece) return piece;
        var head = JsonSerializer.SerializeToUtf8Bytes(this, Json);
        if (head.Length > BytesMax || Body.Length > BytesMax)
            throw new InferenceException("too-large", $"a message to or from the model is larger than {BytesMax} bytes");
        var bytes = new byte[LengthsBytes + head.Length + Body.Length];
        BinaryPrimitives.WriteInt32LittleEndian(bytes, head.Length);
        BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(4), Body.Length);
        head.CopyTo(bytes, LengthsBytes);
        Body.CopyTo(bytes.AsMemory(LengthsBytes + head.Length));
        return bytes;
    }

    /// <summary>The next frame, or null at the stream's end.</summary>
    /// <exception cref="InvalidDataException">The other side does not speak this protocol.</exception>
    public static async Task<Frame?> ReadAsync(Stream stream, CancellationToken cancel)
    {
        var lengths = new byte[LengthsBytes];
        var got = await stream.ReadAtLeastAsync(lengths, LengthsBytes, throwOnEndOfStream: false, cancel);
        if (got < LengthsBytes) return null;
        var (head, bytes) = Room(lengths);
        await stream.ReadExactlyAsync(bytes, cancel);
        return Parse(head, bytes);
    }

    /// <summary>As <see cref="ReadAsync"/>, waiting on this thread.</summary>
    /// <exception cref="InvalidDataException">The other side does not speak this protocol.</exception>
    public static Frame? Read(Stream stream)
    {
        var lengths = new byte[LengthsBytes];
        if (stream.ReadAtLeast(lengths, LengthsBytes, throwOnEndOfStream: false) < LengthsBytes) return null;
        var (head, bytes) = Room(lengths);
        stream.ReadExactly(bytes);
        return Parse(head, bytes);
    }

    static (int Head, byte[] Bytes) Room(byte[] lengths)
    {
        var head = BinaryPrimitives.ReadInt32LittleEndian(lengths);
        var body = BinaryPrimitives.ReadInt32LittleEndian(lengths.AsSpan(4));
        if (head is < 0 or > BytesMax || body is < 0 or > BytesMax)
            throw new InvalidDataException($"a frame of {head} and {body} bytes");
        return (head, new byte[head + body]);
    }

    static Frame Parse(int head, byte[] bytes)
    {
        if (head == 0) return Piece.Read(bytes);
        var frame = JsonSerializer.Deserialize<Frame>(bytes.AsSpan(0, head), Json)
            ?? throw new InvalidDataException("an empty frame");
        return frame with { Body = bytes.AsMemory(head) };
    }
}
