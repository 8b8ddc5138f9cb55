using System.Collections.Immutable;
using Millrace.Sandbox;

namespace Millrace.Flows.Storage;

/// <summary>A write on its way: executed first, committed later, in the order of posting.</summary>
/// <param name="Executed">Its answer, before the commit.</param>
/// <param name="Committed">Ends with the commit; fails when nothing of it was kept.</param>
readonly record struct Ticket<T>(Task<T> Executed, Task Committed);

/// <summary>
/// The platform's memory. Commits happen in the order in which writes were posted, so that whoever waits for one
/// commit has all that was posted before it; a lagging write waits at most 10 ms for company.
/// </summary>
interface IStore : IAsyncDisposable
{
    /// <summary>Stores a package as a new version, or answers the newest one when it is equal byte for byte.</summary>
    Task<(PackageRow Package, bool IsNew)> DeployAsync(NewPackage package, long nowMs);

    /// <summary>The newest version of every package.</summary>
    Task<ImmutableArray<PackageRow>> PackagesAsync();

    Task<PackageRow?> PackageAsync(PackageKind kind, string name, int version);

    Task<byte[]> BlobAsync(byte[] hash);

    /// <summary>
    /// Commits an event with its runs, superseding what they supersede; or finds that it was here before.
    /// </summary>
    Task<Accepted> AcceptAsync(NewEvent newEvent, ImmutableArray<NewRun> runs);

    /// <summary>Runs whose turn it is, now leased; the commit lags.</summary>
    Task<ImmutableArray<RunRow>> LeaseAsync(string owner, DateTimeOffset now, DateTimeOffset until, int max);

    /// <summary>When the next queued run is due, if that is later than now.</summary>
    Task<DateTimeOffset?> NextDueAsync(DateTimeOffset now);

    /// <summary>Lengthens all leases of a node.</summary>
    Task RenewAsync(string owner, DateTimeOffset until);

    /// <summary>Takes over every leased run: the sole node has the lock of its data folder.</summary>
    Task<int> RecoverAsync(DateTimeOffset now);

    /// <summary>
    /// Puts a run back into the queue: after a loss, or at a planned stop, which never counts. Nothing happens when the
    /// lease is no longer the one that <paramref name="run"/> was given out with.
    /// </summary>
    Task ReleaseAsync(RunRow run, bool isLost, DateTimeOffset due, DateTimeOffset now);

    /// <summary>Ends a queued run, or tells a running one to end. Null: no such run, or it has ended.</summary>
    Task<RunState?> StopAsync(string run, StopReason reason, long nowMs);

    /// <summary>Ends a run and its open children, and makes the run for its failure.</summary>
    Task EndAsync(long run, RunEnding ending);

    /// <summary>Adds to a run's journal.</summary>
    Task AppendAsync(long run, int branch, bool lags, params ImmutableArray<JournalChange> changes);

    /// <summary>Adds a child run; answers its number. The commit lags.</summary>
    Ticket<long> BeginChild(long run, int branch, NewChild child);

    /// <summary>Changes keys and records it in the journal, in one transaction.</summary>
    Ticket<KvAnswer> ChangeKey(
        long run, int branch, bool lags, KvChange change, Func<KvAnswer, ImmutableArray<JournalChange>> record);

    /// <summary>Ends when everything posted so far is committed.</summary>
    Task FlushAsync();

    Task<KvValue?> KeyAsync(string scope, string key);

    Task<ImmutableArray<string>> KeysAsync(string scope, string prefix, string? after, int limit);

    Task<JournalRows> JournalAsync(long run, int branch);

    Task<RunRow?> RunAsync(string id);

    /// <summary>Child runs that answer one operation, or all of a run; oldest first.</summary>
    Task<ImmutableArray<RunRow>> ChildrenAsync(long run, long? sequence);

    /// <summary>Runs of events, newest first; of one flow, or of all.</summary>
    Task<ImmutableArray<RunRow>> RunsAsync(string? flow, string? beforeId, int limit);

    /// <summary>Envelope and body of a run's event.</summary>
    Task<(string Envelope, byte[] Body)> EventAsync(long id);

    Task<ImmutableArray<OutputRow>> OutputAsync(long run, OutputStream stream, long offset, int limit);

    /// <summary>Decides an unknown write of an ended run.</summary>
    Task<bool> ResolveAsync(long run, int branch, long sequence, OperationState state, OperationResult? result);
}
