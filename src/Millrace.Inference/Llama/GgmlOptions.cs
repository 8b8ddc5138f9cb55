using System.Collections.Immutable;
using System.Globalization;
using System.Text.Json;
using Millrace.Inference.Native;
using Millrace.Nn;

namespace Millrace.Inference.Llama;

/// <summary>Options of WasmEdge's ggml plugin: a JSON object whose keys name llama.cpp's parameters. Unknown keys are ignored.</summary>
sealed class GgmlOptions
{
    // Every option of the plugin by its type: a value of another one is an error even where the option does nothing here.
    static readonly ImmutableHashSet<string> Switches =
    [
        .. Words("""
            enable-log enable-debug-log stream-stdout embedding tts cpu-moe mask-valid strict-cpu mask-valid-batch strict-cpu-batch
            ignore-eos no-perf-sampling timing-per-token always-regenerate-image-embd lora-init-without-apply hellaswag winogrande
            multiple-choice kl-divergence usage use-color special interactive interactive-first prompt-cache-all prompt-cache-ro
            escape multiline-input simple-io cont-batching no-perf ctx-shift input-prefix-bos use-mlock use-mmap verbose-prompt
            display-prompt no-kv-offload warmup check-tensors reranking enable-chat-template webui endpoint-slots endpoint-props
            endpoint-metrics log-json is-pp-shared process-output compute-ppl spm-infill batched-bench-output-jsonl
            """),
    ];

    static readonly ImmutableHashSet<string> Wholes =
    [
        .. Words("""
            main-gpu n-gpu-layers n-cpu-moe ctx-size batch-size ubatch-size n-keep n-chunks n-parallel n-sequences grp-attn-n
            grp-attn-w n-print yarn-orig-ctx priority poll priority-batch poll-batch numa rope-scaling-type pooling-type
            attention-type threads threads-batch n-prev n-probs min-keep top-k last-n-penalty dry-allowed-length dry-last-n-penalty
            mirostat seed n-ctx-speculative n-max-speculative n-min-speculative n-gpu-layers-speculative n-predict verbosity
            control-vector-layer-start control-vector-layer-end ppl-stride ppl-output-type hellaswag-tasks winogrande-tasks
            multiple-choice-tasks cache-type-k cache-type-v embd-normalize port timeout-read timeout-write n-threads-http
            n-cache-reuse n-pp n-tg n-pl chunk-size n-junk i-pos n-out-freq n-save-freq i-chunk n-pca-batch n-pca-iterations
            """),
    ];

    static readonly ImmutableHashSet<string> Numbers =
    [
        .. Words("""
            rope-freq-base rope-freq-scale yarn-ext-factor yarn-attn-factor yarn-beta-fast yarn-beta-slow temp top-p min-p typ-p
            xtc-probability xtc-threshold dynatemp-range dynatemp-exponent repeat-penalty presence-penalty frequency-penalty
            dry-multipier dry-multiplier dry-base mirostat-eta p-split-speculative p-min-speculative slot-prompt-similarity
            """),
    ];

    static readonly ImmutableHashSet<string> Texts =
    [
        .. Words("""
            tensor-split split-mode mmproj image grammar json-schema reverse-prompt model-vocoder tts-output-file tts-speaker-file
            hf-repo-vocoder hf-file-vocoder model-url-vocoder model-alias model-url hf-token hf-repo hf-file prompt-file
            path-prompt-cache input-prefix input-suffix lookup-cache-static lookup-cache-dynamic logits-file flash-attn embd-out
            embd-sep hostname public-path chat-template ssl-file-key ssl-file-cert slot-save-path context-files chunk-separator
            out-file cvector-dimre-method cvector-positive-file cvector-negative-file
            """),
    ];

    readonly ImmutableDictionary<string, JsonElement> _values;

    GgmlOptions(ImmutableDictionary<string, JsonElement> values) => _values = values;

    public static GgmlOptions None { get; } = new(ImmutableDictionary<string, JsonElement>.Empty);

