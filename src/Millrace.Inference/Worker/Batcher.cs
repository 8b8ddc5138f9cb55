using System.Diagnostics;
using Millrace.Inference.Native;

namespace Millrace.Inference.Worker;

/// <summary>
/// Computes many sequences of one model in common steps: in one of them all that write take a token each, in the next one
/// some of those that read take a piece of their prompts. What was computed stays in memory while there is room, so that a
/// prompt that begins alike is not computed again. One caller at a time.
/// </summary>
sealed class Batcher : IDisposable
{
    /// <summary>Sequences at work; as many again are kept for what may begin alike.</summary>
    public const int AtWorkMax = 16;

    // Room that a sequence is given ahead of its tokens.
    const int Ahead = 256;

    // Attention is computed in squares of 64 by 64 tokens, whole where any token in them sees another: pieces of many prompts
    // in one step cost a fifth more than the same prompts one after the other.
    const int PieceTokens = 128;

    // Fewer tokens than these in common are computed faster than waited for.
    const int WorthWaiting = 32;

    readonly LlamaContext _context;
    readonly int _contextTokens;
    readonly bool _keeps;
    readonly Pace _pace;
    readonly ContextCells _cells;
    readonly Stack<int> _numbers = new(Enumerable.Range(0, 2 * AtWorkMax).Reverse());
    readonly LinkedList<Work> _queue = new();
    readonly List<Work> _atWork = [];

    // Least lately used first.
    readonly List<Sequence> _kept = [];
    readonly List<(Work Work, int Index)> _wanted = [];
    long _step;
    bool _hasRead;

    public Batcher(LlamaContext context, int contextTokens, bool keeps, Pace pace)
    {
        (_context, _contextTokens, _keeps, _pace) = (context, contextTokens, keeps, pace);
        _cells = new(context.Shape.Cells);
    }

    sealed record Work(Sequence Sequence, int TokensMax, Answering Answer)
    {
        /// <summary>Cells it is given for what is computed first: all that waits, and some of what it will write.</summary>
        public int Needed(int computed) => Math.Min(TokensMax, Sequence.Tokens.Count + Ahead) - computed;

        /// <summary>Cells promised to it beyond those it holds.</summary>
        public int Promised { get; set; }

        public bool IsPaused { get; set; }

        /// <summary>The step in which it came or read last.</summary>
        public long ReadAt { get; set; }
    }

    public bool HasWork => _queue.Count > 0 || _atWork.Count > 0;

    /// <summary>Takes a prompt in. At most <paramref name="answerTokens"/> tokens are asked for after it.</summary>
    public void Submit(int[] prompt, int answerTokens, Answering answer)
    {
        Debug.Assert(prompt.Length > 0 && prompt.Length + answerTokens <= _contextTokens, "the caller looks at the context");
        _queue.AddLast(new Work(new(prompt), prompt.Length + answerTokens, answer));
    }

    /// <summary>One step for all.</summary>
    public void Step()
    {
        try
        {
            Advance();
        }
        catch (Exception e)
        {
            // What was not foreseen costs those that were asked of this model, and nobody else.
            FailAll(e, [.. _atWork, .. _queue]);
            _queue.Clear();
        }
    }

    void Advance()
    {
        Drop();
        Admit();
        Extend();
        var isReading = Fill();
        if (_context.Added == 0) return;
        var clock = Stopwatch.GetTimestamp();
        var tokens = _context.Added;
        _pace.Prepare(_context, tokens, isReading);
        var answer = _context.Compute();
        _pace.Measure(tokens, isReading, Stopwatch.GetElapsedTime(clock));
        if (answer != 0) FailStep(answer);
        else Harvest();
    }

    void Drop()
    {
        for (var node = _queue.First; node is not null;)
        {
            var next = node.Next;
            if (node.Value.Answer.IsCancelled) _queue.Remove(node);
            node = next;
        }

        foreach (var work in _atWork.Where(static work => work.Answer.IsCancelled).ToArray()) End(work);
    }

    void Admit()
    {
        while (_queue.First?.Value is { } work && _atWork.Count < AtWorkMax)
        {
            var (source, same) = Best(work.Sequence);
            if (source is not null && source.Computed < same)
            {
                // Another one computes just this beginning now: it is had for nothing a few steps later.
                return;
            }

            var needed = work.Needed(same);
            if (source is not null && _kept.Remove(source)) _kept.Add(source);
            // What stands behind the common beginning gives way too.
            if (!MakeRoom(needed, source) && source is not null && _kept.Contains(source)) Trim(source, same);
            if (!MakeRoom(needed, source) || !MakeNumber(source)) return;
            _queue.RemoveFirst();
            Begin(work, source, same);
        }
    }

    (Sequence? Source, int Same) Best(Sequence wanted)
    {
        if (!_keeps) return (null, 0);
        Sequence? best = null;
        var most = 0;
        foreach (var other in _kept.Concat(_atWork.Select(static work => work.Sequence)))
        {
            // The last token is computed always: its scores are what is wanted.
            var same = wanted.Common(other, wanted.Tokens.Count - 1);
            if (other.Computed < same && same - other.Computed < WorthWaiting) same = other.Computed;
            if (same > most) (best, most) = (other, same);
        }

        return (best, most);
    }

    void Begin(Work work, Sequence? source, int same)
    {
        var sequence = work.Sequence;
        sequence.Number = _numbers.Pop();
        if (source is not null)
        {
            _context.Share(source.Number, sequence.Number, same);
            _cells.Share(source.Cells, sequence.Cells, same);
            sequence.Computed = same;
            // A conversation that went on: the longer one serves whoever begins like the shorter.
            if (source.Computed == same && _kept.Remove(source)) Release(source);
        }

        work.Promised = work.Needed(sequence.Computed);
        work.ReadAt = _step;
        _atWork.Add(work);
        work.Answer.Begin(sequence.Computed);
    }

