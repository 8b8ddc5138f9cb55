using System.Diagnostics;
using Microsoft.AspNetCore.Http;
using Millrace.Cli;
using Millrace.Cli.Changes;
using Millrace.Cli.StandIn;

namespace Millrace.Bench;

/// <summary>One review: when its webhook was accepted, and when the stand-in had the whole of it.</summary>
readonly record struct ReviewTimes(string Run, TimeSpan Accepted, TimeSpan Posted);

/// <summary>Pull requests that are reviewed one after another; the stand-in says when a review is there.</summary>
sealed class Reviewing
{
    readonly Site _site;
    readonly Change _change = SampleChange.Read(Shipped.Sample("small"));
    TaskCompletionSource<long> _posted = new(TaskCreationOptions.RunContinuationsAsynchronously);
    string _method = "";
    int _number;

    public Reviewing(Site site)
    {
        _site = site;
        site.GitHub.Applied = request =>
        {
            Note(request);
            return Task.CompletedTask;
        };
    }

    public string Describe => $"{_change.Files.Length} files, +{_change.Additions} −{_change.Deletions}";

    /// <summary>A pull request that nobody saw before.</summary>
    public PullRequest Open()
    {
        var pull = new PullRequest("millrace", $"sample-{++_number}", 1, _change);
        _site.GitHub.Add(pull);
        return pull;
    }

    /// <summary>Ends with the stamp at which the next request of this method on a comment was applied.</summary>
    public Task<long> NextAsync(string method)
    {
        _method = method;
        _posted = new(TaskCreationOptions.RunContinuationsAsynchronously);
        return _posted.Task.WaitAsync(TimeSpan.FromSeconds(30));
    }

    /// <summary>Has Millrace review a new pull request, and waits for the run's end too.</summary>
    public async Task<ReviewTimes> ReviewAsync()
    {
        var signed = _site.Opened(Open());
        // The placeholder is a POST; the review takes its place.
        var posted = NextAsync(HttpMethods.Patch);
        var began = Stopwatch.GetTimestamp();
        var (run, accepted) = await _site.SendAsync(signed);
        var stamp = await posted;
        await _site.Control.WaitForEndAsync(run);
        return new(run, accepted, Stopwatch.GetElapsedTime(began, stamp));
    }

    void Note(HttpRequest request)
    {
        if (request.Method == _method && request.Path.Value!.Contains("/comments", StringComparison.Ordinal))
            _posted.TrySetResult(Stopwatch.GetTimestamp());
    }
}
