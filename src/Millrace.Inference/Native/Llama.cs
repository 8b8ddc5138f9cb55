using System.Reflection;
using System.Runtime.InteropServices;

namespace Millrace.Inference.Native;

/// <summary>
/// <c>llama.h</c> and <c>ggml-backend.h</c> of llama.cpp v0.4 and v0.5, name for name: what this project calls.
/// C <c>bool</c> is one byte. The layouts of both versions are the same.
/// </summary>
static unsafe partial class Llama
{
    const int DeviceGpu = 1;
    const int DeviceIntegratedGpu = 2;

    static nint _llama;
    static nint _ggml;
    static nint _ggmlBase;

    /// <summary>Loads the libraries of a folder and their best CPU backend. Once per process.</summary>
    /// <exception cref="DllNotFoundException">A library is missing; the message lists the patterns looked for.</exception>
    public static void Load(string folder)
    {
        if (_llama != 0) return;
        // Each needs the one before it, found by its run path; loading by full path keeps foreign copies out.
        _ggmlBase = NativeLibrary.Load(Find(folder, "libggml-base*", "ggml-base*.dll"));
        _ggml = NativeLibrary.Load(Find(folder, "libggml.*", "ggml.dll"));
        _llama = NativeLibrary.Load(Find(folder, "libllama.*", "llama.dll"));
        NativeLibrary.SetDllImportResolver(
            Assembly.GetExecutingAssembly(), (name, _, _) => name switch
            {
                "llama" => _llama,
                "ggml" => _ggml,
                "ggml-base" => _ggmlBase,
                _ => 0,
            });
        llama_log_set(&DropLog, null);
        ggml_backend_load_all_from_path(folder);
        llama_backend_init();
    }

    /// <summary>The GPUs that the loaded backends can use, as their drivers call them.</summary>
    public static IEnumerable<string> Gpus()
    {
        for (nuint i = 0; i < ggml_backend_dev_count(); i++)
        {
            var device = ggml_backend_dev_get(i);
            if (ggml_backend_dev_type(device) is not (DeviceGpu or DeviceIntegratedGpu)) continue;
            yield return Marshal.PtrToStringUTF8(ggml_backend_dev_description(device)) ?? "a GPU without a name";
        }
    }

    static string Find(string folder, params string[] patterns) =>
        patterns.SelectMany(pattern => Directory.EnumerateFiles(folder, pattern)).Order(StringComparer.Ordinal).FirstOrDefault()
        ?? throw new DllNotFoundException($"no {string.Join(" or ", patterns)} in {folder}");

    [UnmanagedCallersOnly(CallConvs = [typeof(System.Runtime.CompilerServices.CallConvCdecl)])]
    static void DropLog(int level, byte* text, void* data)
    {
        // llama.cpp writes whole model tables; what matters comes back as return codes, but for the cause of a failure.
        LlamaWords.Hear(level, text);
    }

    /// <summary><c>struct llama_model_params</c>, 80 bytes; only the fields we set have names.</summary>
    [StructLayout(LayoutKind.Explicit, Size = 80)]
    public struct ModelParams
    {
        [FieldOffset(16)] public int NGpuLayers;
        [FieldOffset(20)] public int SplitMode;
        [FieldOffset(24)] public int LoadMode;
        [FieldOffset(32)] public int MainGpu;
        [FieldOffset(40)] public float* TensorSplit;
        [FieldOffset(48)] public delegate* unmanaged[Cdecl]<float, void*, byte> ProgressCallback;
        [FieldOffset(73)] public byte CheckTensors;
    }

