using System.Runtime.InteropServices;
using Millrace.Inference.Native;

namespace Millrace.Inference.Worker;

/// <summary>Texts to be turned into vectors.</summary>
/// <param name="Id">The request.</param>
/// <param name="Prompts">Their tokens.</param>
/// <param name="IsNormalized">Whether the vectors are of length 1.</param>
sealed record EmbeddingWork(long Id, int[][] Prompts, bool IsNormalized)
{
    public List<float> Vectors { get; } = [];

    public int Done { get; set; }

    public bool IsCancelled { get; set; }
}

/// <summary>Turns texts into vectors, many texts in one step. One caller at a time.</summary>
sealed class Embedder : IDisposable
{
    public const int TextsPerStep = 16;
    public const int TokensMax = 2048;

    readonly LlamaModel _model;
    readonly LlamaContext _context;
    readonly Action<Frame> _send;
    readonly Queue<EmbeddingWork> _queue = new();

    public Embedder(LlamaModel model, ContextShape shape, Action<Frame> send)
    {
        (_model, _send) = (model, send);
        // An attention that looks both ways needs a text whole in one step.
        _context = LlamaContext.Create(model, shape with { BatchTokens = shape.Cells, ForEmbeddings = true });
    }

    public bool HasWork => _queue.Count > 0;

    /// <exception cref="InferenceException">A text is empty or too long, or there are too many.</exception>
    public EmbeddingWork Submit(long id, IReadOnlyCollection<string> texts, bool isNormalized)
    {
        var most = Frame.BytesMax / sizeof(float) / _context.EmbeddingLength;
        if (texts.Count > most)
            throw new InferenceException("too-large", $"{texts.Count} texts at once are too many: this model embeds up to {most}");
        var prompts = texts.Select(text => _model.Tokenize(text)).ToArray();
        for (var i = 0; i < prompts.Length; i++)
        {
            var length = prompts[i].Length;
            if (length == 0) throw new InferenceException("invalid", $"text {i + 1} is empty");
            if (length <= _context.Shape.BatchTokens) continue;
            throw new InferenceException(
                "context-exceeded", $"text {i + 1} has {length} tokens; the model embeds at most {_context.Shape.BatchTokens}");
        }

        var work = new EmbeddingWork(id, prompts, isNormalized);
        _queue.Enqueue(work);
        return work;
    }

    /// <summary>As many texts as one step holds.</summary>
    public void Step()
    {
        var work = _queue.Peek();
        try
        {
            if (!work.IsCancelled && work.Done < work.Prompts.Length) Compute(work);
            if (!work.IsCancelled && work.Done < work.Prompts.Length) return;
            if (!work.IsCancelled) _send(Reply(work));
        }
        catch (Exception e)
        {
            // The edge of a request: what fails ends this one alone.
            _send(Frame.Failure(work.Id, e));
        }

        _queue.Dequeue();
    }

    static Frame Reply(EmbeddingWork work) => new(FrameKind.Reply, work.Id)
    {
        Tokens = work.Prompts.Sum(static prompt => prompt.Length),
        Body = MemoryMarshal.AsBytes(CollectionsMarshal.AsSpan(work.Vectors)).ToArray(),
    };

    void Compute(EmbeddingWork work)
    {
        try
        {
            var count = Fill(work.Prompts.AsSpan(work.Done));
            var answer = _context.Compute();
            if (answer != 0)
                throw new InferenceException("model-unavailable", $"llama.cpp could not compute the embeddings (code {answer})");
            for (var i = 0; i < count; i++) Add(work, _context.Embedding(i));
            work.Done += count;
        }
        finally
        {
            _context.Clear();
        }
    }

    int Fill(ReadOnlySpan<int[]> prompts)
    {
        var count = 0;
        while (count < Math.Min(prompts.Length, TextsPerStep)
            && _context.Added + prompts[count].Length <= _context.Shape.BatchTokens)
        {
            for (var i = 0; i < prompts[count].Length; i++) _context.Add(prompts[count][i], i, count, isWanted: true);
            count++;
        }

        return count;
    }

    static void Add(EmbeddingWork work, ReadOnlySpan<float> vector)
    {
        if (!work.IsNormalized)
        {
            work.Vectors.AddRange(vector);
            return;
        }

        var sum = 0.0;
        foreach (var number in vector) sum += (double)number * number;
        var scale = sum > 0 ? 1 / Math.Sqrt(sum) : 0;
        foreach (var number in vector) work.Vectors.Add((float)(number * scale));
    }

    public void Dispose() => _context.Dispose();
}
