using System.Diagnostics;
using Millrace.Inference.Native;

namespace Millrace.Inference.Worker;

/// <summary>
/// How many tokens a step may read, so that nobody waits long for the next one and a cancel is heard soon; and how many
/// threads compute. More threads than free cores do not only bring nothing: they wait for each other in loops, and a step
/// can take a hundred times as long. So more are tried only while cores are free, for a few steps, and kept while they are
/// measured to be faster.
/// </summary>
sealed class Pace(int threads, int writingMax, int readingMax)
{
    // Read beside those that write, and alone.
    static readonly TimeSpan Beside = TimeSpan.FromMilliseconds(250);
    static readonly TimeSpan Alone = TimeSpan.FromSeconds(1);
    const int ReadingTokensMin = 32;

    // Attention is computed in squares of so many tokens: a step reads whole ones.
    const int Square = 64;

    readonly FreeCores _free = new();
    double _readPerSecond = 512;
    readonly ThreadTrial _writing = new(threads, writingMax);
    readonly ThreadTrial _reading = new(threads, readingMax);

    public int ReadingTokens(bool isBeside)
    {
        var tokens = (int)(_readPerSecond * (isBeside ? Beside : Alone).TotalSeconds);
        return Math.Max(ReadingTokensMin, (tokens + (Square / 4)) / Square * Square);
    }

    public void Prepare(LlamaContext context, int tokens, bool isReading)
    {
        if (Math.Max(writingMax, readingMax) > threads) _free.Look();
        // llama.cpp reckons one token as writing and more as reading, whatever they are.
        var next = Trial(tokens, isReading)?.Next(Now, _free.Count);
        context.SetThreads(tokens == 1 ? next ?? _writing.Best : _writing.Best, tokens > 1 ? next ?? _reading.Best : _reading.Best);
    }

    public void Measure(int tokens, bool isReading, TimeSpan took)
    {
        Trial(tokens, isReading)?.Measure(Now, took, tokens);
        if (isReading && tokens >= ReadingTokensMin)
            _readPerSecond += ((tokens / Math.Max(took.TotalSeconds, 1e-6)) - _readPerSecond) / 4;
    }

    static TimeSpan Now => Stopwatch.GetElapsedTime(0);

    // Short reads are like neither and would spoil both.
    ThreadTrial? Trial(int tokens, bool isReading) => !isReading ? _writing : tokens >= ReadingTokensMin ? _reading : null;
}
