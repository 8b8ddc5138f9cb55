using System.Text;

namespace Millrace.Inference.Tests.Llama;

/// <summary>A small Llama network of random weights with a vocabulary of bytes, and adapters for it, as GGUF files.</summary>
sealed class RandomModel(int seed, int width = 32)
{
    const int Layers = 2;
    const int Heads = 4;
    const int Inner = 64;
    const int Rank = 4;
    const int Alignment = 32;
    const string Alpha = "adapter.lora.alpha";

    // One, that is half as much as the adapter's scale, for a rank of 4.
    const float AlphaValue = 2;

    readonly Dictionary<string, float[]> _weights = [];

    static readonly string[] Tokens =
        ["<unk>", "<s>", "</s>", .. Enumerable.Range(0, 256).Select(static b => $"<0x{b:X2}>"), "\u2581", "a", "b", "c"];

    /// <summary>Sizes of each matrix: what goes in, and what comes out.</summary>
    IEnumerable<(string Name, int In, int Out)> Matrices()
    {
        yield return ("token_embd.weight", width, Tokens.Length);
        yield return ("output.weight", width, Tokens.Length);
        for (var layer = 0; layer < Layers; layer++)
        {
            foreach (var name in (string[])["attn_q", "attn_k", "attn_v", "attn_output"])
                yield return ($"blk.{layer}.{name}.weight", width, width);
            yield return ($"blk.{layer}.ffn_gate.weight", width, Inner);
            yield return ($"blk.{layer}.ffn_up.weight", width, Inner);
            yield return ($"blk.{layer}.ffn_down.weight", Inner, width);
        }
    }

    /// <summary>Writes the model, with an adapter's product added to its weights where there is one.</summary>
    public void Write(string path, float scale = 0)
    {
        var random = new Random(seed);
        var tensors = new List<(string Name, int[] Sizes, float[] Values)>();
        foreach (var (name, @in, @out) in Matrices())
        {
            var values = Numbers(random, @in * @out, 1 / MathF.Sqrt(@in));
            if (scale != 0 && IsAdapted(name)) AddProduct(values, name, @in, @out, scale * AlphaValue / Rank);
            tensors.Add((name, [@in, @out], values));
        }

        for (var layer = 0; layer < Layers; layer++)
        {
            tensors.Add(($"blk.{layer}.attn_norm.weight", [width], Ones()));
            tensors.Add(($"blk.{layer}.ffn_norm.weight", [width], Ones()));
        }

        tensors.Add(("output_norm.weight", [width], Ones()));
        Write(path, Entries(), tensors);
    }

    float[] Ones() => [.. Enumerable.Repeat(1f, width)];

    // As real ones: neither the words' vectors nor norms.
    static bool IsAdapted(string name) => name.StartsWith("blk.", StringComparison.Ordinal) || name == "output.weight";

    void AddProduct(float[] values, string name, int @in, int @out, float factor)
    {
        var (a, b) = (Half(name, 'a', @in * Rank), Half(name, 'b', Rank * @out));
        for (var row = 0; row < @out; row++)
        {
            for (var column = 0; column < @in; column++)
            {
                for (var r = 0; r < Rank; r++) values[(row * @in) + column] += factor * b[(row * Rank) + r] * a[(r * @in) + column];
            }
        }
    }

    float[] Half(string name, char half, int count)
    {
        var key = $"{name}.lora_{half}";
        if (!_weights.TryGetValue(key, out var values)) _weights[key] = values = Numbers(new(key.Sum(static c => c) + seed), count, 0.3f);
        return values;
    }

