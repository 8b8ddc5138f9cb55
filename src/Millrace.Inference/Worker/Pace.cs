using Millrace.Inference.Native;

namespace Millrace.Inference.Worker;

/// <summary>
/// How many tokens a step may read, so that nobody waits long for the next one and a cancel is heard soon; and how many
/// threads compute. More threads than free cores do not only bring nothing: they wait for each other in loops, and a step
/// can take a hundred times as long. So more are tried only for a few steps, and kept while they are measured to be faster.
/// </summary>
sealed class Pace(int threads, int writingMax, int readingMax)
{
    // Read beside those that write, and alone.
    static readonly TimeSpan Beside = TimeSpan.FromMilliseconds(250);
    static readonly TimeSpan Alone = TimeSpan.FromSeconds(1);
    const int ReadingTokensMin = 32;

    double _readPerSecond = 512;
    readonly ThreadTrial _writing = new(threads, writingMax);
    readonly ThreadTrial _reading = new(threads, readingMax);

    public int ReadingTokens(bool isBeside) =>
        Math.Max(ReadingTokensMin, (int)(_readPerSecond * (isBeside ? Beside : Alone).TotalSeconds));

    public void Prepare(LlamaContext context, int tokens, bool isReading)
    {
        // llama.cpp reckons one token as writing and more as reading, whatever they are.
        var next = Trial(tokens, isReading)?.Next();
        context.SetThreads(tokens == 1 ? next ?? _writing.Best : _writing.Best, tokens > 1 ? next ?? _reading.Best : _reading.Best);
    }

    public void Measure(int tokens, bool isReading, TimeSpan took)
    {
        var perSecond = tokens / Math.Max(took.TotalSeconds, 1e-6);
        Trial(tokens, isReading)?.Measure(perSecond);
        if (isReading && tokens >= ReadingTokensMin) _readPerSecond += (perSecond - _readPerSecond) / 4;
    }

    // Short reads are like neither and would spoil both.
    ThreadTrial? Trial(int tokens, bool isReading) => !isReading ? _writing : tokens >= ReadingTokensMin ? _reading : null;
}

/// <summary>One number of threads against another, by what is measured.</summary>
sealed class ThreadTrial
{
    // Steps of one trial, and between the first two; a trial that fails doubles the distance to the next.
    const int TrialSteps = 3;
    const int DistanceMin = 32;
    const int DistanceMax = 4096;

    // A gain below this is noise.
    const double Gain = 1.1;

    readonly int _least;
    readonly int _most;
    readonly double[] _perSecond;
    int _tried;
    int _left;
    int _distance = DistanceMin;
    int _until = DistanceMin;

    public ThreadTrial(int least, int most)
    {
        (_least, _most, _tried, Best) = (least, most, least, least);
        _perSecond = new double[most + 1];
    }

    public int Best { get; private set; }

    /// <summary>Threads of the next step.</summary>
    public int Next()
    {
        if (_most == _least) return Best;
        if (_left > 0) return _tried;
        if (--_until > 0) return Best;
        // Up where there is room, else down: the machine may have become busy.
        _tried = Best < _most ? Math.Min(_most, Best * 2) : Math.Max(_least, Best / 2);
        (_left, _perSecond[_tried]) = (TrialSteps, 0);
        return _tried;
    }

    public void Measure(double perSecond)
    {
        if (_left == 0)
        {
            ref var usual = ref _perSecond[Best];
            // Fallen to a quarter of what it was: the cores went to somebody else.
            if (Best > _least && usual > 0 && perSecond < usual / 4) (Best, _until) = (_least, _distance);
            else usual = usual == 0 ? perSecond : usual + ((perSecond - usual) / 8);
            return;
        }

        ref var tried = ref _perSecond[_tried];
        tried = Math.Max(tried, perSecond);
        // One step slower by far is enough to know.
        _left = perSecond < _perSecond[Best] / 2 ? 0 : _left - 1;
        if (_left > 0) return;
        var isBetter = tried > _perSecond[Best] * (_tried > Best ? Gain : 1);
        if (isBetter) (Best, _distance) = (_tried, DistanceMin);
        else _distance = Math.Min(DistanceMax, _distance * 2);
        _until = _distance;
    }
}
