using System.Runtime.InteropServices;
using System.Text;
using Millrace.Inference;

namespace Millrace.Bench.Inference;

/// <summary>llama.cpp by its C interface, as a program of its own would use it: one model, one context, one thread.</summary>
/// <remarks>What its defaults are stays as it is; of each context's cells, every sequence has an equal part.</remarks>
sealed class LlamaApi : IDisposable
{
    const int BatchTokens = 512;

    readonly nint _library;
    readonly nint _model;
    readonly nint _context;
    readonly nint _vocabulary;
    readonly nint _greedy;
    readonly Batch _batch;
    readonly DecodeBatch _decode;
    readonly GetOne _getOne;
    readonly Sample _sample;

    public LlamaApi(string model, int contextTokens, int sequences = 1)
    {
        var folder = NativeLibraries.LlamaFolder()!;
        NativeLibrary.Load(Find(folder, "libggml-base*"));
        var ggml = NativeLibrary.Load(Find(folder, "libggml.*"));
        _library = NativeLibrary.Load(Find(folder, "libllama.*"));
        Of<SetLog>("llama_log_set")(Marshal.GetFunctionPointerForDelegate(Silence), 0);
        Marshal.GetDelegateForFunctionPointer<LoadAll>(NativeLibrary.GetExport(ggml, "ggml_backend_load_all_from_path"))(Utf8(folder));
        Of<Nothing>("llama_backend_init")();
        _model = Of<LoadModel>("llama_model_load_from_file")(Utf8(model), Of<ModelDefaults>("llama_model_default_params")());
        if (_model == 0) throw new InvalidOperationException($"llama.cpp cannot load {model}");
        _vocabulary = Of<OfPointer>("llama_model_get_vocab")(_model);
        var parameters = Of<ContextDefaults>("llama_context_default_params")();
        (parameters.Cells, parameters.Batch, parameters.Ubatch) = ((uint)contextTokens, BatchTokens, BatchTokens);
        (parameters.Sequences, parameters.Outputs) = ((uint)sequences, (uint)sequences);
        (parameters.Threads, parameters.ThreadsBatch) = (1, 1);
        _context = Of<MakeContext>("llama_init_from_model")(_model, parameters);
        if (_context == 0) throw new InvalidOperationException($"llama.cpp makes no context of {contextTokens} tokens");
        _batch = Of<MakeBatch>("llama_batch_init")(BatchTokens, 0, 1);
        _greedy = Of<MakeSampler>("llama_sampler_init_greedy")();
        (_decode, _getOne, _sample) = (Of<DecodeBatch>("llama_decode"), Of<GetOne>("llama_batch_get_one"), Of<Sample>("llama_sampler_sample"));
    }

    // Kept: native code holds it.
    static readonly Log Silence = static (_, _, _) => { };

    static string Find(string folder, string pattern) => Directory.EnumerateFiles(folder, pattern).Order(StringComparer.Ordinal).First();

    static byte[] Utf8(string text) => Encoding.UTF8.GetBytes(text + '\0');

    T Of<T>(string name) where T : Delegate => Marshal.GetDelegateForFunctionPointer<T>(NativeLibrary.GetExport(_library, name));

    public int[] Tokenize(string text)
    {
        var bytes = Encoding.UTF8.GetBytes(text);
        var tokens = new int[bytes.Length + 8];
        return tokens[..Of<ToTokens>("llama_tokenize")(_vocabulary, bytes, bytes.Length, tokens, tokens.Length, 1, 1)];
    }

    /// <summary>Forgets everything, then reads a prompt.</summary>
    public void Read(int[] tokens)
    {
        Clear();
        foreach (var chunk in tokens.Chunk(BatchTokens)) Compute(chunk);
    }

    void Clear() => Of<ClearMemory>("llama_memory_clear")(Of<OfPointer>("llama_get_memory")(_context), 1);

    /// <summary>Writes one token after another, the likeliest each time.</summary>
    public void Write(int count)
    {
        for (var i = 0; i < count; i++) Compute([_sample(_greedy, _context, -1)]);
    }

    void Compute(int[] tokens)
    {
        var pin = GCHandle.Alloc(tokens, GCHandleType.Pinned);
        try
        {
            Decode(_getOne(pin.AddrOfPinnedObject(), tokens.Length));
        }
        finally
        {
            pin.Free();
        }
    }

