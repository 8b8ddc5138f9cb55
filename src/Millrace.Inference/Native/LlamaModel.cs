using System.Runtime.InteropServices;
using System.Text;
using Millrace.Inference.Templates;
using Millrace.Inference.Templates.Values;

namespace Millrace.Inference.Native;

/// <summary>One loaded GGUF with one context. One caller at a time. Above this class there is no pointer.</summary>
sealed unsafe class LlamaModel : IDisposable
{
    const int BatchTokens = 512;

    readonly ModelHandle _model;
    readonly ContextHandle _context;
    readonly nint _vocab;
    readonly string? _templateText;

    // Parsed when it is first needed: a model without chat is loaded whatever its template is.
    ChatTemplate? _template;

    // What the context's memory holds now: a prompt that begins alike is not computed again.
    readonly List<int> _held = [];

    LlamaModel(ModelHandle model, ContextHandle context)
    {
        (_model, _context) = (model, context);
        _vocab = Llama.llama_model_get_vocab(model);
        _templateText = Marshal.PtrToStringUTF8((nint)Llama.llama_model_chat_template(model, null));
    }

    /// <summary>Tokens of prompt and answer together.</summary>
    public int ContextTokens => (int)Llama.llama_n_ctx(_context);

    public ModelFacts Facts() => new(ContextTokens, Llama.llama_model_n_ctx_train(_model), Meta("general.architecture"))
    {
        Name = Meta("general.name"),
        License = Meta("general.license"),
        Description = Text(512, (buffer, size) => Llama.llama_model_desc(_model, buffer, size)),
        Template = _templateText,
        WeightBytes = (long)Llama.llama_model_size(_model),
        Parameters = (long)Llama.llama_model_n_params(_model),
        EmbeddingLength = Llama.llama_model_n_embd(_model),
        VocabularySize = Llama.llama_vocab_n_tokens(_vocab),
    };

    string Meta(string key) => Text(1024, (buffer, size) => Llama.llama_model_meta_val_str(_model, key, buffer, size));

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

    /// <summary>llama.cpp's version; only 0.4 and 0.5 have the layouts that <see cref="Llama"/> mirrors.</summary>
    /// <exception cref="InferenceException">Another version.</exception>
    public static string CheckVersion()
    {
        var version = Marshal.PtrToStringUTF8((nint)Llama.llama_version()) ?? "";
        if (version.StartsWith("0.4.", StringComparison.Ordinal) || version.StartsWith("0.5.", StringComparison.Ordinal))
            return version;
        throw new InferenceException("model-unavailable", $"llama.cpp {version} is not known here; 0.4 and 0.5 are");
    }

    /// <summary>Maps a model file and makes a context of at most <paramref name="contextTokensMax"/> tokens.</summary>
    /// <exception cref="InferenceException">llama.cpp cannot load it, or memory is short.</exception>
    public static LlamaModel Load(string path, int contextTokensMax, int threads)
    {
        var modelParameters = Llama.llama_model_default_params();
        modelParameters.NGpuLayers = 0;
        var model = new ModelHandle(Llama.llama_model_load_from_file(path, modelParameters));
        if (model.IsInvalid)
        {
            throw new InferenceException(
                "model-unavailable", $"llama.cpp cannot load {Path.GetFileName(path)}: damaged, cut short, or not a GGUF it knows");
        }

        var parameters = Llama.llama_context_default_params();
        parameters.NCtx = (uint)Math.Min(contextTokensMax, Math.Max(1, Llama.llama_model_n_ctx_train(model)));
        parameters.NBatch = parameters.NUbatch = BatchTokens;
        parameters.NSeqMax = 1;
        parameters.NThreads = parameters.NThreadsBatch = threads;
        parameters.NoPerf = 1;
        var context = new ContextHandle(Llama.llama_init_from_model(model, parameters));
        if (!context.IsInvalid) return new(model, context);
        model.Dispose();
        throw new InferenceException(
            "model-unavailable", $"no context of {parameters.NCtx} tokens could be made for {Path.GetFileName(path)}");
    }

    /// <summary>The prompt's tokens, in the model's own chat template.</summary>
    /// <exception cref="InferenceException">The file has no template, or one that refuses the conversation.</exception>
    public int[] Tokenize(IReadOnlyList<ChatTurn> turns)
    {
        if (_templateText is null) throw new InferenceException("invalid", "the model file has no chat template");
        try
        {
            var template = _template ??= ChatTemplate.Parse(_templateText);
            var messages = new PyList([.. turns.Select(Message)]);
            var conversation = new Conversation(messages, AddsGenerationPrompt: true) { Variables = SpecialTokens() };
            return Tokenize(WithoutLeadingToken(conversation.Render(template, TimeProvider.System)));
        }
        catch (TemplateException e)
        {
            throw new InferenceException("invalid", $"the model's chat template refuses the conversation: {e.Message}");
        }
    }

    static PyDict Message(ChatTurn turn) => new() { ["role"] = turn.Role, ["content"] = turn.Content };