    /// <summary><c>struct llama_context_params</c>, 160 bytes; only the fields we set have names.</summary>
    [StructLayout(LayoutKind.Explicit, Size = 160)]
    public struct ContextParams
    {
        [FieldOffset(0)] public uint NCtx;
        [FieldOffset(4)] public uint NBatch;
        [FieldOffset(8)] public uint NUbatch;
        [FieldOffset(12)] public uint NSeqMax;
        [FieldOffset(20)] public uint NOutputsMax;
        [FieldOffset(28)] public int NThreads;
        [FieldOffset(32)] public int NThreadsBatch;
        [FieldOffset(40)] public int RopeScalingType;
        [FieldOffset(44)] public int PoolingType;
        [FieldOffset(48)] public int AttentionType;
        [FieldOffset(52)] public int FlashAttnType;
        [FieldOffset(56)] public float RopeFreqBase;
        [FieldOffset(60)] public float RopeFreqScale;
        [FieldOffset(64)] public float YarnExtFactor;
        [FieldOffset(68)] public float YarnAttnFactor;
        [FieldOffset(72)] public float YarnBetaFast;
        [FieldOffset(76)] public float YarnBetaSlow;
        [FieldOffset(80)] public uint YarnOrigCtx;
        [FieldOffset(104)] public int TypeK;
        [FieldOffset(108)] public int TypeV;
        [FieldOffset(112)] public delegate* unmanaged[Cdecl]<void*, byte> AbortCallback;
        [FieldOffset(120)] public void* AbortCallbackData;
        [FieldOffset(128)] public byte Embeddings;
        [FieldOffset(129)] public byte OffloadKqv;
        [FieldOffset(130)] public byte NoPerf;
        [FieldOffset(133)] public byte KvUnified;
    }

    /// <summary><c>struct llama_batch</c>, 56 bytes.</summary>
    [StructLayout(LayoutKind.Explicit, Size = 56)]
    public struct Batch
    {
        [FieldOffset(0)] public int NTokens;
        [FieldOffset(8)] public int* Token;
        [FieldOffset(16)] public float* Embd;
        [FieldOffset(24)] public int* Pos;
        [FieldOffset(32)] public int* NSeqId;
        [FieldOffset(40)] public int** SeqId;
        [FieldOffset(48)] public sbyte* Logits;
    }

    /// <summary><c>struct llama_token_data</c>, 12 bytes.</summary>
    [StructLayout(LayoutKind.Sequential)]
    public struct Candidate
    {
        public int Id;
        public float Logit;
        public float P;
    }

    /// <summary><c>struct llama_token_data_array</c>, 32 bytes.</summary>
    [StructLayout(LayoutKind.Explicit, Size = 32)]
    public struct CandidateArray
    {
        [FieldOffset(0)] public Candidate* Items;
        [FieldOffset(8)] public nuint Size;
        [FieldOffset(16)] public long Selected;
        [FieldOffset(24)] public byte Sorted;
    }

    /// <summary><c>struct llama_sampler_chain_params</c>, one byte.</summary>
    [StructLayout(LayoutKind.Sequential, Size = 1)]
    public struct SamplerChainParams
    {
        public byte NoPerf;
    }

    [LibraryImport("ggml")]
    private static partial void ggml_backend_load_all_from_path([MarshalAs(UnmanagedType.LPUTF8Str)] string folder);

    [LibraryImport("ggml")]
    private static partial nuint ggml_backend_dev_count();

    [LibraryImport("ggml")]
    private static partial nint ggml_backend_dev_get(nuint index);

    [LibraryImport("ggml-base")]
    private static partial int ggml_backend_dev_type(nint device);

    [LibraryImport("ggml-base")]
    private static partial nint ggml_backend_dev_description(nint device);

    [LibraryImport("llama")]
    private static partial void llama_backend_init();

    [LibraryImport("llama")]
    private static partial void llama_log_set(delegate* unmanaged[Cdecl]<int, byte*, void*, void> callback, void* data);

    [LibraryImport("llama")]
    public static partial byte* llama_version();

    [LibraryImport("ggml-base")]
    public static partial byte* ggml_commit();

    [LibraryImport("llama")]
    public static partial nuint llama_max_devices();

