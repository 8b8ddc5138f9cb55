using System.Globalization;
using Millrace.Inference;

namespace Millrace.Cli.Pulling;

/// <summary>A pull as a line for a person: bar, share, rate, and how long it will take.</summary>
sealed class PullMeter(TimeProvider time)
{
    const int BarWidth = 24;

    // A rate over less than this jumps about; over more it lags behind.
    static readonly TimeSpan Window = TimeSpan.FromSeconds(5);
    static readonly TimeSpan FirstWords = TimeSpan.FromSeconds(1);

    readonly Queue<(long At, long Bytes)> _samples = new();

    public string Line(PullProgress progress)
    {
        if (progress.Waits is { } why)
        {
            _samples.Clear();
            return why;
        }

        var now = time.GetTimestamp();
        _samples.Enqueue((now, progress.Bytes));
        while (_samples.Count > 2 && time.GetElapsedTime(_samples.Peek().At, now) > Window) _samples.Dequeue();
        var (at, bytes) = _samples.Peek();
        var took = time.GetElapsedTime(at, now);
        var rate = took >= FirstWords ? (progress.Bytes - bytes) / took.TotalSeconds : 0;
        return string.Join("  ", new[] { Share(progress), Rate(rate), Left(progress, rate) }.Where(word => word.Length > 0));
    }

    static string Share(PullProgress progress)
    {
        if (progress.Total is not (> 0 and var total)) return Words.Size(progress.Bytes);
        var filled = (int)(BarWidth * progress.Bytes / total);
        var bar = new string('━', filled) + new string('─', BarWidth - filled);
        return string.Create(
            CultureInfo.InvariantCulture, $"{bar} {100 * progress.Bytes / total} %  {Words.Size(progress.Bytes)} of {Words.Size(total)}");
    }

    static string Rate(double rate) => rate > 0 ? $"{Words.Size((long)rate)}/s" : "";

    static string Left(PullProgress progress, double rate) => rate > 0 && progress.Total is { } total
        ? $"{Words.Took(TimeSpan.FromSeconds(Math.Ceiling((total - progress.Bytes) / rate)))} left" : "";
}
