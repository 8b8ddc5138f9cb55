using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;

namespace Millrace.Inference.Native;

/// <summary>One loaded GGUF: its facts and its vocabulary. Above this folder there is no pointer.</summary>
sealed unsafe class LlamaModel : IDisposable
{
    // Of LLAMA_LOAD_MODE_*: bits that can be together.
    const int Mapped = 1;
    const int Locked = 2;

    readonly nint _vocab;
    readonly Dictionary<(string Path, DateTime Written), nint> _adapters = [];
    int[]? _ends;

    LlamaModel(ModelHandle model, string fileName)
    {
        (Handle, FileName) = (model, fileName);
        _vocab = Llama.llama_model_get_vocab(model);
        Template = Marshal.PtrToStringUTF8((nint)Llama.llama_model_chat_template(model, null));
        VocabularySize = Llama.llama_vocab_n_tokens(_vocab);
        TrainedTokens = Math.Max(1, Llama.llama_model_n_ctx_train(model));
    }

    public ModelHandle Handle { get; }

    public nint Vocabulary => _vocab;

    public string FileName { get; }

    public string? Template { get; }

    public int VocabularySize { get; }

    public int TrainedTokens { get; }

    /// <summary>Whether positions are turns, which have no end, and not rows of a table.</summary>
    public bool HasEndlessPositions => Llama.llama_model_rope_type(Handle) >= 0;

    public long WeightBytes => (long)Llama.llama_model_size(Handle);

    /// <summary>Whether its memory is not one cell a token: then a prefix cannot be taken over.</summary>
    public bool IsRecurrent => Llama.llama_model_is_recurrent(Handle) != 0 || Llama.llama_model_is_hybrid(Handle) != 0;

    /// <summary>Bytes that the keys and values of one token of context take.</summary>
    public long BytesPerToken(ContextOptions options)
    {
        long heads = Math.Max(1, Llama.llama_model_n_head(Handle));
        long width = Llama.llama_model_n_embd(Handle) / heads * Math.Max(1, Llama.llama_model_n_head_kv(Handle));
        var blockBytes = (options.KeyType ?? CacheType.F16).BlockBytes() + (options.ValueType ?? CacheType.F16).BlockBytes();
        return blockBytes * width * Llama.llama_model_n_layer(Handle) / 32;
    }

    public string? BeginToken => TokenText(Llama.llama_vocab_bos(_vocab));

    public string? EndToken => TokenText(Llama.llama_vocab_eos(_vocab));

    public bool AddsBeginToken => Llama.llama_vocab_get_add_bos(_vocab) != 0;

    /// <summary>Loads llama.cpp; only 0.4 and 0.5 have the layouts that <see cref="Llama"/> mirrors.</summary>
    /// <exception cref="InferenceException">Another version.</exception>
    public static string LoadLibrary(string folder)
    {
        Llama.Load(folder);
        var version = Marshal.PtrToStringUTF8((nint)Llama.llama_version()) ?? "";
        if (version.StartsWith("0.4.", StringComparison.Ordinal) || version.StartsWith("0.5.", StringComparison.Ordinal))
            return version;
        throw new InferenceException("model-unavailable", $"llama.cpp {version} is not known here; 0.4 and 0.5 are");
    }

    /// <summary>The commit that the library was built from, in the first hex digits.</summary>
    public static string Commit => Marshal.PtrToStringUTF8((nint)Llama.ggml_commit()) ?? "";

    /// <summary>Loads a model file.</summary>
    /// <exception cref="InferenceException">llama.cpp cannot load it.</exception>
    public static LlamaModel Load(string path, int gpuLayers, WeightOptions options)
    {
        var parameters = Llama.llama_model_default_params();
        parameters.NGpuLayers = gpuLayers;
        parameters.SplitMode = (int?)options.Split ?? parameters.SplitMode;
        parameters.MainGpu = options.MainGpu ?? parameters.MainGpu;
        parameters.CheckTensors = options.IsChecked ? (byte)1 : (byte)0;
        if (!options.IsMapped || options.IsLocked)
            parameters.LoadMode = (options.IsMapped ? Mapped : 0) + (options.IsLocked ? Locked : 0);
        var name = Path.GetFileName(path);
        if (!File.Exists(path)) throw new InferenceException("model-unavailable", $"there is no file {name}");
        LlamaWords.Forget();
        ModelHandle model;
        fixed (float* shares = Shares(options.TensorSplit))
        {
            parameters.TensorSplit = shares;
            model = new(Llama.llama_model_load_from_file(path, parameters));
        }

        return !model.IsInvalid ? new(model, name) : throw new InferenceException(
            "model-unavailable",
            $"llama.cpp cannot load {name}: {LlamaWords.Cause(path) ?? "it does not say why"}; fetch the file again, or use another model");
    }

    // As many as llama.cpp has room for devices; those behind the last one that is named get nothing.
    static float[]? Shares(string? split)
    {
        if (split is null) return null;
        var most = (int)Llama.llama_max_devices();
        float[] named = [.. split.Split(',').Select(static share => float.Parse(share, CultureInfo.InvariantCulture))];
        if (named.Length > most) throw new InferenceException("invalid", $"tensor-split {split} names more than {most} devices");
        var shares = new float[most];
        named.CopyTo(shares, 0);
        return shares;
    }

