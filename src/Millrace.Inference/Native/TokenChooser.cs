using System.Collections.Immutable;
using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text;
using Millrace.Inference.Grammars;

namespace Millrace.Inference.Native;

/// <summary>What a grammar demands of a text.</summary>
/// <param name="Text">GBNF; its first rule is <c>root</c>.</param>
sealed record GrammarRules(string Text)
{
    /// <summary>Patterns after whose first match the grammar begins to hold; empty when it holds from the start.</summary>
    public ImmutableArray<string> Triggers { get; init; } = [];
}

/// <summary>Chooses the tokens of one sequence. One caller at a time.</summary>
sealed unsafe class TokenChooser : IDisposable
{
    // Longer ones make llama.cpp's parser take memory without end.
    const int GrammarCharsMax = 1 << 20;

    static readonly string[] DryBreakers = ["\n", ":", "\"", "*"];
    const int MirostatCandidates = 100;

    readonly LlamaModel _model;
    readonly Sampling _sampling;
    readonly SamplerHandle? _chain;
    readonly SamplerHandle? _grammar;
    int _heard;

    /// <exception cref="InferenceException">The grammar cannot be parsed.</exception>
    public TokenChooser(LlamaModel model, Sampling sampling, GrammarRules? grammar)
    {
        (_model, _sampling) = (model, sampling);
        // At temperature 0 the likeliest token is taken, unless a sampler changes which one that is.
        if (sampling is { Temperature: > 0 } or { DryMultiplier: > 0 } or { XtcProbability: > 0 } or { DynamicTemperatureRange: > 0 })
            _chain = Chain(model, sampling);
        if (grammar is not null) _grammar = Grammar(model, grammar);
    }

    static SamplerHandle Chain(LlamaModel model, Sampling sampling)
    {
        var chain = new SamplerHandle(Llama.llama_sampler_chain_init(Llama.llama_sampler_chain_default_params()));
        foreach (var sampler in sampling.Mirostat == 0 ? Cuts(model, sampling) : Mirostat(model, sampling))
            Llama.llama_sampler_chain_add(chain, sampler);
        return chain;
    }

    static List<nint> Cuts(LlamaModel model, Sampling sampling)
    {
        var keep = (nuint)Math.Max(1, sampling.MinKeep);
        var cuts = new List<nint>();
        if (sampling.DryMultiplier > 0) cuts.Add(Dry(model, sampling));
        if (sampling.TopK > 0) cuts.Add(Llama.llama_sampler_init_top_k(sampling.TopK));
        if (sampling.TypicalP < 1) cuts.Add(Llama.llama_sampler_init_typical((float)sampling.TypicalP, keep));
        if (sampling.TopP < 1) cuts.Add(Llama.llama_sampler_init_top_p((float)sampling.TopP, keep));
        if (sampling.MinP > 0) cuts.Add(Llama.llama_sampler_init_min_p((float)sampling.MinP, keep));
        if (sampling.XtcProbability > 0)
        {
            cuts.Add(Llama.llama_sampler_init_xtc(
                (float)sampling.XtcProbability, (float)sampling.XtcThreshold, keep, sampling.Seed));
        }

        cuts.Add(Llama.llama_sampler_init_temp_ext(
            (float)sampling.Temperature, (float)sampling.DynamicTemperatureRange, (float)sampling.DynamicTemperatureExponent));
        cuts.Add(Llama.llama_sampler_init_dist(sampling.Seed));
        return cuts;
    }

    static List<nint> Mirostat(LlamaModel model, Sampling sampling)
    {
        var (seed, tau, eta) = (sampling.Seed, (float)sampling.MirostatTau, (float)sampling.MirostatEta);
        return
        [
            Llama.llama_sampler_init_temp_ext((float)sampling.Temperature, 0, 1),
            sampling.Mirostat == 1
                ? Llama.llama_sampler_init_mirostat(model.VocabularySize, seed, tau, eta, MirostatCandidates)
                : Llama.llama_sampler_init_mirostat_v2(seed, tau, eta),
        ];
    }