    /// <summary>Forgets everything, reads prompts, as many of them in one step as it takes, and writes after all in common steps.</summary>
    public void Together(IReadOnlyList<int[]> prompts, int count)
    {
        Clear();
        var next = new int[prompts.Count];
        for (var sequence = 0; sequence < prompts.Count;)
        {
            var batch = _batch;
            var (first, places) = (sequence, new List<int>());
            for (; sequence < prompts.Count && batch.Count + prompts[sequence].Length <= BatchTokens; sequence++)
            {
                var prompt = prompts[sequence];
                for (var i = 0; i < prompt.Length; i++) Add(ref batch, prompt[i], i, sequence, i == prompt.Length - 1);
                places.Add(batch.Count - 1);
            }

            Decode(batch);
            foreach (var place in places) next[first++] = _sample(_greedy, _context, place);
        }

        for (var written = 1; written < count; written++)
        {
            var batch = _batch;
            for (var i = 0; i < next.Length; i++) Add(ref batch, next[i], prompts[i].Length + written - 1, i, isWanted: true);
            Decode(batch);
            for (var i = 0; i < next.Length; i++) next[i] = _sample(_greedy, _context, i);
        }
    }

    void Decode(Batch batch)
    {
        if (_decode(_context, batch) != 0) throw new InvalidOperationException("llama_decode failed");
    }

    static void Add(ref Batch batch, int token, int position, int sequence, bool isWanted)
    {
        var at = batch.Count++;
        Marshal.WriteInt32(batch.Tokens, at * sizeof(int), token);
        Marshal.WriteInt32(batch.Positions, at * sizeof(int), position);
        Marshal.WriteInt32(batch.SequenceCounts, at * sizeof(int), 1);
        Marshal.WriteInt32(Marshal.ReadIntPtr(batch.Sequences, at * nint.Size), sequence);
        Marshal.WriteByte(batch.Wanted, at, isWanted ? (byte)1 : (byte)0);
    }

    public void Dispose()
    {
        Of<Release>("llama_sampler_free")(_greedy);
        Of<ReleaseBatch>("llama_batch_free")(_batch);
        Of<Release>("llama_free")(_context);
        Of<Release>("llama_model_free")(_model);
    }

    [StructLayout(LayoutKind.Explicit, Size = 80)]
    struct ModelParameters
    {
        [FieldOffset(16)] public int GpuLayers;
    }

    [StructLayout(LayoutKind.Explicit, Size = 160)]
    struct ContextParameters
    {
        [FieldOffset(0)] public uint Cells;
        [FieldOffset(4)] public uint Batch;
        [FieldOffset(8)] public uint Ubatch;
        [FieldOffset(12)] public uint Sequences;
        [FieldOffset(20)] public uint Outputs;
        [FieldOffset(28)] public int Threads;
        [FieldOffset(32)] public int ThreadsBatch;
    }

    [StructLayout(LayoutKind.Explicit, Size = 56)]
    struct Batch
    {
        [FieldOffset(0)] public int Count;
        [FieldOffset(8)] public nint Tokens;
        [FieldOffset(24)] public nint Positions;
        [FieldOffset(32)] public nint SequenceCounts;
        [FieldOffset(40)] public nint Sequences;
        [FieldOffset(48)] public nint Wanted;
    }

    delegate void Log(int level, nint text, nint data);
    delegate void SetLog(nint callback, nint data);
    delegate void LoadAll(byte[] folder);
    delegate void Nothing();
    delegate ModelParameters ModelDefaults();
    delegate ContextParameters ContextDefaults();
    delegate nint LoadModel(byte[] path, ModelParameters parameters);
    delegate nint MakeContext(nint model, ContextParameters parameters);
    delegate nint MakeSampler();
    delegate nint OfPointer(nint pointer);
    delegate Batch MakeBatch(int tokens, int embedding, int sequencesEach);
    delegate void Release(nint pointer);
    delegate void ReleaseBatch(Batch batch);
    delegate void ClearMemory(nint memory, byte data);
    delegate int ToTokens(nint vocabulary, byte[] text, int length, int[] tokens, int most, byte addsSpecial, byte parsesSpecial);
    delegate Batch GetOne(nint tokens, int count);
    delegate int DecodeBatch(nint context, Batch batch);
    delegate int Sample(nint sampler, nint context, int index);
}
