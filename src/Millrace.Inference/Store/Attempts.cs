namespace Millrace.Inference.Store;

/// <summary>Waits after what may work when it is tried again, and gives up in the end.</summary>
sealed class Attempts(ModelHubOptions options)
{
    // Who asks for more is not waited for: the person is told instead.
    static readonly TimeSpan WaitMax = TimeSpan.FromSeconds(30);

    int _failed;

    /// <summary>The last attempt brought something.</summary>
    public void Succeeded() => _failed = 0;

    /// <exception cref="ModelHubException">It was tried often enough, or is to be tried later only.</exception>
    public async Task WaitAsync(HubBrokenException failure, CancellationToken cancel)
    {
        if (++_failed >= options.AttemptsMax || failure.Wait > WaitMax) throw new ModelHubException(failure.Message, failure);
        await Task.Delay(failure.Wait ?? options.RetryDelay * Math.Pow(2, _failed - 1), options.Time, cancel);
    }
}