    static nint Dry(LlamaModel model, Sampling sampling)
    {
        var breakers = DryBreakers.Select(Marshal.StringToCoTaskMemUTF8).ToArray();
        fixed (nint* first = breakers)
        {
            var dry = Llama.llama_sampler_init_dry(
                model.Vocabulary, (float)sampling.DryMultiplier, (float)sampling.DryBase, sampling.DryAllowedLength,
                DryTokens(model, sampling), (byte**)first, (nuint)breakers.Length);
            foreach (var breaker in breakers) Marshal.FreeCoTaskMem(breaker);
            return dry;
        }
    }

    static SamplerHandle Grammar(LlamaModel model, GrammarRules rules)
    {
        // llama.cpp takes an empty one for none.
        if (string.IsNullOrWhiteSpace(rules.Text)) throw Unusable("it is empty");
        if (rules.Text.Length > GrammarCharsMax)
            throw Unusable($"it is longer than {GrammarCharsMax} characters");
        nint sampler;
        if (rules.Triggers.IsEmpty)
        {
            sampler = Llama.llama_sampler_init_grammar(model.Vocabulary, rules.Text, "root");
        }
        else
        {
            var patterns = rules.Triggers.Select(Marshal.StringToCoTaskMemUTF8).ToArray();
            fixed (nint* first = patterns)
            {
                sampler = Llama.llama_sampler_init_grammar_lazy_patterns(
                    model.Vocabulary, rules.Text, "root", (byte**)first, (nuint)patterns.Length, null, 0);
            }

            foreach (var pattern in patterns) Marshal.FreeCoTaskMem(pattern);
        }

        return sampler != 0 ? new(sampler)
            : throw Unusable(GrammarFault.Find(rules.Text) ?? "a rule begins with itself, or repeats too much");
    }

    static InferenceException Unusable(string why) => new("invalid", $"the grammar cannot be used: {why}") { IsOfFormat = true };

    /// <summary>The next token after a place of the last step.</summary>
    /// <param name="context">Where the step was computed.</param>
    /// <param name="index">The place.</param>
    /// <param name="said">Prompt and answer so far.</param>
    /// <exception cref="InferenceException">No token is possible.</exception>
    public int Choose(LlamaContext context, int index, List<int> said)
    {
        var scores = context.Scores(index);
        Adjust(scores, said);
        Hear(said);
        var token = Choose(context, scores, isBound: false);
        // Nearly always the free choice is one that the grammar allows, and to ask for one is much cheaper than for all.
        if (_grammar is not null && !Allows(token)) token = Choose(context, scores, isBound: true);
        if (_grammar is not null) Llama.llama_sampler_accept(_grammar, token);
        return token;
    }

    static int DryTokens(LlamaModel model, Sampling sampling) =>
        sampling.DryLastTokens < 0 ? model.TrainedTokens : Math.Min(sampling.DryLastTokens, model.TrainedTokens);

    // DRY compares with what was said, which it remembers itself.
    void Hear(List<int> said)
    {
        if (_chain is null || _sampling.DryMultiplier <= 0) return;
        // A text that was shifted is shorter than what was heard of it; new is its last token.
        if (_heard >= said.Count) _heard = said.Count - 1;
        for (_heard = Math.Max(_heard, said.Count - DryTokens(_model, _sampling)); _heard < said.Count; _heard++)
            Llama.llama_sampler_accept(_chain, said[_heard]);
    }

    int Choose(LlamaContext context, Span<float> scores, bool isBound)
    {
        if (_chain is null && !isBound) return Likeliest(scores);
        var candidates = context.Candidates;
        for (var i = 0; i < scores.Length; i++) candidates[i] = new() { Id = i, Logit = scores[i] };
        fixed (Llama.Candidate* items = candidates)
        {
            var array = new Llama.CandidateArray { Items = items, Size = (nuint)candidates.Length, Selected = -1 };
            if (isBound)
            {
                Llama.llama_sampler_apply(_grammar!, &array);
                array.Size = (nuint)Keep(candidates);
                if (array.Size == 0) throw new InferenceException("invalid", "the grammar leaves the model no token to go on with");
            }

            if (_chain is null) return Best(candidates[..(int)array.Size]);
            Llama.llama_sampler_apply(_chain, &array);
            // A sampler may move the beginning.
            return array.Selected >= 0 ? array.Items[array.Selected].Id : throw Nothing();
        }
    }

