using System.Diagnostics;
using Microsoft.Data.Sqlite;

namespace Millrace.Flows.Storage;

/// <summary>
/// The one thread that writes. Writes are executed in the order of posting inside an open transaction; it is committed
/// when somebody waits for it and nothing more stands in the queue, or when the oldest write has lagged 10 ms. When a
/// commit fails, later writes of the same runs fail too, until the run is put back: a journal has no holes.
/// </summary>
sealed class SqliteWriter : IDisposable
{
    static readonly TimeSpan Lag = TimeSpan.FromMilliseconds(10);
    const int BatchMax = 512;

    readonly SqliteSession _session;
    readonly Thread _thread;
    readonly Queue<Job> _queue = [];
    readonly HashSet<long> _broken = [];
    bool _isClosing;
    bool _isAborted;

    public SqliteWriter(SqliteSession session)
    {
        _session = session;
        _thread = new(Loop) { IsBackground = true, Name = "store writer" };
        _thread.Start();
    }

    /// <summary>How many commits there were.</summary>
    public long Commits { get; private set; }

    /// <summary>Posts a write, of a run where one is named.</summary>
    public Ticket<T> Post<T>(bool lags, Func<SqliteSession, T> write, long? run = null)
    {
        var job = new Job<T>(lags, run, write);
        lock (_queue)
        {
            if (_isClosing) job.Fail(new PlatformException(PlatformError.Closed, "The platform is closed."));
            else _queue.Enqueue(job);
            Monitor.Pulse(_queue);
        }
        return new(job.Executed, job.Committed);
    }

    /// <summary>Posts a write and answers after its commit.</summary>
    public async Task<T> CommitAsync<T>(Func<SqliteSession, T> write, long? run = null)
    {
        var ticket = Post(lags: false, write, run);
        await ticket.Committed;
        return await ticket.Executed;
    }

    /// <summary>A run begins anew from its journal; called by a write.</summary>
    public void Mend(long run) => _broken.Remove(run);

    /// <summary>As a crash does: what is not committed is gone.</summary>
    public void Abort()
    {
        _isAborted = true;
        Dispose();
    }

    /// <summary>Commits what was posted and ends.</summary>
    public void Dispose()
    {
        lock (_queue)
        {
            _isClosing = true;
            Monitor.PulseAll(_queue);
        }
        _thread.Join();
        _session.Dispose();
    }

    void Loop()
    {
        var batch = new List<Job>();
        while (Take(Timeout.InfiniteTimeSpan) is { } first)
        {
            batch.Clear();
            try
            {
                WriteBatch(first, batch);
                foreach (var job in batch) job.Keep();
            }
            // The edge of the writer: whatever a write meets becomes the answer of those who posted it.
            catch (Exception exception)
            {
                Rollback();
                var failure = SqliteFailure.Of(exception);
                foreach (var job in batch) Fail(job, failure);
            }
        }
    }

    void WriteBatch(Job first, List<Job> batch)
    {
        batch.Add(first);
        _session.Run("BEGIN IMMEDIATE");
        var began = Stopwatch.GetTimestamp();
        var isAwaited = false;
        for (var job = first; job is not null;)
        {
            Write(job);
            isAwaited |= !job.Lags;
            if (batch.Count == BatchMax) break;
            var patience = isAwaited ? TimeSpan.Zero : Lag - Stopwatch.GetElapsedTime(began);
            job = Take(patience > TimeSpan.Zero ? patience : TimeSpan.Zero);
            if (job is not null) batch.Add(job);
        }
        if (_isAborted) throw new PlatformException(PlatformError.Closed, "The platform is closed.");
        _session.Run("COMMIT");
        Commits++;
    }

    void Fail(Job job, Exception failure)
    {
        if (job.Run is { } run) _broken.Add(run);
        job.Fail(failure);
    }

    void Write(Job job)
    {
        if (job.Run is { } run && _broken.Contains(run))
        {
            job.Fail(new PlatformException(PlatformError.StorageFailed, "An earlier step of the run was not kept."));
            return;
        }
        _session.Run("SAVEPOINT job");
        try
        {
            job.Execute(_session);
            _session.Run("RELEASE job");
        }
        // A failed write must not spoil its neighbours; one that the file system failed takes them along.
        catch (Exception exception) when (!SqliteFailure.IsFatal(exception))
        {
            _session.Run("ROLLBACK TO job");
            _session.Run("RELEASE job");
            Fail(job, SqliteFailure.Of(exception));
        }
    }

    void Rollback()
    {
        try
        {
            _session.Run("ROLLBACK");
        }
        catch (SqliteException)
        {
            // SQLite has rolled back by itself, as it does when the disk is full.
        }
    }

    Job? Take(TimeSpan patience)
    {
        lock (_queue)
        {
            if (_queue.Count == 0 && !_isClosing && patience != TimeSpan.Zero) Monitor.Wait(_queue, patience);
            while (_queue.Count == 0 && !_isClosing && patience == Timeout.InfiniteTimeSpan) Monitor.Wait(_queue);
            if (!_isAborted) return _queue.TryDequeue(out var job) ? job : null;
            foreach (var dropped in _queue)
                dropped.Fail(new PlatformException(PlatformError.Closed, "The platform is closed."));
            _queue.Clear();
            return null;
        }
    }

    abstract class Job(bool lags, long? run)
    {
        readonly TaskCompletionSource _committed = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public bool Lags { get; } = lags;

        public long? Run { get; } = run;

        public Task Committed => _committed.Task;

        public abstract void Execute(SqliteSession session);

        public void Keep() => _committed.TrySetResult();

        public virtual void Fail(Exception failure)
        {
            _committed.TrySetException(failure);
            // Whoever does not wait for a commit still learns of the loss from the next one.
            _ = _committed.Task.Exception;
        }
    }

    sealed class Job<T>(bool lags, long? run, Func<SqliteSession, T> write) : Job(lags, run)
    {
        readonly TaskCompletionSource<T> _executed = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Task<T> Executed => _executed.Task;

        public override void Execute(SqliteSession session) => _executed.TrySetResult(write(session));

        public override void Fail(Exception failure)
        {
            base.Fail(failure);
            if (_executed.TrySetException(failure)) _ = _executed.Task.Exception;
        }
    }
}
