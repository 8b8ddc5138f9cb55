using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using Millrace.Inference.Llama;
using Millrace.Nn;

namespace Millrace.Inference.Llama2;

/// <summary>One prompt and its text, whole or token by token.</summary>
sealed class Llama2TextContext(Llama2Graph graph) : INnTextContext
{
    const int SettingsBytes = 20;

    // In: the prompt. Out: the text.
    const int TextIndex = 0;

    // In: options. Out: counts.
    const int MetadataIndex = 1;

    readonly List<byte> _text = [];
    GgmlOptions _options = graph.Options;
    byte[]? _prompt;
    int _promptTokens;
    int _answerTokens;
    byte[] _piece = [];
    Llama2Guest? _guest;

    public void SetInput(int index, Tensor tensor)
    {
        Check(index);
        if (index == MetadataIndex)
        {
            graph.Options = _options = Llama2Backend.With(_options, Encoding.UTF8.GetString(tensor.Data.Span));
            return;
        }

        _prompt = tensor.Data.ToArray();
        // Whoever asks for the counts before anything is computed wants to know whether the prompt fits.
        Begin(default);
        End();
    }

    public void Compute(CancellationToken cancel)
    {
        Start(cancel);
        try
        {
            var wanted = _options.Whole("n-predict", -1);
            if (graph.TokensMax is { } most) wanted = wanted < 0 ? most : Math.Min(wanted, most);
            while (wanted < 0 || _answerTokens < wanted)
                if (!Next(cancel)) return;
        }
        finally
        {
            End();
        }
    }

    public void ComputeSingle(CancellationToken cancel)
    {
        if (_guest is null) Start(cancel);
        try
        {
            if (_answerTokens >= graph.TokensMax) throw Full();
            if (!Next(cancel)) throw new NnException(NnErrno.EndOfSequence, "the model ended its text");
        }
        catch
        {
            End();
            throw;
        }
    }

    public Tensor GetOutput(int index)
    {
        Check(index);
        return index == TextIndex ? Bytes([.. _text])
            : Bytes(Encoding.UTF8.GetBytes($"{{\"input_tokens\": {_promptTokens}, \"output_tokens\": {_answerTokens}}}"));
    }

    public Tensor GetOutputSingle(int index) => index == TextIndex ? Bytes(_piece) : GetOutput(index);

    public void FinishSingle()
    {
        End();
        Clear();
    }

    public void Dispose() => End();

    static void Check(int index)
    {
        if (index is not (TextIndex or MetadataIndex))
            throw new NnException(NnErrno.InvalidArgument, $"a model of text has the indices 0 and 1, not {index}");
    }

    static Tensor Bytes(byte[] bytes) => new(TensorType.U8, [bytes.Length], bytes);

    int ContextTokens =>
        _options.Whole("ctx-size", 0) is > 0 and var asked ? Math.Min(asked, graph.ContextTokens) : graph.ContextTokens;

    NnException Full() => new(NnErrno.ContextFull, $"the context of {ContextTokens} tokens is full");

    void Start(CancellationToken cancel)
    {
        Clear();
        Begin(cancel);
        if (_promptTokens <= ContextTokens) return;
        End();
        throw new NnException(NnErrno.PromptTooLong, $"the prompt has {_promptTokens} tokens, {ContextTokens} are possible");
    }

    void Clear()
    {
        _text.Clear();
        (_piece, _answerTokens) = ([], 0);
    }

    void Begin(CancellationToken cancel)
    {
        var prompt = _prompt ?? throw new NnException(NnErrno.InvalidArgument, "no prompt was set");
        var sampling = _options.Sampling((uint)RandomNumberGenerator.GetInt32(int.MaxValue));
        var body = new byte[SettingsBytes + prompt.Length];
        BinaryPrimitives.WriteSingleLittleEndian(body, (float)Math.Clamp(sampling.Temperature, 0, float.MaxValue));
        BinaryPrimitives.WriteSingleLittleEndian(body.AsSpan(4), (float)Math.Clamp(sampling.TopP, 0, 1));
        BinaryPrimitives.WriteUInt64LittleEndian(body.AsSpan(8), sampling.Seed);
        BinaryPrimitives.WriteInt32LittleEndian(body.AsSpan(16), ContextTokens);
        prompt.CopyTo(body, SettingsBytes);
        _guest ??= graph.Take();
        try
        {
            _promptTokens = _guest.Ask('P', body, cancel).Number;
        }
        catch
        {
            End();
            throw;
        }
    }

    /// <summary>Takes the next token; false where the text ended.</summary>
    bool Next(CancellationToken cancel)
    {
        var answer = _guest!.Ask('N', default, cancel);
        _piece = answer.Body;
        if (answer.Kind == 'F') throw Full();
        if (answer.Kind == 'E') return false;
        _text.AddRange(answer.Body);
        _answerTokens++;
        return true;
    }

    void End()
    {
        if (_guest is { } guest) graph.Return(guest);
        _guest = null;
    }
}
