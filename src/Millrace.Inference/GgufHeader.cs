using System.Collections.Immutable;
using Millrace.Inference.Store;

namespace Millrace.Inference;

/// <summary>What a GGUF file says of itself, before its weights.</summary>
/// <param name="Version">Of the format.</param>
/// <param name="Values">
/// Metadata: <see cref="ulong"/>, <see cref="long"/>, <see cref="double"/>, <see cref="bool"/> and <see cref="string"/>;
/// of an array only its length, as <see cref="GgufArray"/>.
/// </param>
/// <param name="Parameters">Numbers in all tensors.</param>
/// <param name="MainType">How most of them are written, as <c>Q4_K</c>.</param>
/// <param name="Tensors">How many tensors.</param>
public sealed record GgufHeader(
    uint Version, ImmutableSortedDictionary<string, object> Values, ulong Parameters, string MainType, int Tensors)
{
    const int BufferBytes = 64 << 10;

    /// <summary>Whether an adapter's file changes norms.</summary>
    internal bool HasNorms { get; init; }

    /// <summary>As <c>llama</c>; empty where the file names none.</summary>
    public string Architecture => Text("general.architecture") ?? "";

    /// <summary>Tokens it was trained to take; null where the file does not say.</summary>
    public ulong? ContextTokens => Values.GetValueOrDefault($"{Architecture}.context_length") as ulong?;

    /// <summary>The Jinja template of its conversations; null where it has none.</summary>
    public string? ChatTemplate => Text("tokenizer.chat_template");

    /// <summary>As the file names it, an SPDX identifier mostly; null where it does not.</summary>
    public string? Licence => Text("general.license");

    /// <summary>Reads the header of a file; the weights are not touched.</summary>
    /// <exception cref="InferenceException">It is no GGUF file, or a damaged one: what, and at which byte.</exception>
    public static GgufHeader Read(string path)
    {
        try
        {
            using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, BufferBytes);
            return Read(file, path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new InferenceException("model-unavailable", $"{path} cannot be read: {e.Message}");
        }
    }

    /// <summary>Reads a header from a stream that knows its length.</summary>
    /// <param name="stream">At its start.</param>
    /// <param name="name">For messages.</param>
    /// <exception cref="InferenceException">It is no GGUF file, or a damaged one: what, and at which byte.</exception>
    public static GgufHeader Read(Stream stream, string name) => new GgufReader(stream, name).Read();

    /// <summary>A text of the metadata; null where there is none.</summary>
    public string? Text(string key) => Values.GetValueOrDefault(key) as string;
}

/// <summary>An array of the metadata, whose elements are not kept.</summary>
/// <param name="Length">How many elements.</param>
public sealed record GgufArray(ulong Length);
