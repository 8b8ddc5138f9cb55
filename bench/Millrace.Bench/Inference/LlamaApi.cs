using System.Runtime.InteropServices;
using System.Text;
using Millrace.Inference;

namespace Millrace.Bench.Inference;

/// <summary>llama.cpp by its C interface, as a program of its own would use it: one model, one context, one thread.</summary>
sealed class LlamaApi : IDisposable
{
    readonly nint _library;
    readonly nint _model;
    readonly nint _context;
    readonly nint _vocabulary;
    readonly nint _greedy;
    readonly Decode _decode;
    readonly GetOne _getOne;
    readonly Sample _sample;

    public LlamaApi(string model, int contextTokens)
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
        (parameters.Cells, parameters.Batch, parameters.Ubatch, parameters.Sequences) = ((uint)contextTokens, 512, 512, 1);
        (parameters.Outputs, parameters.Threads, parameters.ThreadsBatch) = (1, 1, 1);
        _context = Of<MakeContext>("llama_init_from_model")(_model, parameters);
        if (_context == 0) throw new InvalidOperationException($"llama.cpp makes no context of {contextTokens} tokens");
        _greedy = Of<MakeSampler>("llama_sampler_init_greedy")();
        (_decode, _getOne, _sample) = (Of<Decode>("llama_decode"), Of<GetOne>("llama_batch_get_one"), Of<Sample>("llama_sampler_sample"));
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
        Of<ClearMemory>("llama_memory_clear")(Of<OfPointer>("llama_get_memory")(_context), 1);
        foreach (var chunk in tokens.Chunk(512)) Compute(chunk);
    }

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
            if (_decode(_context, _getOne(pin.AddrOfPinnedObject(), tokens.Length)) != 0)
                throw new InvalidOperationException("llama_decode failed");
        }
        finally
        {
            pin.Free();
        }
    }

    public void Dispose()
    {
        Of<Release>("llama_sampler_free")(_greedy);
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
    delegate void Release(nint pointer);
    delegate void ClearMemory(nint memory, byte data);
    delegate int ToTokens(nint vocabulary, byte[] text, int length, int[] tokens, int most, byte addsSpecial, byte parsesSpecial);
    delegate Batch GetOne(nint tokens, int count);
    delegate int Decode(nint context, Batch batch);
    delegate int Sample(nint sampler, nint context, int index);
}