    /// <summary>Moves what is possible to the front and answers how many there are.</summary>
    static int Keep(Span<Llama.Candidate> candidates)
    {
        var count = 0;
        foreach (var candidate in candidates)
        {
            if (!float.IsNegativeInfinity(candidate.Logit)) candidates[count++] = candidate;
        }

        return count;
    }

    static int Best(ReadOnlySpan<Llama.Candidate> candidates)
    {
        var best = candidates[0];
        foreach (var candidate in candidates)
        {
            if (candidate.Logit > best.Logit) best = candidate;
        }

        return best.Id;
    }

    // Every token goes through all of the vocabulary here: not even the first ones should be slow.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    static int Likeliest(ReadOnlySpan<float> scores)
    {
        var most = new Vector<float>(float.NegativeInfinity);
        var i = 0;
        for (; i <= scores.Length - Vector<float>.Count; i += Vector<float>.Count)
            most = Vector.Max(most, new(scores[i..]));
        var best = float.NegativeInfinity;
        for (var lane = 0; lane < Vector<float>.Count; lane++) best = Math.Max(best, most[lane]);
        for (; i < scores.Length; i++) best = Math.Max(best, scores[i]);
        var at = scores.IndexOf(best);
        return at >= 0 && float.IsFinite(best) ? at : throw Nothing();
    }

    static InferenceException Nothing() =>
        new("model-unavailable", "the model computed no numbers for its next token: the file is damaged");

    bool Allows(int token)
    {
        var one = new Llama.Candidate { Id = token, Logit = 1 };
        var array = new Llama.CandidateArray { Items = &one, Size = 1, Selected = -1 };
        Llama.llama_sampler_apply(_grammar!, &array);
        return !float.IsNegativeInfinity(one.Logit);
    }

    // In place: the scores are this sequence's own.
    void Adjust(Span<float> scores, List<int> said)
    {
        foreach (var (token, bias) in _sampling.LogitBias)
        {
            if ((uint)token < (uint)scores.Length) scores[token] += (float)bias;
        }

        if (_sampling.IgnoresEnd)
        {
            foreach (var token in _model.Ends) scores[token] = float.NegativeInfinity;
        }

        if (_sampling is { RepeatPenalty: 1, PresencePenalty: 0, FrequencyPenalty: 0 } || _sampling.PenaltyLastTokens == 0) return;
        var from = _sampling.PenaltyLastTokens < 0 ? 0 : Math.Max(0, said.Count - _sampling.PenaltyLastTokens);
        foreach (var group in said.Skip(from).CountBy(static token => token))
        {
            ref var score = ref scores[group.Key];
            score = score > 0 ? score / (float)_sampling.RepeatPenalty : score * (float)_sampling.RepeatPenalty;
            score -= (float)(_sampling.PresencePenalty + (_sampling.FrequencyPenalty * group.Value));
        }
    }

    /// <summary>A token's chance, and those of the likeliest. To be asked before the choice: the choice changes the scores.</summary>
    public static Func<int, TokenChoice> Chances(LlamaModel model, ReadOnlySpan<float> scores, int top)
    {
        var most = float.NegativeInfinity;
        foreach (var score in scores) most = Math.Max(most, score);
        var sum = 0.0;
        foreach (var score in scores) sum += Math.Exp(score - most);
        var whole = most + Math.Log(sum);
        var all = scores.ToArray();
        var likeliest = Likeliest(all, top).Select(token => Choice(token)).ToImmutableArray();
        return token => Choice(token) with { Top = likeliest };

        TokenChoice Choice(int token)
        {
            var bytes = model.Piece(token, isSpecialShown: true);
            return new(Encoding.UTF8.GetString(bytes), [.. bytes], all[token] - whole);
        }
    }

    static List<int> Likeliest(float[] scores, int count)
    {
        var heap = new PriorityQueue<int, float>();
        for (var i = 0; i < scores.Length && count > 0; i++)
        {
            if (heap.Count < count) heap.Enqueue(i, scores[i]);
            else if (heap.TryPeek(out _, out var least) && scores[i] > least) heap.EnqueueDequeue(i, scores[i]);
        }

        var tokens = new List<int>();
        while (heap.TryDequeue(out var token, out _)) tokens.Add(token);
        tokens.Reverse();
        return tokens;
    }

    public void Dispose()
    {
        _chain?.Dispose();
        _grammar?.Dispose();
    }
}