    List<KeyValuePair<string, object>> SpecialTokens()
    {
        var variables = new List<KeyValuePair<string, object>>();
        if (TokenText(Llama.llama_vocab_bos(_vocab)) is { } bos) variables.Add(new("bos_token", bos));
        if (TokenText(Llama.llama_vocab_eos(_vocab)) is { } eos) variables.Add(new("eos_token", eos));
        return variables;
    }

    // Null where the vocabulary has no such token: then the template does not know the name either.
    string? TokenText(int token) => token < 0 ? null : Marshal.PtrToStringUTF8((nint)Llama.llama_vocab_get_text(_vocab, token));

    // Templates and vocabularies that both begin the prompt with the same token mean it once.
    byte[] WithoutLeadingToken(string prompt)
    {
        if (Llama.llama_vocab_get_add_bos(_vocab) != 0 && TokenText(Llama.llama_vocab_bos(_vocab)) is { Length: > 0 } bos
            && prompt.StartsWith(bos, StringComparison.Ordinal))
        {
            prompt = prompt[bos.Length..];
        }

        return Encoding.UTF8.GetBytes(prompt);
    }

    public int[] Tokenize(byte[] text)
    {
        var tokens = new int[text.Length + 8];
        fixed (byte* bytes = text)
        fixed (int* first = tokens)
        {
            var count = Llama.llama_tokenize(_vocab, bytes, text.Length, first, tokens.Length, 1, 1);
            return count >= 0 ? tokens[..count]
                : throw new InferenceException("invalid", "the prompt could not be turned into tokens");
        }
    }

    /// <summary>
    /// Answers token pieces (raw bytes, which may split a character) until the model ends its turn.
    /// <paramref name="cancel"/> is looked at between steps.
    /// </summary>
    /// <exception cref="InferenceException">llama.cpp refused a step.</exception>
    public IEnumerable<byte[]> Generate(int[] prompt, Sampling sampling, CancellationToken cancel)
    {
        using var sampler = Sampler(sampling);
        Read(prompt, cancel);
        while (true)
        {
            var token = Llama.llama_sampler_sample(sampler, _context, -1);
            if (Llama.llama_vocab_is_eog(_vocab, token) != 0) yield break;
            yield return Piece(token);
            cancel.ThrowIfCancellationRequested();
            Decode([token]);
        }
    }

    void Read(int[] prompt, CancellationToken cancel)
    {
        var memory = Llama.llama_get_memory(_context);
        var same = 0;
        while (same < _held.Count && same < prompt.Length - 1 && _held[same] == prompt[same]) same++;
        if (Llama.llama_memory_seq_rm(memory, 0, same, -1) == 0)
        {
            // Some memories cannot be cut (recurrent models): start anew.
            Llama.llama_memory_clear(memory, 1);
            same = 0;
        }

        _held.RemoveRange(same, _held.Count - same);
        foreach (var chunk in prompt.Skip(same).Chunk(BatchTokens))
        {
            cancel.ThrowIfCancellationRequested();
            Decode(chunk);
        }
    }

    void Decode(int[] tokens)
    {
        int answer;
        fixed (int* first = tokens) answer = Llama.llama_decode(_context, Llama.llama_batch_get_one(first, tokens.Length));
        if (answer == 0)
        {
            _held.AddRange(tokens);
            return;
        }

        Llama.llama_memory_clear(Llama.llama_get_memory(_context), 1);
        _held.Clear();
        throw answer == 1
            ? new InferenceException("context-exceeded", $"the context of {ContextTokens} tokens is full")
            : new InferenceException("model-unavailable", $"llama.cpp could not compute the next tokens (code {answer})");
    }

    byte[] Piece(int token)
    {
        Span<byte> buffer = stackalloc byte[256];
        fixed (byte* target = buffer)
        {
            var length = Llama.llama_token_to_piece(_vocab, token, target, buffer.Length, 0, 0);
            if (length >= 0) return buffer[..length].ToArray();
        }

        // A negative answer is the length needed.
        var longer = new byte[4096];
        fixed (byte* target = longer)
        {
            var length = Llama.llama_token_to_piece(_vocab, token, target, longer.Length, 0, 0);
            return longer[..Math.Max(0, length)];
        }
    }

    static SamplerHandle Sampler(Sampling sampling)
    {
        var chain = new SamplerHandle(Llama.llama_sampler_chain_init(Llama.llama_sampler_chain_default_params()));
        if (sampling.Temperature <= 0)
        {
            Llama.llama_sampler_chain_add(chain, Llama.llama_sampler_init_greedy());
            return chain;
        }

        if (sampling.TopP < 1)
            Llama.llama_sampler_chain_add(chain, Llama.llama_sampler_init_top_p((float)sampling.TopP, 1));
        Llama.llama_sampler_chain_add(chain, Llama.llama_sampler_init_temp((float)sampling.Temperature));
        Llama.llama_sampler_chain_add(chain, Llama.llama_sampler_init_dist(sampling.Seed));
        return chain;
    }

    public void Dispose()
    {
        _context.Dispose();
        _model.Dispose();
    }
}