    [LibraryImport("llama")]
    public static partial ModelParams llama_model_default_params();

    [LibraryImport("llama")]
    public static partial ContextParams llama_context_default_params();

    [LibraryImport("llama")]
    public static partial nint llama_model_load_from_file(
        [MarshalAs(UnmanagedType.LPUTF8Str)] string path, ModelParams parameters);

    [LibraryImport("llama")]
    public static partial void llama_model_free(nint model);

    [LibraryImport("llama")]
    public static partial nint llama_adapter_lora_init(ModelHandle model, [MarshalAs(UnmanagedType.LPUTF8Str)] string path);

    [LibraryImport("llama")]
    public static partial void llama_adapter_lora_free(nint adapter);

    [LibraryImport("llama")]
    public static partial ulong llama_adapter_get_alora_n_invocation_tokens(nint adapter);

    [LibraryImport("llama")]
    public static partial int llama_set_adapters_lora(ContextHandle context, nint* adapters, nuint count, float* scales);

    [LibraryImport("llama")]
    public static partial int llama_model_n_ctx_train(ModelHandle model);

    [LibraryImport("llama")]
    public static partial int llama_model_rope_type(ModelHandle model);

    [LibraryImport("llama")]
    public static partial int llama_model_n_embd(ModelHandle model);

    [LibraryImport("llama")]
    public static partial ulong llama_model_size(ModelHandle model);

    [LibraryImport("llama")]
    public static partial ulong llama_model_n_params(ModelHandle model);

    [LibraryImport("llama")]
    public static partial int llama_model_desc(ModelHandle model, byte* buffer, nuint size);

    [LibraryImport("llama")]
    public static partial int llama_model_meta_val_str(
        ModelHandle model, [MarshalAs(UnmanagedType.LPUTF8Str)] string key, byte* buffer, nuint size);

    [LibraryImport("llama")]
    public static partial int llama_vocab_n_tokens(nint vocab);

    [LibraryImport("llama")]
    public static partial nint llama_model_get_vocab(ModelHandle model);

    [LibraryImport("llama")]
    public static partial byte* llama_model_chat_template(ModelHandle model, byte* name);

    [LibraryImport("llama")]
    public static partial nint llama_init_from_model(ModelHandle model, ContextParams parameters);

    [LibraryImport("llama")]
    public static partial void llama_free(nint context);

    [LibraryImport("llama")]
    public static partial uint llama_n_ctx(ContextHandle context);

    [LibraryImport("llama")]
    public static partial nint llama_get_memory(ContextHandle context);

    [LibraryImport("llama")]
    public static partial byte llama_memory_seq_rm(nint memory, int sequence, int from, int to);

    [LibraryImport("llama")]
    public static partial void llama_memory_clear(nint memory, byte data);

    [LibraryImport("llama")]
    public static partial int llama_tokenize(
        nint vocab, byte* text, int length, int* tokens, int tokensMax, byte addSpecial, byte parseSpecial);

    [LibraryImport("llama")]
    public static partial int llama_token_to_piece(nint vocab, int token, byte* buffer, int length, int lstrip, byte special);

    [LibraryImport("llama")]
    public static partial byte llama_vocab_is_eog(nint vocab, int token);

    [LibraryImport("llama")]
    public static partial int llama_vocab_bos(nint vocab);

    [LibraryImport("llama")]
    public static partial int llama_vocab_eos(nint vocab);

    [LibraryImport("llama")]
    public static partial byte llama_vocab_get_add_bos(nint vocab);

    [LibraryImport("llama")]
    public static partial byte* llama_vocab_get_text(nint vocab, int token);

    [LibraryImport("llama")]
    public static partial byte llama_model_has_encoder(ModelHandle model);

    [LibraryImport("llama")]
    public static partial byte llama_model_is_recurrent(ModelHandle model);

