using System.Globalization;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;
using Millrace.Inference.Worker;
using Millrace.Nn;

namespace Millrace.Inference.Llama;

/// <summary>One prompt and its text, whole or token by token, as WasmEdge's ggml plugin has it.</summary>
sealed class LlamaTextContext(LlamaGraph graph) : INnTextContext
{
    const int ContextStandard = 4096;
    const int BatchStandard = 2048;

    // The plugin keeps so many tokens free behind a prompt.
    const int Spare = 4;

    // In: options. Out: counts.
    const int MetadataIndex = 1;

    GgmlOptions _options = graph.Options;
    string? _prompt;
    int _promptTokens;
    int _answerTokens;
    List<byte> _text = [];
    byte[] _piece = [];
    IAsyncEnumerator<RawPiece>? _single;

    // Ends the text that is computed token by token, whichever call is the one that is cancelled.
    CancellationTokenSource _stop = new();

    public void SetInput(int index, Tensor tensor)
    {
        var text = Encoding.UTF8.GetString(tensor.Data.Span);
        if (index == MetadataIndex)
        {
            var options = _options.With(text);
            graph.Set(options);
            _options = options;
            return;
        }

        if (_options.Text("image").Length > 0)
            throw new NnException(NnErrno.InvalidArgument, "the option image needs a model with mmproj, which is not computed here");
        EndSingle();
        _prompt = text;
        _promptTokens = LlamaGraph.Wait(graph.Client.TokenizeAsync(graph.Path, text, _options.Model(), default)).Length;
    }

    public void Compute(CancellationToken cancel)
    {
        EndSingle();
        (_text, _answerTokens) = ([], 0);
        if (_options.Is("embedding")) Embed(cancel);
        else Write(cancel);
    }

    string Prompt => _prompt ?? throw new NnException(NnErrno.InvalidArgument, "no prompt was set");

    void Embed(CancellationToken cancel)
    {
        var prompt = Prompt;
        var most = _options.Whole("batch-size", 0) is > 0 and var asked ? asked : BatchStandard;
        if (_promptTokens > most) throw TooLong(most);
        var norm = _options.Whole("embd-normalize", 2);
        var vector = LlamaGraph.Wait(
            graph.Client.EmbedAsync(graph.Path, [prompt], _options.Model(), isNormalized: norm >= 0, cancel)).Vectors[0];
        var numbers = Normalized([.. vector], norm)
            .Select(static number => number.ToString("G10", CultureInfo.InvariantCulture));
        _text = [.. Encoding.UTF8.GetBytes($"{{\"n_embedding\": {vector.Length}, \"embedding\": [{string.Join(',', numbers)}]}}")];
    }

    // All but none at all follow from the vector of length 1, which the worker gives.
    static IEnumerable<double> Normalized(float[] vector, int norm)
    {
        var scale = norm switch
        {
            2 or < 0 => 1.0,
            0 => vector.Max(Math.Abs) / 32760.0,
            _ => Math.Pow(vector.Sum(number => Math.Pow(Math.Abs((double)number), norm)), 1.0 / norm),
        };
        return vector.Select(number => scale == 0 ? 0 : number / scale);
    }

    // Some programs send 0 for as many as usual, and most ask for more than a small model was trained for: a text that
    // ended there would be an error to them.
    int ContextTokens =>
        Math.Min(_options.Whole("ctx-size", 0) is > 0 and var asked ? asked : ContextStandard, graph.Facts.StretchedTokens);

    NnException TooLong(int most) => new(NnErrno.PromptTooLong, $"the prompt has {_promptTokens} tokens, {most} are possible");

