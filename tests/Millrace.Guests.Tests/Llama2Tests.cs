using System.Buffers.Binary;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.RegularExpressions;
using Millrace.Wasi;
using Millrace.Wasm;

namespace Millrace.Guests.Tests;

/// <summary>The network of llama2.c as pure WebAssembly, on a published model in all the forms that it reads.</summary>
public sealed partial class Llama2Tests : IDisposable
{
    static readonly Engine Engine = new();

    // Compiled once: it takes longer than a story.
    static readonly Lazy<Module> Guest = new(static () => Module.Compile(Engine, File.ReadAllBytes(GuestRun.Wasm("llama2"))));

    readonly string _folder = Directory.CreateTempSubdirectory("millrace-llama2-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [SkippableTheory]
    [InlineData("", 346, "1")]
    [InlineData("hello", 283, "1 281 306 414")]
    [InlineData("Once upon a time", 346, "1 403 407 261 378")]
    [InlineData("hello world", 214, "1 281 306 414 263 304 341")]
    [InlineData("What is the capital of Japan?", 250, "1 410 448 415 294 410 293 265")]
    public void A_checkpoint_and_the_same_network_as_gguf_tell_the_same_story(string prompt, int end, string ids)
    {
        var checkpoint = Run(Model("stories260K.bin"), "-z", Model("tok512.bin"), "-t", "0", "-n", "0", "-i", prompt);
        var gguf = Run(Model("stories260K.gguf"), "-t", "0", "-n", "0", "-i", prompt);

        Assert.Equal((end, ids), (checkpoint.Position, checkpoint.Ids));
        Assert.Equal((end, ids), (gguf.Position, gguf.Ids));
        Assert.Equal(checkpoint.Text, gguf.Text);
        Assert.StartsWith(prompt.Length > 0 ? prompt : "Once upon a time, there was a little girl named Lily.", checkpoint.Text, StringComparison.Ordinal);
    }

    [SkippableFact]
    public void A_checkpoint_of_version_1_tells_the_story_of_version_0()
    {
        var old = Run(Model("stories260K.bin"), "-z", Model("tok512.bin"), "-t", "0", "-n", "0");
        var path = Write("v1.bin", new Checkpoint(File.ReadAllBytes(Model("stories260K.bin"))).ToVersion(1));

        var told = Run(path, "-z", Model("tok512.bin"), "-t", "0", "-n", "0");

        Assert.Equal((old.Text, old.Position), (told.Text, told.Position));
    }

    [SkippableFact]
    public void A_checkpoint_of_8_bits_begins_as_the_story_does()
    {
        var path = Write("v2.bin", new Checkpoint(File.ReadAllBytes(Model("stories260K.bin"))).ToVersion(2));

        var told = Run(path, "-z", Model("tok512.bin"), "-t", "0", "-n", "60");

        Assert.StartsWith("Once upon a time, there was a little girl named Lily.", told.Text, StringComparison.Ordinal);
    }

    [SkippableFact]
    public void Chance_comes_from_the_seed()
    {
        string[] words = [Model("stories260K.gguf"), "-t", "1", "-n", "80"];

        var one = Run([.. words, "-s", "5"]);
        var again = Run([.. words, "-s", "5"]);
        var other = Run([.. words, "-s", "6"]);

        Assert.Equal(one.Text, again.Text);
        Assert.NotEqual(one.Text, other.Text);
    }

    [SkippableFact]
    public void What_is_no_model_of_it_is_named_with_its_reason()
    {
        var checkpoint = File.ReadAllBytes(Model("stories260K.bin"));
        var gguf = File.ReadAllBytes(Model("stories260K.gguf"));

        Refuses("cannot be read", "nothing.bin");
        Refuses("cut off at byte 0", Write("empty.bin", []));
        Refuses("cut off at byte", Write("cut.bin", checkpoint[..^70000]));
        Refuses("4 bytes too many", Write("long.bin", [.. checkpoint, 0, 0, 0, 0]));
        Refuses("its dimension of 0 is out of range", Write("zero.bin", new byte[2000]));
        Refuses("with -z", Model("stories260K.bin"));
        Refuses("it has more than the", Write("other.bin", Other(checkpoint)), "-z", Model("tok512.bin"));
        Refuses("cut off", Write("cut.gguf", gguf[..^5000]));
        Refuses("version 9 of GGUF", Write("nine.gguf", [.. "GGUF"u8, 9, 0, 0, 0, .. gguf[8..]]));
        Refuses("cut off at byte 24: a text's length", Write("header.gguf", gguf[..26]));
    }

    // As many tokens as another model has: the classifier and the embedding are one, so only the header differs.
    static byte[] Other(byte[] checkpoint)
    {
        const int VocabAt = 20;
        var vocab = BinaryPrimitives.ReadInt32LittleEndian(checkpoint.AsSpan(VocabAt));
        var dim = BinaryPrimitives.ReadInt32LittleEndian(checkpoint);
        var other = checkpoint.ToList();
        other.RemoveRange(7 * 4, dim * 4);
        byte[] bytes = [.. other];
        BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(VocabAt), vocab - 1);
        return bytes;
    }

