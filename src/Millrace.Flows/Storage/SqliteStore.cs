using System.Collections.Concurrent;
using System.Collections.Immutable;
using Microsoft.Data.Sqlite;
using Millrace.Sandbox;

namespace Millrace.Flows.Storage;

/// <summary>The store in one SQLite file: one writer, readers on connections of their own.</summary>
sealed class SqliteStore : IStore
{
    /// <summary>Larger databases are not read through at every start.</summary>
    const long CheckedBytesMax = 64L << 20;

    readonly string _path;
    readonly SqliteWriter _writer;
    readonly ConcurrentBag<SqliteSession> _readers = [];

    SqliteStore(string path, SqliteSession session)
    {
        _path = path;
        _writer = new(session);
    }

    /// <summary>How many commits there were.</summary>
    public long Commits => _writer.Commits;

    /// <summary>Opens the database, or makes it, readable by its owner only.</summary>
    /// <exception cref="PlatformException">It is damaged, too new, or cannot be read.</exception>
    public static SqliteStore Open(string path)
    {
        SqliteSession? session = null;
        try
        {
            Create(path);
            session = new SqliteSession(path, isWriter: true);
            Check(session, path);
            SqliteSchema.Migrate(session);
            return new(path, session);
        }
        catch (Exception exception) when (exception is SqliteException or IOException or UnauthorizedAccessException
            or PlatformException)
        {
            session?.Dispose();
            throw SqliteFailure.Of(exception);
        }
    }

    /// <summary>As a full disk does: the file grows no further. For tests.</summary>
    public Task LimitAsync(int pages) =>
        _writer.CommitAsync(session => session.Value($"PRAGMA max_page_count={pages}"));

    /// <summary>As a crash does: what is not committed is gone.</summary>
    public void Abort()
    {
        _writer.Abort();
        DisposeReaders();
    }

    public ValueTask DisposeAsync()
    {
        _writer.Dispose();
        DisposeReaders();
        return default;
    }

    public Task<(PackageRow Package, bool IsNew)> DeployAsync(NewPackage package, long nowMs) =>
        _writer.CommitAsync(session => SqlitePackages.Deploy(session, package, nowMs));

    public Task<ImmutableArray<PackageRow>> PackagesAsync() => Read(SqlitePackages.Newest);

    public Task<PackageRow?> PackageAsync(PackageKind kind, string name, int version) =>
        Read(session => SqlitePackages.Version(session, kind, name, version));

    public Task<byte[]> BlobAsync(byte[] hash) => Read(session => session.Join(null, hash));

    public Task<Accepted> AcceptAsync(NewEvent newEvent, ImmutableArray<NewRun> runs) =>
        _writer.CommitAsync(session => SqliteQueue.Accept(session, newEvent, runs));

    public Task<ImmutableArray<RunRow>> LeaseAsync(string owner, DateTimeOffset now, DateTimeOffset until, int max) =>
        _writer.Post(lags: true, session => SqliteQueue.Lease(session, owner, now, until, max)).Executed;

    public Task<DateTimeOffset?> NextDueAsync(DateTimeOffset now) =>
        _writer.Post(lags: true, session => SqliteQueue.NextDue(session, now)).Executed;

    public Task RenewAsync(string owner, DateTimeOffset until) => _writer.CommitAsync(session => session.Run(
        "UPDATE runs SET lease_until_ms=$1 WHERE state=1 AND lease_owner=$2", until.ToUnixTimeMilliseconds(), owner));

    public Task<int> RecoverAsync(DateTimeOffset now) =>
        _writer.CommitAsync(session => SqliteQueue.Recover(session, now));

    public Task ReleaseAsync(RunRow run, bool isLost, DateTimeOffset due, DateTimeOffset now) =>
        _writer.CommitAsync(session =>
        {
            foreach (var number in SqliteQueue.Below(session, run.Number).Prepend(run.Number)) _writer.Mend(number);
            return SqliteQueue.Release(session, run.Number, run.Attempts, isLost, due, now);
        });

    public Task<RunState?> StopAsync(string run, StopReason reason, long nowMs) =>
        _writer.CommitAsync(session => SqliteQueue.Stop(session, run, reason, nowMs));

    public Task EndAsync(long run, RunEnding ending) =>
        _writer.CommitAsync(session => SqliteQueue.End(session, run, ending), run);

    public Task AppendAsync(long run, int branch, bool lags, params ImmutableArray<JournalChange> changes) =>
        _writer.Post(lags, session =>
        {
            foreach (var change in changes) SqliteJournal.Apply(session, run, branch, change);
            return true;
        }, run).Committed;

    public Ticket<long> BeginChild(long run, int branch, NewChild child) =>
        _writer.Post(lags: true, session => SqliteJournal.BeginChild(session, run, branch, child), run);

    public Ticket<KvAnswer> ChangeKey(
        long run, int branch, bool lags, KvChange change, Func<KvAnswer, ImmutableArray<JournalChange>> record) =>
        _writer.Post(lags, session =>
        {
            var answer = SqliteKeys.Change(session, change);
            foreach (var row in record(answer)) SqliteJournal.Apply(session, run, branch, row);
            return answer;
        }, run);

    public Task FlushAsync() => _writer.Post(lags: false, _ => true).Committed;

    public Task<KvValue?> KeyAsync(string scope, string key) => Read(session => SqliteKeys.Get(session, scope, key));

    public Task<ImmutableArray<string>> KeysAsync(string scope, string prefix, string? after, int limit) =>
        Read(session => SqliteKeys.List(session, scope, prefix, after, limit));

    public Task<JournalRows> JournalAsync(long run, int branch) =>
        Read(session => SqliteJournal.Load(session, run, branch));

    public Task<RunRow?> RunAsync(string id) => Read(session => SqliteRuns.ById(session, id));

    public Task<ImmutableArray<RunRow>> ChildrenAsync(long run, long? sequence) =>
        Read(session => SqliteRuns.Children(session, run, sequence));

    public Task<ImmutableArray<RunRow>> RunsAsync(string? flow, string? beforeId, int limit) =>
        Read(session => SqliteRuns.List(session, flow, beforeId, limit));

    public Task<(string Envelope, byte[] Body)> EventAsync(long id) => Read(session => SqliteRuns.Event(session, id));

    public Task<ImmutableArray<OutputRow>> OutputAsync(long run, OutputStream stream, long offset, int limit) =>
        Read(session => SqliteRuns.Output(session, run, stream, offset, limit));

    public Task<bool> ResolveAsync(
        long run, int branch, long sequence, OperationState state, OperationResult? result) =>
        _writer.CommitAsync(session => SqliteJournal.Resolve(session, run, branch, sequence, state, result));

    static void Create(string path)
    {
        if (File.Exists(path)) return;
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows()) options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        new FileStream(path, options).Dispose();
    }

    static void Check(SqliteSession session, string path)
    {
        if (new FileInfo(path).Length > CheckedBytesMax) return;
        if (session.Value("PRAGMA quick_check(1)") is "ok") return;
        throw SqliteFailure.Damaged(null);
    }

    Task<T> Read<T>(Func<SqliteSession, T> read)
    {
        try
        {
            if (!_readers.TryTake(out var session)) session = new(_path, isWriter: false);
            var answer = read(session);
            _readers.Add(session);
            return Task.FromResult(answer);
        }
        catch (SqliteException exception)
        {
            return Task.FromException<T>(SqliteFailure.Of(exception));
        }
    }

    void DisposeReaders()
    {
        while (_readers.TryTake(out var session)) session.Dispose();
    }
}
