using System.Runtime.InteropServices;
using System.Text;

namespace Millrace.Bench.Llama2;

/// <summary>How a matrix is stored, as GGUF numbers it.</summary>
enum WeightKind
{
    F32 = 0,
    F16 = 1,
    Q8 = 8,
}

/// <summary>The sizes of a network of Llama's architecture.</summary>
readonly record struct ModelShape(int Dim, int Hidden, int Layers, int Heads, int Vocab, int Context)
{
    /// <summary>Of a published model of 15 million parameters for stories.</summary>
    public static ModelShape Stories15M => new(288, 768, 6, 6, 32_000, 256);
}

/// <summary>A GGUF file of random weights: what it writes is no text, what it costs is what a trained one costs.</summary>
sealed class RandomModel : IDisposable
{
    const int Alignment = 32;
    const int BlockElements = 32;
    const int FirstText = 259;
    const uint TypeU32 = 4;
    const uint TypeI32 = 5;
    const uint TypeF32 = 6;
    const uint TypeText = 8;
    const uint TypeArray = 9;

    readonly BinaryWriter _file;
    readonly ModelShape _shape;
    readonly WeightKind _kind;
    readonly Random _random;

    RandomModel(Stream file, ModelShape shape, WeightKind kind, int seed) =>
        (_file, _shape, _kind, _random) = (new(file), shape, kind, new(seed));

    public static void Write(string path, ModelShape shape, WeightKind kind, int seed)
    {
        using var stream = File.Create(path);
        using var model = new RandomModel(stream, shape, kind, seed);
        model.Write();
    }

    public void Dispose() => _file.Dispose();

    void Write()
    {
        (string Name, int Rows, int Columns)[] tensors = [.. Tensors()];
        (string Name, Action Value)[] values = [.. Values()];
        _file.Write("GGUF"u8);
        _file.Write(3);
        _file.Write((long)tensors.Length);
        _file.Write((long)values.Length);
        foreach (var (name, value) in values)
        {
            Text(name);
            value();
        }

        var offset = 0L;
        foreach (var (name, rows, columns) in tensors)
        {
            Text(name);
            _file.Write(rows > 0 ? 2 : 1);
            _file.Write((long)columns);
            if (rows > 0) _file.Write((long)rows);
            _file.Write((int)KindOf(rows));
            _file.Write(offset);
            offset += Padded(Bytes(rows, columns));
        }

        Pad();
        foreach (var (_, rows, columns) in tensors)
        {
            for (var row = 0; row < Math.Max(1, rows); row++) Row(rows, columns);
            Pad();
        }
    }

    IEnumerable<(string Name, int Rows, int Columns)> Tensors()
    {
        var (dim, hidden) = (_shape.Dim, _shape.Hidden);
        yield return ("token_embd.weight", _shape.Vocab, dim);
        for (var layer = 0; layer < _shape.Layers; layer++)
        {
            yield return ($"blk.{layer}.attn_norm.weight", 0, dim);
            foreach (var name in (string[])["attn_q", "attn_k", "attn_v", "attn_output"]) yield return ($"blk.{layer}.{name}.weight", dim, dim);
            yield return ($"blk.{layer}.ffn_norm.weight", 0, dim);
            yield return ($"blk.{layer}.ffn_gate.weight", hidden, dim);
            yield return ($"blk.{layer}.ffn_down.weight", dim, hidden);
            yield return ($"blk.{layer}.ffn_up.weight", hidden, dim);
        }

        yield return ("output_norm.weight", 0, dim);
    }

    IEnumerable<(string Name, Action Value)> Values()
    {
        yield return Word("general.architecture", "llama");
        yield return Number("llama.context_length", _shape.Context);
        yield return Number("llama.embedding_length", _shape.Dim);
        yield return Number("llama.block_count", _shape.Layers);
        yield return Number("llama.feed_forward_length", _shape.Hidden);
        yield return Number("llama.attention.head_count", _shape.Heads);
        yield return Number("llama.attention.head_count_kv", _shape.Heads);
        yield return Number("llama.rope.dimension_count", _shape.Dim / _shape.Heads);
        yield return ("llama.attention.layer_norm_rms_epsilon", () => Typed(TypeF32, BitConverter.GetBytes(1e-5f)));
        yield return Word("tokenizer.ggml.model", "llama");
        yield return Array("tokenizer.ggml.tokens", TypeText, token => Text(Piece(token)));
        yield return Array("tokenizer.ggml.scores", TypeF32, token => _file.Write((float)-token));
        // Unknown, begin and end; bytes; text.
        yield return Array("tokenizer.ggml.token_type", TypeI32, static token => token == 0 ? 2 : token < 3 ? 3 : token < FirstText ? 6 : 1);
        yield return Number("tokenizer.ggml.bos_token_id", 1);
        yield return Number("tokenizer.ggml.eos_token_id", 2);
    }

    static string Piece(int token) => token switch
    {
        0 => "<unk>",
        1 => "<s>",
        2 => "</s>",
        < FirstText => $"<0x{token - 3:X2}>",
        _ => $"w{token}",
    };

    (string, Action) Number(string name, int value) => (name, () => Typed(TypeU32, BitConverter.GetBytes(value)));

    (string, Action) Word(string name, string value) => (name, () => Put(TypeText, () => Text(value)));

    (string, Action) Array(string name, uint type, Func<int, int> value) => Array(name, type, token => _file.Write(value(token)));

    (string, Action) Array(string name, uint type, Action<int> write) => (name, () => Put(TypeArray, () => Each(type, write)));

    void Each(uint type, Action<int> write)
    {
        _file.Write(type);
        _file.Write((long)_shape.Vocab);
        for (var token = 0; token < _shape.Vocab; token++) write(token);
    }

    void Put(uint type, Action write)
    {
        _file.Write(type);
        write();
    }

    void Typed(uint type, byte[] value) => Put(type, () => _file.Write(value));

    void Text(string text)
    {
        _file.Write((long)text.Length);
        _file.Write(Encoding.ASCII.GetBytes(text));
    }

    // Norms are reals in every file.
    WeightKind KindOf(int rows) => rows == 0 ? WeightKind.F32 : _kind;

    long Bytes(int rows, int columns)
    {
        var elements = (long)Math.Max(1, rows) * columns;
        return KindOf(rows) switch
        {
            WeightKind.F32 => elements * 4,
            WeightKind.F16 => elements * 2,
            _ => elements / BlockElements * (BlockElements + 2),
        };
    }

    static long Padded(long bytes) => (bytes + (Alignment - 1)) & -Alignment;

    void Pad()
    {
        while (_file.BaseStream.Position % Alignment != 0) _file.Write((byte)0);
    }

    void Row(int rows, int columns)
    {
        var values = new float[columns];
        // So that what a layer gives out is as large as what it takes in.
        var most = MathF.Sqrt(3f / columns);
        foreach (ref var value in values.AsSpan()) value = rows == 0 ? 1 : ((_random.NextSingle() * 2) - 1) * most;
        switch (KindOf(rows))
        {
            case WeightKind.F32:
                _file.Write(MemoryMarshal.AsBytes(values.AsSpan()));
                break;
            case WeightKind.F16:
                foreach (var value in values) _file.Write((Half)value);
                break;
            default:
                foreach (var block in values.Chunk(BlockElements)) Block(block);
                break;
        }
    }

    void Block(float[] values)
    {
        var scale = values.Max(MathF.Abs) / sbyte.MaxValue;
        _file.Write((Half)scale);
        foreach (var value in values) _file.Write((sbyte)MathF.Round(value / scale));
    }
}
