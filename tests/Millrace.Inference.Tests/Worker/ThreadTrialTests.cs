using Millrace.Inference.Worker;

namespace Millrace.Inference.Tests.Worker;

/// <summary>How many threads compute, on a machine whose cores come and go.</summary>
public sealed class ThreadTrialTests
{
    const int Cores = 2;

    readonly ThreadTrial _trial = new(1, Cores);
    TimeSpan _now;

    /// <summary>Steps of one token, each as long as this machine takes for it; answers the threads of each.</summary>
    List<int> Steps(int count, double? free, Func<int, double> milliseconds)
    {
        var threads = new List<int>();
        for (var i = 0; i < count; i++)
        {
            threads.Add(_trial.Next(_now, free));
            var took = TimeSpan.FromMilliseconds(milliseconds(threads[^1]));
            _now += took;
            _trial.Measure(_now, took, 1);
        }

        return threads;
    }

    static double Quiet(int threads) => 10.0 / threads;

    static double Busy(int threads) => threads == 1 ? 20 : 2000;

    [Fact]
    public void No_more_threads_are_tried_while_others_want_the_cores()
    {
        var threads = Steps(10_000, free: 1.1, Busy);

        Assert.All(threads, static one => Assert.Equal(1, one));
    }

    [Fact]
    public void More_threads_are_kept_where_they_are_faster_and_given_up_when_the_cores_go_to_others()
    {
        var before = Steps(100, free: 1, Quiet);
        var quiet = Steps(100, free: 2, Quiet);
        var after = Steps(100, free: 1.2, Quiet);

        Assert.All(before, static one => Assert.Equal(1, one));
        Assert.True(quiet.Count(static one => one == Cores) > 80);
        Assert.All(after, static one => Assert.Equal(1, one));
    }

    [Fact]
    public void Where_nobody_tells_which_cores_are_free_a_slow_step_is_seldom_tried_again()
    {
        var threads = Steps(5000, free: null, Busy);

        Assert.InRange(threads.Count(static one => one == Cores), 1, 2);
    }

    [Fact]
    public void One_lucky_step_among_slow_ones_is_no_gain()
    {
        var tried = 0;

        Steps(2000, free: 2, threads => threads == 1 ? 10 : tried++ % 4 == 1 ? 5 : 14);

        Assert.Equal(1, _trial.Best);
        Assert.InRange(tried, 1, 40);
    }

    [Fact]
    public void Who_falls_to_a_crawl_goes_on_with_one_thread_from_the_next_step()
    {
        Steps(200, free: 2, Quiet);
        Assert.Equal(Cores, _trial.Best);

        var threads = Steps(100, free: 2, Busy);

        Assert.Equal(1, threads.Count(static one => one == Cores));
    }
}