    /// <summary>An adapter for it, loaded once however often it is asked for.</summary>
    /// <exception cref="InferenceException">It is not there, is damaged, or is for another model.</exception>
    public LoadedAdapter Adapter(ModelAdapter asked)
    {
        var (path, name) = (asked.Path, Path.GetFileName(asked.Path));
        var file = new FileInfo(path);
        if (!file.Exists)
            throw Unfit($"the adapter {name} is not there: put it back, or `millrace models rm` the model that names it");
        if (!_adapters.TryGetValue((path, file.LastWriteTimeUtc), out var handle))
        {
            handle = LoadAdapter(path, name);
            _adapters[(path, file.LastWriteTimeUtc)] = handle;
        }

        return new(handle, (float)asked.Scale, file.Length);
    }

    nint LoadAdapter(string path, string name)
    {
        var header = Header(path, name);
        if (header.Text("general.type") != "adapter") throw Unfit($"{name} is no adapter but a model of its own");
        // llama.cpp passes over them without a word, and the answer would be another one than the adapter's maker saw.
        if (header.HasNorms) throw Unfit($"the adapter {name} changes norms, which llama.cpp does not compute: merge it into the model");
        LlamaWords.Forget();
        var handle = Llama.llama_adapter_lora_init(Handle, path);
        if (handle == 0)
        {
            throw Unfit($"the adapter {name} cannot be used with {FileName}: {LlamaWords.Cause(path) ?? "llama.cpp does not say why"}; "
                + "use it with the model it was made for, or fetch it again");
        }

        if (Llama.llama_adapter_get_alora_n_invocation_tokens(handle) == 0) return handle;
        Llama.llama_adapter_lora_free(handle);
        throw Unfit($"the adapter {name} waits for words that call it (aLoRA), which is not done here: use a plain LoRA adapter");
    }

    // What reaches a caller names a file by its name alone.
    static GgufHeader Header(string path, string name)
    {
        try
        {
            return GgufHeader.Read(path);
        }
        catch (InferenceException e)
        {
            throw Unfit($"the adapter cannot be used: {e.Message.Replace(path, name, StringComparison.Ordinal)}");
        }
    }

    static InferenceException Unfit(string why) => new("model-unavailable", why);

    public ModelFacts Facts(int contextTokens, int stretchedTokens) => new(contextTokens, TrainedTokens, Meta("general.architecture"))
    {
        StretchedTokens = stretchedTokens,
        Name = Meta("general.name"),
        License = Meta("general.license"),
        Description = Text(512, (buffer, size) => Llama.llama_model_desc(Handle, buffer, size)),
        Template = Template,
        WeightBytes = WeightBytes,
        Parameters = (long)Llama.llama_model_n_params(Handle),
        EmbeddingLength = Llama.llama_model_n_embd(Handle),
        VocabularySize = VocabularySize,
    };

    string Meta(string key) => Text(1024, (buffer, size) => Llama.llama_model_meta_val_str(Handle, key, buffer, size));

    delegate int TextSource(byte* buffer, nuint size);

    static string Text(int size, TextSource source)
    {
        var bytes = new byte[size];
        fixed (byte* buffer = bytes)
        {
            var length = source(buffer, (nuint)size);
            return length <= 0 ? "" : Encoding.UTF8.GetString(bytes, 0, Math.Min(length, size - 1));
        }
    }

    // Null where the vocabulary has no such token: then a template does not know the name either.
    string? TokenText(int token) => token < 0 ? null : Marshal.PtrToStringUTF8((nint)Llama.llama_vocab_get_text(_vocab, token));

    /// <summary>A text's tokens, special ones in it and around it among them.</summary>
    /// <exception cref="InferenceException">The vocabulary has no tokens for the text.</exception>
    public int[] Tokenize(string text, bool addsSpecial = true)
    {
        var bytes = Encoding.UTF8.GetBytes(text);
        var tokens = new int[bytes.Length + 8];
        fixed (byte* first = bytes)
        fixed (int* target = tokens)
        {
            byte none = 0;
            var count = Llama.llama_tokenize(
                _vocab, first == null ? &none : first, bytes.Length, target, tokens.Length, addsSpecial ? (byte)1 : (byte)0, 1);
            return count >= 0 ? tokens[..count]
                : throw new InferenceException("invalid", "the prompt could not be turned into tokens");
        }
    }

    /// <summary>All tokens that end a turn.</summary>
    public int[] Ends => _ends ??= [.. Enumerable.Range(0, VocabularySize).Where(IsEnd)];

    /// <summary>Whether the token ends a turn.</summary>
    public bool IsEnd(int token) => Llama.llama_vocab_is_eog(_vocab, token) != 0;

    /// <summary>A token's bytes, which may be half a character.</summary>
    public byte[] Piece(int token, bool isSpecialShown = false)
    {
        var special = isSpecialShown ? (byte)1 : (byte)0;
        Span<byte> buffer = stackalloc byte[256];
        fixed (byte* target = buffer)
        {
            var length = Llama.llama_token_to_piece(_vocab, token, target, buffer.Length, 0, special);
            if (length >= 0) return buffer[..length].ToArray();
        }

        // A negative answer is the length needed.
        var longer = new byte[4096];
        fixed (byte* target = longer)
        {
            var length = Llama.llama_token_to_piece(_vocab, token, target, longer.Length, 0, special);
            return longer[..Math.Max(0, length)];
        }
    }

    public void Dispose() => Handle.Dispose();
}
