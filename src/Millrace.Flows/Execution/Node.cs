using System.Collections.Frozen;
using System.Security.Cryptography;
using System.Text;
using Millrace.Flows.Door;
using Millrace.Flows.Operations;
using Millrace.Flows.Storage;

namespace Millrace.Flows.Execution;

/// <summary>What all runs of one server share.</summary>
sealed class Node(PlatformOptions options, IStore store) : IDisposable
{
    readonly CancellationTokenSource _stopping = new();
    long _leaseUntilMs;

    public IStore Store { get; } = store;

    public PlatformOptions Options { get; } = options;

    public TimeProvider Time => Options.Time;

    public TimeSpan SendDeadline => Options.SendDeadline;

    public required Catalog Catalog { get; init; }

    public RunFeeds Feeds { get; } = new();

    /// <summary>Execution slots.</summary>
    public SemaphoreSlim Slots { get; } = new(options.Slots);

    /// <summary>Operations that the host answers itself, besides the local ones.</summary>
    public required FrozenDictionary<string, BuiltIn> BuiltIns { get; init; }

    /// <summary>A connection by name.</summary>
    public required Func<string, Connection?> Connections { get; init; }

    /// <summary>Prepares guests.</summary>
    public required GuestFactory Guests { get; init; }

    /// <summary>Names this node's leases.</summary>
    public required string Owner { get; init; }

    /// <summary>Cancelled at a planned stop.</summary>
    public CancellationToken Stopping => _stopping.Token;

    /// <summary>After a crash, as tests make it, nothing leaves any more.</summary>
    public bool IsGone { get; set; }

    /// <summary>Until when the node may send in the name of its runs.</summary>
    public DateTimeOffset LeaseUntil
    {
        get => DateTimeOffset.FromUnixTimeMilliseconds(Volatile.Read(ref _leaseUntilMs));
        set => Volatile.Write(ref _leaseUntilMs, value.ToUnixTimeMilliseconds());
    }

    public bool MaySend => !IsGone && Time.GetUtcNow() < LeaseUntil;

    public void Stop() => _stopping.Cancel();

    /// <summary>Reaches a point where the kill test may kill.</summary>
    public void Hit(string point, string operation) => Options.FailPoint?.Invoke(point, operation);

    /// <summary>Names an effect: hash(run, branch, sequence).</summary>
    public static string KeyOf(string run, int branch, long sequence) => Convert.ToHexStringLower(
        SHA256.HashData(Encoding.UTF8.GetBytes($"{run}\n{branch}\n{sequence}")).AsSpan(0, 16));

    public void Dispose()
    {
        _stopping.Dispose();
        Slots.Dispose();
    }
}

/// <summary>Wakes those who follow a run when something of it was committed.</summary>
sealed class RunFeeds
{
    readonly Dictionary<string, TaskCompletionSource> _feeds = [];

    /// <summary>Ends with the next change; to be asked for before looking.</summary>
    public Task Changed(string run)
    {
        lock (_feeds)
        {
            if (!_feeds.TryGetValue(run, out var feed))
            {
                feed = new(TaskCreationOptions.RunContinuationsAsynchronously);
                _feeds.Add(run, feed);
            }
            return feed.Task;
        }
    }

    public void Pulse(string run)
    {
        TaskCompletionSource? feed;
        lock (_feeds) _feeds.Remove(run, out feed);
        feed?.TrySetResult();
    }
}
