using System.Collections.Immutable;

namespace Millrace.Nn;

/// <summary>A model of the host's that a guest may load by its name.</summary>
/// <param name="Name">What the guest calls it.</param>
/// <param name="Encoding">How it is encoded; <see cref="NnEncoding.AutoDetect"/> looks at its first bytes.</param>
/// <param name="Target">Where it is to run.</param>
/// <param name="Paths">Its files, in the encoding's order.</param>
public sealed record NamedModel(string Name, NnEncoding Encoding, NnTarget Target, ImmutableArray<string> Paths)
{
    /// <summary>Its files as they were when they were granted; empty: they are taken as they are when they are loaded.</summary>
    public ImmutableArray<NnFile> Files { get; init; } = [];

    static readonly (string Word, NnEncoding Encoding)[] Encodings =
    [
        ("openvino", NnEncoding.OpenVino), ("onnx", NnEncoding.Onnx), ("tensorflow", NnEncoding.TensorFlow),
        ("pytorch", NnEncoding.PyTorch), ("tensorflowlite", NnEncoding.TensorFlowLite),
        ("autodetect", NnEncoding.AutoDetect), ("ggml", NnEncoding.Ggml), ("neuralspeed", NnEncoding.NeuralSpeed),
        ("burn", NnEncoding.Burn), ("whisper", NnEncoding.Whisper), ("mlx", NnEncoding.Mlx),
        ("piper", NnEncoding.Piper), ("chattts", NnEncoding.ChatTts), ("openvinogenai", NnEncoding.OpenVinoGenAi),
        ("bitnet", NnEncoding.BitNet), ("llama2", NnEncoding.Llama2),
    ];

    static readonly (string Word, NnTarget Target)[] Targets =
        [("cpu", NnTarget.Cpu), ("gpu", NnTarget.Gpu), ("tpu", NnTarget.Tpu), ("auto", NnTarget.Auto)];

    /// <summary>Reads <c>NAME:ENCODING:TARGET:PATH[:PATH…]</c>, as WasmEdge's <c>--nn-preload</c> has it.</summary>
    /// <exception cref="FormatException">A part is missing or unknown.</exception>
    public static NamedModel Parse(string text)
    {
        var parts = text.Split(':');
        if (parts.Length < 4) throw new FormatException("write NAME:ENCODING:TARGET:PATH, as default:GGML:AUTO:model.gguf");
        if (parts[0].Length == 0) throw new FormatException("the name is empty");
        var encoding = ParseEncoding(parts[1]);
        var target = Find(Targets, parts[2], "target");
        // A path of these may itself have a colon.
        ImmutableArray<string> paths = encoding is NnEncoding.Ggml or NnEncoding.BitNet
            ? [string.Join(':', parts[3..])] : [.. parts[3..]];
        if (paths.Contains("")) throw new FormatException("a path is empty");
        return new(parts[0], encoding, target, paths);
    }

    /// <summary>Reads the word for an encoding, in any case.</summary>
    /// <exception cref="FormatException">There is no such encoding.</exception>
    public static NnEncoding ParseEncoding(string word)
    {
        if (word.Equals("pytorchaoti", StringComparison.OrdinalIgnoreCase))
            throw new FormatException("pytorchaoti: models compiled to native code are not loaded; use pytorch with TorchScript");
        return Find(Encodings, word, "encoding");
    }

    static T Find<T>((string Word, T Value)[] words, string word, string kind)
    {
        foreach (var known in words)
            if (known.Word.Equals(word, StringComparison.OrdinalIgnoreCase)) return known.Value;
        throw new FormatException($"'{word}' is no {kind}: {string.Join(", ", words.Select(known => known.Word))}");
    }
}