    void Write(CancellationToken cancel)
    {
        var (job, isCutByContext) = Job(_options.Whole("n-predict", -1));
        if (job.MaxTokens == 0) return;
        var stop = Encoding.UTF8.GetBytes(_options.Text("reverse-prompt"));
        var output = _options.Is("stream-stdout") ? graph.Output : null;
        var pieces = graph.Client.GenerateAsync(job, _options.Model(), cancel).GetAsyncEnumerator(cancel);
        try
        {
            while (Next(pieces) is { } piece)
            {
                Take(piece);
                output?.Write(piece.Bytes.Span);
                if (piece.IsEnd || EndsIn(stop, piece.Bytes.Length)) return;
            }
        }
        finally
        {
            output?.Flush();
            pieces.DisposeAsync().AsTask().GetAwaiter().GetResult();
        }

        if (isCutByContext) throw new NnException(NnErrno.ContextFull, $"the context of {ContextTokens} tokens is full");
    }

    // What stands before the piece was looked through with the pieces before.
    bool EndsIn(byte[] stop, int pieceBytes) => stop.Length > 0
        && CollectionsMarshal.AsSpan(_text)[Math.Max(0, _text.Count - pieceBytes - stop.Length)..].IndexOf(stop) >= 0;

    (ChatJob Job, bool IsCutByContext) Job(int wanted)
    {
        var prompt = Prompt;
        if (_promptTokens > ContextTokens - Spare) throw TooLong(ContextTokens - Spare);
        var room = ContextTokens - _promptTokens;
        if (graph.TokensMax is { } most) wanted = wanted < 0 ? most : Math.Min(wanted, most);
        var tokens = wanted < 0 ? room : Math.Min(wanted, room);
        var job = new ChatJob(graph.Path, [], tokens, _options.Sampling((uint)RandomNumberGenerator.GetInt32(int.MaxValue)), [])
        {
            Prompt = prompt,
            IsStretched = true,
            Format = _options.Format,
        };
        return (job, wanted < 0 || wanted > room);
    }

    static RawPiece? Next(IAsyncEnumerator<RawPiece> pieces) =>
        LlamaGraph.Wait(pieces.MoveNextAsync().AsTask()) ? pieces.Current : null;

    void Take(RawPiece piece)
    {
        _piece = piece.Bytes.ToArray();
        _text.AddRange(_piece);
        _answerTokens++;
    }

    public void ComputeSingle(CancellationToken cancel)
    {
        if (_single is null)
        {
            (_text, _answerTokens, _piece) = ([], 0, []);
            _stop = new();
            _single = graph.Client.GenerateAsync(Job(-1).Job, _options.Model(), _stop.Token).GetAsyncEnumerator(_stop.Token);
        }

        if (NextSingle(_single, cancel) is not { } piece)
        {
            EndSingle();
            throw new NnException(NnErrno.ContextFull, $"the context of {ContextTokens} tokens is full");
        }

        Take(piece);
        if (!piece.IsEnd) return;
        EndSingle();
        throw new NnException(NnErrno.EndOfSequence, "the model ended its text");
    }

    RawPiece? NextSingle(IAsyncEnumerator<RawPiece> pieces, CancellationToken cancel)
    {
        using var registration = cancel.Register(_stop.Cancel);
        try
        {
            return Next(pieces);
        }
        catch
        {
            EndSingle();
            cancel.ThrowIfCancellationRequested();
            throw;
        }
    }

    void EndSingle()
    {
        _single?.DisposeAsync().AsTask().GetAwaiter().GetResult();
        _single = null;
    }

    public Tensor GetOutput(int index)
    {
        if (index != MetadataIndex) return Bytes([.. _text]);
        // The library tells its commit; how many there were before it, it does not.
        var build = $"\"llama_build_number\": 0, \"llama_commit\": \"{graph.Commit}\"";
        return Bytes(Encoding.UTF8.GetBytes($"{{\"input_tokens\": {_promptTokens}, \"output_tokens\": {_answerTokens}, {build}}}"));
    }

    public Tensor GetOutputSingle(int index) => index == MetadataIndex ? GetOutput(index) : Bytes(_piece);

    static Tensor Bytes(byte[] bytes) => new(TensorType.U8, [bytes.Length], bytes);

    public void FinishSingle()
    {
        EndSingle();
        (_text, _piece, _answerTokens) = ([], [], 0);
    }

    public void Dispose()
    {
        EndSingle();
        _stop.Dispose();
    }
}
