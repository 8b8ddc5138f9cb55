namespace Millrace.Inference.Worker;

/// <summary>One number of threads against another, by what is measured.</summary>
sealed class ThreadTrial
{
    // Steps of one trial, and those before the first.
    const int TrialSteps = 4;
    const int StepsBefore = 8;

    // A gain below this is noise.
    const double Gain = 1.1;

    // Threads of llama.cpp wait for each other in loops: where one of them lacks a core, all stand. So many of the cores
    // that are wanted must be free for a trial, and so many for going on.
    const double FreeToTry = 0.9;
    const double FreeToStay = 0.8;

    // A trial that failed is followed by none for so many times its own time, and twice as long each time.
    const int PayOff = 50;
    static readonly TimeSpan WaitMin = TimeSpan.FromSeconds(1);
    static readonly TimeSpan WaitMax = TimeSpan.FromMinutes(5);

    readonly int _least;
    readonly int _most;
    readonly double[] _perSecond;
    int _tried;
    int _left;
    int _measured;
    int _triedTokens;
    TimeSpan _cost;
    TimeSpan _wait = WaitMin;
    TimeSpan _next;

    public ThreadTrial(int least, int most)
    {
        (_least, _most, _tried, Best) = (least, most, least, least);
        _perSecond = new double[most + 1];
    }

    public int Best { get; private set; }

    /// <summary>Threads of the next step.</summary>
    /// <param name="now">On any clock.</param>
    /// <param name="free">Cores that others leave; null where that is not known.</param>
    public int Next(TimeSpan now, double? free)
    {
        if (_most == _least) return Best;
        if (Best > _least && free < Best * FreeToStay) Fall(now);
        if (_left > 0) return _tried;
        if (_measured < StepsBefore || now < _next) return Best;
        // Up where there is room, else down: the machine may have become busy.
        var tried = Best < _most ? Math.Min(_most, Best * 2) : Math.Max(_least, Best / 2);
        if (tried > Best && free < tried * FreeToTry) return Best;
        (_tried, _left, _triedTokens, _cost) = (tried, TrialSteps, 0, TimeSpan.Zero);
        return _tried;
    }

    public void Measure(TimeSpan now, TimeSpan took, int tokens)
    {
        var perSecond = tokens / Math.Max(took.TotalSeconds, 1e-6);
        ref var usual = ref _perSecond[Best];
        if (_left == 0)
        {
            _measured++;
            // Fallen to a quarter of what it was: the cores went to somebody else.
            if (Best > _least && usual > 0 && perSecond < usual / 4) Fall(now);
            else usual = usual == 0 ? perSecond : usual + ((perSecond - usual) / 8);
            return;
        }

        // All of it: the fastest of a few steps beats the usual one by chance.
        (_cost, _triedTokens) = (_cost + took, _triedTokens + tokens);
        ref var tried = ref _perSecond[_tried];
        tried = _triedTokens / Math.Max(_cost.TotalSeconds, 1e-6);
        // One step slower by far is enough to know.
        _left = perSecond < usual / 2 ? 0 : _left - 1;
        if (_left > 0) return;
        if (tried > usual * (_tried > Best ? Gain : 1)) (Best, _wait) = (_tried, WaitMin);
        else Lose();
        _next = now + _wait;
    }

    void Lose() => _wait = TimeSpan.FromTicks(Math.Min(WaitMax.Ticks, Math.Max(2 * _wait.Ticks, PayOff * _cost.Ticks)));

    void Fall(TimeSpan now)
    {
        (Best, _left, _measured, _cost) = (_least, 0, 0, TimeSpan.Zero);
        Lose();
        _next = now + _wait;
    }
}
