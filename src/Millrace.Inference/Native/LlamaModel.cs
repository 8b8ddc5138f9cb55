using System.Runtime.InteropServices;
using System.Text;

namespace Millrace.Inference.Native;

/// <summary>One loaded GGUF with one context. One caller at a time. Above this class there is no pointer.</summary>
sealed unsafe class LlamaModel : IDisposable
{
    const int BatchTokens = 512;

    readonly ModelHandle _model;
    readonly ContextHandle _context;
    readonly nint _vocab;
    readonly byte[]? _template;

    // What the context's memory holds now: a prompt that begins alike is not computed again.
    readonly List<int> _held = [];

    LlamaModel(ModelHandle model, ContextHandle context)
    {
        (_model, _context) = (model, context);
        _vocab = Llama.llama_model_get_vocab(model);
        var template = Llama.llama_model_chat_template(model, null);
        _template = template is null ? null : [.. MemoryMarshal.CreateReadOnlySpanFromNullTerminated(template), 0];
    }

    /// <summary>Tokens of prompt and answer together.</summary>
    public int ContextTokens => (int)Llama.llama_n_ctx(_context);

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

    /// <summary>The prompt's tokens, in the model's own chat template as llama.cpp knows it.</summary>
    /// <exception cref="InferenceException">The file has no template, or one that llama.cpp does not know.</exception>
    public int[] Tokenize(IReadOnlyList<ChatTurn> turns)
    {
        if (_template is null) throw new InferenceException("invalid", "the model file has no chat template");
        return Tokenize(ApplyTemplate(turns));
    }

    byte[] ApplyTemplate(IReadOnlyList<ChatTurn> turns)
    {
        var texts = turns.SelectMany(turn => (byte[][])[Zero(turn.Role), Zero(turn.Content)]).ToArray();
        var pins = texts.Select(text => GCHandle.Alloc(text, GCHandleType.Pinned)).ToArray();
        try
        {
            var messages = new Llama.ChatMessage[turns.Count];
            for (var i = 0; i < messages.Length; i++)
            {
                messages[i].Role = (byte*)pins[2 * i].AddrOfPinnedObject();
                messages[i].Content = (byte*)pins[2 * i + 1].AddrOfPinnedObject();
            }

            var buffer = new byte[texts.Sum(text => text.Length) * 2 + 1024];
            while (true)
            {
                int length;
                fixed (byte* template = _template, target = buffer)
                fixed (Llama.ChatMessage* first = messages)
                    length = Llama.llama_chat_apply_template(template, first, (nuint)messages.Length, 1, target, buffer.Length);
                if (length < 0) throw new InferenceException("invalid", "llama.cpp does not know the model's chat template");
                if (length <= buffer.Length) return buffer[..length];
                buffer = new byte[length];
            }
        }
        finally
        {
            foreach (var pin in pins) pin.Free();
        }

        static byte[] Zero(string text) => [.. Encoding.UTF8.GetBytes(text.Replace('\0', ' ')), 0];
    }

    int[] Tokenize(byte[] text)
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