    [LibraryImport("llama")]
    public static partial byte llama_model_is_hybrid(ModelHandle model);

    [LibraryImport("llama")]
    public static partial int llama_model_n_layer(ModelHandle model);

    [LibraryImport("llama")]
    public static partial int llama_model_n_head(ModelHandle model);

    [LibraryImport("llama")]
    public static partial int llama_model_n_head_kv(ModelHandle model);

    [LibraryImport("llama")]
    public static partial int llama_pooling_type(ContextHandle context);

    [LibraryImport("llama")]
    public static partial void llama_memory_seq_cp(nint memory, int source, int target, int from, int to);

    [LibraryImport("llama")]
    public static partial void llama_set_n_threads(ContextHandle context, int threads, int threadsBatch);

    [LibraryImport("llama")]
    public static partial int llama_decode(ContextHandle context, Batch batch);

    [LibraryImport("llama")]
    public static partial int llama_encode(ContextHandle context, Batch batch);

    [LibraryImport("llama")]
    public static partial float* llama_get_logits_ith(ContextHandle context, int index);

    [LibraryImport("llama")]
    public static partial float* llama_get_embeddings_seq(ContextHandle context, int sequence);

    [LibraryImport("llama")]
    public static partial float* llama_get_embeddings_ith(ContextHandle context, int index);

    [LibraryImport("llama")]
    public static partial SamplerChainParams llama_sampler_chain_default_params();

    [LibraryImport("llama")]
    public static partial nint llama_sampler_chain_init(SamplerChainParams parameters);

    [LibraryImport("llama")]
    public static partial void llama_sampler_chain_add(SamplerHandle chain, nint sampler);

    [LibraryImport("llama")]
    public static partial nint llama_sampler_init_top_k(int k);

    [LibraryImport("llama")]
    public static partial nint llama_sampler_init_top_p(float p, nuint minKeep);

    [LibraryImport("llama")]
    public static partial nint llama_sampler_init_min_p(float p, nuint minKeep);

    [LibraryImport("llama")]
    public static partial nint llama_sampler_init_typical(float p, nuint minKeep);

    [LibraryImport("llama")]
    public static partial nint llama_sampler_init_temp_ext(float temperature, float delta, float exponent);

    [LibraryImport("llama")]
    public static partial nint llama_sampler_init_xtc(float p, float threshold, nuint minKeep, uint seed);

    [LibraryImport("llama")]
    public static partial nint llama_sampler_init_mirostat(int vocabulary, uint seed, float tau, float eta, int m);

    [LibraryImport("llama")]
    public static partial nint llama_sampler_init_mirostat_v2(uint seed, float tau, float eta);

    [LibraryImport("llama")]
    public static partial nint llama_sampler_init_dry(
        nint vocab, float multiplier, float @base, int allowedLength, int lastTokens, byte** breakers, nuint breakerCount);

    [LibraryImport("llama")]
    public static partial nint llama_sampler_init_dist(uint seed);

    [LibraryImport("llama")]
    public static partial nint llama_sampler_init_grammar(
        nint vocab, [MarshalAs(UnmanagedType.LPUTF8Str)] string grammar, [MarshalAs(UnmanagedType.LPUTF8Str)] string root);

    [LibraryImport("llama")]
    public static partial nint llama_sampler_init_grammar_lazy_patterns(
        nint vocab, [MarshalAs(UnmanagedType.LPUTF8Str)] string grammar, [MarshalAs(UnmanagedType.LPUTF8Str)] string root,
        byte** patterns, nuint patternCount, int* tokens, nuint tokenCount);

    [LibraryImport("llama")]
    public static partial void llama_sampler_apply(SamplerHandle sampler, CandidateArray* candidates);

    [LibraryImport("llama")]
    public static partial void llama_sampler_accept(SamplerHandle sampler, int token);

    [LibraryImport("llama")]
    public static partial void llama_sampler_free(nint chain);
}