    /// <summary>Cells that nobody holds and nobody was promised.</summary>
    int Unpromised => _cells.Free - _atWork.Sum(static work => work.Promised);

    bool MakeRoom(int cells, Sequence? except = null)
    {
        while (Unpromised < cells)
        {
            if (_kept.Find(kept => kept != except) is not { } oldest) return false;
            _kept.Remove(oldest);
            Release(oldest);
        }

        return true;
    }

    bool MakeNumber(Sequence? except)
    {
        if (_numbers.Count > 0) return true;
        if (_kept.Find(kept => kept != except) is not { } oldest) return false;
        _kept.Remove(oldest);
        Release(oldest);
        return true;
    }

    // Whoever has used up its promise is promised more, or pauses. When all pause, the youngest gives its place up.
    void Extend()
    {
        foreach (var work in _atWork)
        {
            var missing = work.Sequence.Waiting - work.Promised;
            work.IsPaused = missing > 0 && !MakeRoom(missing + Ahead) && !MakeRoom(missing);
            if (missing > 0 && !work.IsPaused) work.Promised += Math.Min(missing + Ahead, Unpromised);
        }

        if (_atWork.Count == 0 || !_atWork.TrueForAll(static work => work.IsPaused)) return;
        var youngest = _atWork[^1];
        _atWork.Remove(youngest);
        Release(youngest.Sequence);
        youngest.Promised = 0;
        _queue.AddFirst(youngest);
        Extend();
    }

    // Those that write would stand in the squares of those that read, so each kind has its own steps, in turn.
    bool Fill()
    {
        _wanted.Clear();
        _step++;
        var ready = _atWork.FindAll(static work => !work.IsPaused);
        var writing = ready.FindAll(static work => work.Sequence.Writes);
        _hasRead = ready.Count > writing.Count && (writing.Count == 0 || !_hasRead);
        if (_hasRead) Read([.. ready.Except(writing).OrderBy(static work => work.ReadAt)], writing.Count > 0);
        else writing.ForEach(work => Add(work, 1));
        return _hasRead;
    }

    // A piece each, who waits longest first; as much as is left where few read.
    void Read(List<Work> reading, bool isBeside)
    {
        var budget = Math.Min(_context.Shape.BatchTokens, _pace.ReadingTokens(isBeside));
        for (var i = 0; i < reading.Count; i++)
        {
            var work = reading[i];
            var share = Math.Max(PieceTokens, budget / (reading.Count - i));
            var taken = Math.Min(share, work.Sequence.Waiting);
            // Half a piece is left for the next step, but for the first one's.
            if (taken > budget && i > 0) return;
            taken = Math.Min(taken, budget);
            Add(work, taken);
            work.ReadAt = _step;
            budget -= taken;
        }
    }

    void Add(Work work, int count)
    {
        var sequence = work.Sequence;
        for (var i = 0; i < count; i++)
        {
            var position = sequence.Computed;
            var isLast = position == sequence.Tokens.Count - 1;
            var index = _context.Add(sequence.Tokens[position], position, sequence.Number, isLast);
            if (isLast) _wanted.Add((work, index));
            sequence.Computed++;
        }

        _cells.Take(sequence.Cells, count);
        work.Promised -= count;
    }

    void Harvest()
    {
        foreach (var (work, index) in _wanted)
        {
            if (work.Answer.IsCancelled) continue;
            try
            {
                if (work.Answer.Next(_context, index, work.Sequence) is { } token) work.Sequence.Tokens.Add(token);
                else End(work);
            }
            catch (Exception e)
            {
                // The edge of a request: what fails ends this one alone.
                work.Answer.Fail(e);
                End(work);
            }
        }
    }

    void End(Work work)
    {
        _atWork.Remove(work);
        var sequence = work.Sequence;
        work.Promised = 0;
        sequence.Tokens.RemoveRange(sequence.Computed, sequence.Waiting);
        if (_keeps && sequence.Computed > 0)
        {
            foreach (var shorter in _kept.FindAll(kept => kept.Common(sequence, int.MaxValue) == kept.Computed))
            {
                _kept.Remove(shorter);
                Release(shorter);
            }

            _kept.Add(sequence);
        }
        else
        {
            Release(sequence);
        }
    }

    void Release(Sequence sequence)
    {
        if (sequence.Number < 0) return;
        _context.Forget(sequence.Number);
        _cells.Release(sequence.Cells);
        _numbers.Push(sequence.Number);
        (sequence.Number, sequence.Computed) = (-1, 0);
    }

    void Trim(Sequence sequence, int count)
    {
        _context.Forget(sequence.Number, count);
        _cells.Release(sequence.Cells, count);
        sequence.Tokens.RemoveRange(count, sequence.Tokens.Count - count);
        sequence.Computed = count;
    }

    void FailStep(int answer)
    {
        var reason = answer == 1
            ? new InferenceException("context-exceeded", $"the context of {_context.Shape.Cells} tokens is full")
            : new InferenceException("model-unavailable", $"llama.cpp could not compute the next tokens (code {answer})");
        FailAll(reason, _atWork);
    }

    // What llama.cpp's memory holds after a failed step is not certain: everybody begins anew.
    void FailAll(Exception reason, IEnumerable<Work> failed)
    {
        foreach (var work in failed.ToArray())
        {
            work.Answer.Fail(reason);
            Release(work.Sequence);
        }

        _atWork.Clear();
        foreach (var kept in _kept) Release(kept);
        _kept.Clear();
        _context.Clear();
    }

    public void Dispose() => _context.Dispose();
}