    /// <summary>These options, and over them those of a JSON text.</summary>
    /// <exception cref="NnException">No JSON object, or a value of the wrong type.</exception>
    public GgmlOptions With(string json)
    {
        try
        {
            using var document = JsonDocument.Parse(json);
            if (document.RootElement.ValueKind != JsonValueKind.Object)
                throw new NnException(NnErrno.InvalidEncoding, "options of a ggml model are a JSON object");
            var values = _values;
            foreach (var option in document.RootElement.EnumerateObject())
            {
                if (!IsOfItsType(option))
                    throw new NnException(NnErrno.InvalidArgument, $"the option {option.Name} has a value of the wrong type");
                values = values.SetItem(option.Name, option.Value.Clone());
            }

            return new(values);
        }
        catch (JsonException e)
        {
            throw new NnException(NnErrno.InvalidEncoding, $"options of a ggml model are a JSON object: {e.Message}");
        }
    }

    static bool IsOfItsType(JsonProperty option)
    {
        var kind = option.Value.ValueKind;
        if (Switches.Contains(option.Name)) return kind is JsonValueKind.True or JsonValueKind.False;
        if (Wholes.Contains(option.Name)) return kind == JsonValueKind.Number && option.Value.TryGetInt64(out _);
        if (Numbers.Contains(option.Name)) return kind == JsonValueKind.Number;
        return !Texts.Contains(option.Name) || kind == JsonValueKind.String;
    }

    public bool Is(string name) => _values.TryGetValue(name, out var value) && value.ValueKind == JsonValueKind.True;

    bool IsOff(string name) => _values.TryGetValue(name, out var value) && value.ValueKind == JsonValueKind.False;

    public string Text(string name) => _values.TryGetValue(name, out var value) ? value.GetString()! : "";

    public int Whole(string name, int standard) =>
        _values.TryGetValue(name, out var value) ? (int)Math.Clamp(value.GetInt64(), int.MinValue, int.MaxValue) : standard;

    public double Number(string name, double standard) => _values.TryGetValue(name, out var value) ? value.GetDouble() : standard;

    /// <summary>How tokens are chosen; the seed is the caller's where the options name none.</summary>
    public Sampling Sampling(uint seed)
    {
        var named = Whole("seed", -1);
        return new(Math.Max(0, Number("temp", 0.8)), Number("top-p", 0.95), named < 0 ? seed : (uint)named)
        {
            TopK = Whole("top-k", 40),
            MinP = Number("min-p", 0.05),
            TypicalP = Number("typ-p", 1),
            RepeatPenalty = Number("repeat-penalty", 1),
            PresencePenalty = Number("presence-penalty", 0),
            FrequencyPenalty = Number("frequency-penalty", 0),
            PenaltyLastTokens = Whole("last-n-penalty", 64),
            MinKeep = Math.Max(0, Whole("min-keep", 0)),
            XtcProbability = Number("xtc-probability", 0),
            XtcThreshold = Number("xtc-threshold", 0.1),
            DynamicTemperatureRange = Number("dynatemp-range", 0),
            DynamicTemperatureExponent = Number("dynatemp-exponent", 1),
            DryMultiplier = Number("dry-multipier", Number("dry-multiplier", 0)),
            DryBase = Number("dry-base", 1.75),
            DryAllowedLength = Whole("dry-allowed-length", 2),
            DryLastTokens = Whole("dry-last-n-penalty", 64),
            Mirostat = OneOf("mirostat", [0, 1, 2]) ?? 0,
            MirostatEta = Number("mirostat-eta", 0.1),
            IgnoresEnd = Is("ignore-eos"),
        };
    }

    /// <summary>How the model is loaded and computed.</summary>
    /// <exception cref="NnException">An option has a value that does not exist.</exception>
    public ModelOptions Model() => new(Weights(), Context());

    WeightOptions Weights() => new()
    {
        GpuLayers = Whole("n-gpu-layers", -1) is >= 0 and var layers ? layers : null,
        MainGpu = Whole("main-gpu", 0) is > 0 and var gpu ? gpu : null,
        TensorSplit = TensorSplit,
        Split = Text("split-mode") switch
        {
            "" => null,
            "none" => SplitMode.None,
            "layer" => SplitMode.Layer,
            "row" => SplitMode.Row,
            _ => throw Unknown("split-mode", "none, layer and row"),
        },
        IsMapped = !IsOff("use-mmap"),
        IsLocked = Is("use-mlock"),
        IsChecked = Is("check-tensors"),
    };