    /// <summary>Writes an adapter of rank 4 for all matrices of the layers and the last one.</summary>
    public void WriteAdapter(string path, string architecture = "llama", bool hasNorm = false)
    {
        var tensors = new List<(string Name, int[] Sizes, float[] Values)>();
        foreach (var (name, @in, @out) in Matrices().Where(static one => IsAdapted(one.Name)))
        {
            tensors.Add(($"{name}.lora_a", [@in, Rank], Half(name, 'a', @in * Rank)));
            tensors.Add(($"{name}.lora_b", [Rank, @out], Half(name, 'b', Rank * @out)));
        }

        if (hasNorm) tensors.Add(("output_norm.weight", [width], Ones()));
        Write(
            path,
            [
                ("general.type", "adapter"), ("general.architecture", architecture), ("adapter.type", "lora"), (Alpha, AlphaValue),
            ],
            tensors);
    }

    (string Key, object Value)[] Entries() =>
    [
        ("general.architecture", "llama"), ("llama.context_length", 256), ("llama.embedding_length", width),
        ("llama.block_count", Layers), ("llama.feed_forward_length", Inner), ("llama.attention.head_count", Heads),
        ("llama.attention.head_count_kv", Heads), ("llama.attention.layer_norm_rms_epsilon", 1e-5f),
        ("llama.rope.dimension_count", width / Heads), ("tokenizer.ggml.model", "llama"), ("tokenizer.ggml.tokens", Tokens),
        ("tokenizer.ggml.scores", Tokens.Select(static (_, i) => -(float)i).ToArray()),
        ("tokenizer.ggml.token_type", Tokens.Select(static (_, i) => i < 3 ? 3 : i < 259 ? 6 : 1).ToArray()),
        ("tokenizer.ggml.bos_token_id", 1), ("tokenizer.ggml.eos_token_id", 2), ("tokenizer.ggml.unknown_token_id", 0),
        ("tokenizer.chat_template", "{% for message in messages %}{{ message.content }}{% endfor %}"),
    ];

    static float[] Numbers(Random random, int count, float spread) =>
        [.. Enumerable.Range(0, count).Select(_ => ((random.NextSingle() * 2) - 1) * spread)];

    static void Write(
        string path, (string Key, object Value)[] entries, List<(string Name, int[] Sizes, float[] Values)> tensors)
    {
        using var file = new BinaryWriter(File.Create(path));
        file.Write("GGUF"u8);
        file.Write(3);
        file.Write((long)tensors.Count);
        file.Write((long)entries.Length);
        foreach (var (key, value) in entries)
        {
            Text(file, key);
            Value(file, value);
        }

        long offset = 0;
        foreach (var (name, sizes, values) in tensors)
        {
            Text(file, name);
            file.Write(sizes.Length);
            foreach (var size in sizes) file.Write((long)size);
            file.Write(0);
            file.Write(offset);
            offset += Padded(values.Length * sizeof(float));
        }

        Pad(file);
        foreach (var (_, _, values) in tensors)
        {
            foreach (var number in values) file.Write(number);
            Pad(file);
        }
    }

    static void Value(BinaryWriter file, object value)
    {
        var type = value switch { int => 5, float => 6, string => 8, _ => 9 };
        file.Write(value is int ? 4 : type);
        if (value is int whole) file.Write(whole);
        else if (value is float number) file.Write(number);
        else if (value is string text) Text(file, text);
        else Values(file, (Array)value);
    }

    static void Values(BinaryWriter file, Array values)
    {
        file.Write(values switch { string[] => 8, float[] => 6, _ => 5 });
        file.Write((long)values.Length);
        foreach (var value in values)
        {
            if (value is string text) Text(file, text);
            else if (value is float number) file.Write(number);
            else file.Write((int)value);
        }
    }

    static void Text(BinaryWriter file, string text)
    {
        var bytes = Encoding.UTF8.GetBytes(text);
        file.Write((long)bytes.Length);
        file.Write(bytes);
    }

    static long Padded(long bytes) => (bytes + Alignment - 1) / Alignment * Alignment;

    static void Pad(BinaryWriter file)
    {
        while (file.BaseStream.Position % Alignment != 0) file.Write((byte)0);
    }
}
