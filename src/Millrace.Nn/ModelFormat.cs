using System.Text;

namespace Millrace.Nn;

/// <summary>Tells a model's encoding from what it looks like.</summary>
public static class ModelFormat
{
    /// <summary>Bytes of a file's beginning that are enough.</summary>
    public const int HeadBytes = 256;

    /// <summary>The encoding that a file's ending names; null where it names none.</summary>
    public static NnEncoding? OfPath(string path) => Path.GetExtension(path).ToLowerInvariant() switch
    {
        ".onnx" => NnEncoding.Onnx,
        ".tflite" => NnEncoding.TensorFlowLite,
        ".xml" => NnEncoding.OpenVino,
        ".pb" => NnEncoding.TensorFlow,
        ".pt" or ".torchscript" => NnEncoding.PyTorch,
        ".gguf" => NnEncoding.Ggml,
        _ => null,
    };

    /// <summary>The encoding that a model's first bytes show; null where they show none.</summary>
    public static NnEncoding? OfBytes(ReadOnlySpan<byte> head)
    {
        if (head.StartsWith("GGUF"u8)) return NnEncoding.Ggml;
        if (head.Length >= 8 && head[4..8].SequenceEqual("TFL3"u8)) return NnEncoding.TensorFlowLite;
        if (head.StartsWith("PK\x03\x04"u8)) return NnEncoding.PyTorch;
        if (head.StartsWith("24ka"u8)) return NnEncoding.Llama2;
        if (IsXml(head)) return NnEncoding.OpenVino;
        // Protocol buffers: an ONNX model begins with its version, a number; a GraphDef with a node, or only a version of
        // its own far behind.
        if (head.Length >= 2 && head[0] == 0x08) return NnEncoding.Onnx;
        return head.Length >= 4 && head[0] == 0x0a && IsNode(head[1..]) ? NnEncoding.TensorFlow : null;
    }

    static bool IsXml(ReadOnlySpan<byte> head)
    {
        if (head.StartsWith("\uFEFF"u8)) head = head[3..];
        var text = Encoding.Latin1.GetString(head).TrimStart();
        return text.StartsWith("<?xml", StringComparison.Ordinal) || text.StartsWith("<net", StringComparison.Ordinal);
    }

    // Its length, then its own first field, the name.
    static bool IsNode(ReadOnlySpan<byte> bytes)
    {
        var at = 0;
        while (at < bytes.Length && bytes[at] >= 0x80) at++;
        return at + 1 < bytes.Length && bytes[at + 1] == 0x0a;
    }
}