    string? TensorSplit
    {
        get
        {
            if (Text("tensor-split") is not { Length: > 0 } text) return null;
            string[] shares = [.. text.Split(',', '/').Select(static share => share.Trim())];
            return shares.All(static share => float.TryParse(share, CultureInfo.InvariantCulture, out var one) && one is >= 0 and < 1e9f)
                ? string.Join(',', shares) : throw Unknown("tensor-split", "shares such as 3,1");
        }
    }

    ContextOptions Context() => new()
    {
        Threads = Math.Max(0, Whole("threads", 0)),
        ThreadsBatch = Math.Max(0, Whole("threads-batch", 0)),
        BatchTokens = Math.Max(0, Whole("batch-size", 0)),
        UbatchTokens = Math.Max(0, Whole("ubatch-size", 0)),
        FlashAttention = Text("flash-attn") switch
        {
            "" or "auto" => null,
            "on" or "enabled" => 1,
            "off" or "disabled" => 0,
            _ => throw Unknown("flash-attn", "on, off and auto"),
        },
        KeyType = Cache("cache-type-k"),
        ValueType = Cache("cache-type-v"),
        RopeScaling = OneOf("rope-scaling-type", [-1, 0, 1, 2, 3]) is >= 0 and var scaling ? scaling : null,
        RopeFreqBase = Single("rope-freq-base") is > 0 and var frequency ? frequency : null,
        RopeFreqScale = Single("rope-freq-scale") is > 0 and var scale ? scale : null,
        YarnExtFactor = Single("yarn-ext-factor"),
        YarnAttnFactor = Single("yarn-attn-factor"),
        YarnBetaFast = Single("yarn-beta-fast"),
        YarnBetaSlow = Single("yarn-beta-slow"),
        YarnOrigContext = Whole("yarn-orig-ctx", 0) is > 0 and var tokens ? tokens : null,
        Pooling = OneOf("pooling-type", [-1, 0, 1, 2, 3, 4]) is >= 1 and <= 3 and var pooling ? pooling : null,
        Attention = OneOf("attention-type", [-1, 0, 1]) is >= 0 and var attention ? attention : null,
        IsCacheOnCpu = Is("no-kv-offload"),
    };

    CacheType? Cache(string name) =>
        OneOf(name, [.. Enum.GetValues<CacheType>().Select(static type => (int)type)]) is { } number ? (CacheType)number : null;

    float? Single(string name)
    {
        if (!_values.ContainsKey(name)) return null;
        var number = (float)Number(name, 0);
        return float.IsFinite(number) ? number : throw Unknown(name, "finite numbers");
    }

    int? OneOf(string name, int[] known) =>
        !_values.ContainsKey(name) ? null
        : Whole(name, 0) is var number && known.Contains(number) ? number : throw Unknown(name, string.Join(", ", known));

    NnException Unknown(string name, string known) =>
        new(NnErrno.InvalidArgument, $"the option {name} is {_values[name]}; there are {known}");

    /// <summary>What changes the answer elsewhere and does not here, a line each.</summary>
    public IEnumerable<string> Unkept()
    {
        if (Whole("grp-attn-n", 1) > 1) yield return "the option grp-attn-n does nothing here: rope-freq-scale makes a context longer";
        if (Whole("pooling-type", -1) is 0 or 4)
            yield return $"the option pooling-type {Whole("pooling-type", 0)} does nothing here: 1 (mean), 2 (first) and 3 (last) do";
        if (Is("ctx-shift")) yield return "the option ctx-shift does nothing here: a text ends where its context is full";
        if (Is("reranking")) yield return "the option reranking does nothing here: models give texts and vectors";
        if (Is("special")) yield return "the option special does nothing here: of special tokens the one that ends the text is shown";
    }

    public AnswerFormat Format =>
        Text("grammar") is { Length: > 0 } grammar ? AnswerFormat.Grammar(grammar)
        : Text("json-schema") is { Length: > 0 } schema ? AnswerFormat.JsonSchema(schema)
        : AnswerFormat.Text;

    static string[] Words(string text) =>
        text.Split((char[])[' ', '\n'], StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
}
