using System.Collections.Immutable;
using System.Text.Json;
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
            dry-multipier dry-base mirostat-eta p-split-speculative p-min-speculative slot-prompt-similarity
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
        };
    }

    public AnswerFormat Format =>
        Text("grammar") is { Length: > 0 } grammar ? AnswerFormat.Grammar(grammar)
        : Text("json-schema") is { Length: > 0 } schema ? AnswerFormat.JsonSchema(schema)
        : AnswerFormat.Text;

    static string[] Words(string text) =>
        text.Split((char[])[' ', '\n'], StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
}