    void Refuses(string reason, string model, params string[] words)
    {
        var (code, text, log) = Execute([model, .. words]);

        Assert.Equal((1, ""), (code, text));
        Assert.Contains(reason, log, StringComparison.Ordinal);
        Assert.Contains(Path.GetFileName(model), log, StringComparison.Ordinal);
    }

    (string Text, int Position, string Ids) Run(params string[] words)
    {
        var (code, text, log) = Execute(words);

        Assert.True(code == 0, log);
        var told = Told().Match(log);
        Assert.True(told.Success, log);
        return (text, int.Parse(told.Groups[2].Value, CultureInfo.InvariantCulture), told.Groups[1].Value);
    }

    (int Code, string Text, string Log) Execute(string[] words)
    {
        var (output, log) = (new MemoryStream(), new MemoryStream());
        using var store = new Store(Engine);
        using var wasi = new WasiHost(new()
        {
            Arguments = ["llama2", .. words],
            Preopens = [new(Models, Models, true), new(_folder, _folder, true)],
            Stdout = output,
            Stderr = log,
        });
        var linker = new Linker(Engine);
        wasi.Define(linker);
        var code = 0;
        try
        {
            linker.Instantiate(store, Guest.Value).FindFunction("_start")!.Call();
        }
        catch (ProcExitException exit)
        {
            code = exit.Code;
        }

        return (code, Encoding.UTF8.GetString(output.ToArray()), Encoding.UTF8.GetString(log.ToArray()));
    }

    static string Models
    {
        get
        {
            var folder = Environment.GetEnvironmentVariable("MILLRACE_MODELS");
            Skip.If(string.IsNullOrEmpty(folder), "MILLRACE_MODELS is not set: it names the folder of models");
            return folder!;
        }
    }

    static string Model(string name) => Path.Combine(Models, name);

    string Write(string name, byte[] bytes)
    {
        var path = Path.Combine(_folder, name);
        File.WriteAllBytes(path, bytes);
        return path;
    }

    [GeneratedRegex(@"prompt \d+ tokens \(([\d ]+)\), (?:end|length) at (\d+),")]
    private static partial Regex Told();

    /// <summary>A checkpoint of version 0, to be written as a later one.</summary>
    sealed class Checkpoint
    {
        const int Group = 4;

        readonly int[] _header;
        readonly float[] _weights;
        readonly List<byte> _bytes = [];

        public Checkpoint(byte[] file)
        {
            _header = MemoryMarshal.Cast<byte, int>(file.AsSpan(0, 28)).ToArray();
            _weights = MemoryMarshal.Cast<byte, float>(file.AsSpan(28)).ToArray();
        }

        public byte[] ToVersion(int version)
        {
            var (dim, hidden, layers, vocab) = (_header[0], _header[1], _header[2], _header[5]);
            var kv = dim / _header[3] * _header[4];
            int[] header = [0x616B3432, version, .. _header];
            _bytes.AddRange(MemoryMarshal.AsBytes(header.AsSpan()));
            _bytes.Add(1);
            if (version == 2) _bytes.AddRange(BitConverter.GetBytes(Group));
            _bytes.AddRange(new byte[256 - _bytes.Count]);

            // Version 0 has the norms among the matrices, later ones before them.
            int[] sizes =
            [
                vocab * dim, layers * dim, layers * dim * dim, layers * kv * dim, layers * kv * dim, layers * dim * dim,
                layers * dim, layers * hidden * dim, layers * dim * hidden, layers * hidden * dim, dim,
            ];
            var starts = new int[sizes.Length + 1];
            for (var i = 0; i < sizes.Length; i++) starts[i + 1] = starts[i] + sizes[i];
            foreach (var norm in new[] { 1, 6, 10 }) Add(_weights.AsSpan(starts[norm], sizes[norm]));
            foreach (var matrix in new[] { 0, 2, 3, 4, 5, 7, 8, 9 })
            {
                // One tensor for each layer.
                var each = matrix == 0 ? sizes[0] : sizes[matrix] / layers;
                for (var at = 0; at < sizes[matrix]; at += each)
                {
                    var weights = _weights.AsSpan(starts[matrix] + at, each);
                    if (version == 2) Quantize(weights);
                    else Add(weights);
                }
            }

            return [.. _bytes];
        }

        void Add(ReadOnlySpan<float> weights) => _bytes.AddRange(MemoryMarshal.AsBytes(weights));

        void Quantize(ReadOnlySpan<float> weights)
        {
            var scales = new float[weights.Length / Group];
            for (var i = 0; i < scales.Length; i++)
            {
                var part = weights.Slice(i * Group, Group);
                foreach (var weight in part) scales[i] = Math.Max(scales[i], Math.Abs(weight) / 127);
                foreach (var weight in part) _bytes.Add((byte)(sbyte)MathF.Round(scales[i] > 0 ? weight / scales[i] : 0));
            }

            Add(scales);
        }
    }
}
