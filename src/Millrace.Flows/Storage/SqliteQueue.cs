using System.Collections.Immutable;
using Millrace.Flows.Triggers;

namespace Millrace.Flows.Storage;

/// <summary>Events, and the way of their runs from queued to ended.</summary>
static class SqliteQueue
{
    const int FailureRank = 0;
    const int UsualRank = 1;

    // Grows with every row that a run's journal gains, and with every result.
    const string Progress =
        """
        ((SELECT count(*) + count(completed_ns) FROM operations WHERE run=runs.number)
         + (SELECT count(*) FROM deliveries WHERE run=runs.number))
        """;

    // The last thing an attempt is known to have done; what came after it does not count as its wall time.
    const string LastNs =
        """
        max(coalesce((SELECT max(completed_ns) FROM operations WHERE run=runs.number), 0),
            coalesce((SELECT max(at_ns) FROM deliveries WHERE run=runs.number), 0))
        """;

    const string BelowRun =
        """
        WITH RECURSIVE below(number) AS (
          SELECT number FROM runs WHERE parent=$1
          UNION ALL SELECT runs.number FROM runs JOIN below ON runs.parent=below.number)
        """;

    public static Accepted Accept(SqliteSession session, NewEvent newEvent, ImmutableArray<NewRun> runs)
    {
        var known = session.Value(
            "SELECT id FROM events WHERE source=$1 AND delivery_id=$2", newEvent.Source, newEvent.DeliveryId);
        if (known is long earlier)
        {
            var ids = session.All(
                "SELECT id FROM runs WHERE event=$1 ORDER BY number", row => row.GetString(0), earlier);
            return new(true, [.. ids], []);
        }
        var id = InsertEvent(session, newEvent);
        var superseded = new List<string>();
        foreach (var run in runs)
        {
            if (run.Partition is not null && run.Concurrency != Concurrency.Queue)
                superseded.AddRange(Supersede(session, run, newEvent.ReceivedMs));
            InsertRun(session, run, id, UsualRank, failureOf: null, newEvent.ReceivedMs);
        }
        return new(false, [.. runs.Select(run => run.Id)], [.. superseded]);
    }

    public static ImmutableArray<RunRow> Lease(
        SqliteSession session, string owner, DateTimeOffset now, DateTimeOffset until, int max)
    {
        var due = session.All(
            """
            SELECT number FROM runs r
            WHERE state=0 AND due_ms<=$1 AND (partition IS NULL OR (stop<>0 AND attempts=0)
              OR (NOT EXISTS(SELECT 1 FROM runs o WHERE o.name=r.name AND o.partition=r.partition AND o.state=1)
                  AND NOT EXISTS(SELECT 1 FROM runs o WHERE o.name=r.name AND o.partition=r.partition AND o.state=0
                                 AND (o.rank, o.number)<(r.rank, r.number))))
            ORDER BY rank, number LIMIT $2
            """,
            row => row.GetInt64(0), now.ToUnixTimeMilliseconds(), max);
        var nowNs = (now - DateTimeOffset.UnixEpoch).Ticks * 100;
        return
        [
            .. due.Select(number => session.First(
                $"""
                UPDATE runs SET state=1, attempts=attempts+1, lease_owner=$2, lease_until_ms=$3, attempt_ns=$4,
                       started_ns=coalesce(started_ns, $4), rows_at_lease={Progress}
                WHERE number=$1 RETURNING {SqliteRuns.Columns}
                """,
                SqliteRuns.Map, number, owner, until.ToUnixTimeMilliseconds(), nowNs)!),
        ];
    }

    public static DateTimeOffset? NextDue(SqliteSession session, DateTimeOffset now) =>
        session.Value("SELECT min(due_ms) FROM runs WHERE state=0 AND due_ms>$1", now.ToUnixTimeMilliseconds())
            is long due ? DateTimeOffset.FromUnixTimeMilliseconds(due) : null;

    public static int Recover(SqliteSession session, DateTimeOffset now)
    {
        var leased = session.All(
            "SELECT number, attempts FROM runs WHERE state=1 AND parent IS NULL",
            row => (Run: row.GetInt64(0), Attempt: row.GetInt64(1)));
        foreach (var (run, attempt) in leased) Release(session, run, attempt, isLost: true, now, now);
        return leased.Count;
    }

    public static bool Release(
        SqliteSession session, long run, long attempt, bool isLost, DateTimeOffset due, DateTimeOffset now) =>
        session.Run(
        $"""
        UPDATE runs SET state=0, due_ms=$2, lease_owner=NULL, lease_until_ms=NULL,
               former_lease_ms=min(coalesce(lease_until_ms, $3), $3),
               lost=CASE WHEN $4=0 THEN lost WHEN {Progress}>rows_at_lease THEN 1 ELSE lost+1 END,
               wall_used_ms=wall_used_ms + max(0, ({LastNs} - coalesce(attempt_ns, 0)) / 1000000)
        WHERE number=$1 AND state=1 AND attempts=$5
        """,
        run, due.ToUnixTimeMilliseconds(), now.ToUnixTimeMilliseconds(), isLost ? 1 : 0, attempt) > 0;

    public static RunState? Stop(SqliteSession session, string run, StopReason reason, long nowMs)
    {
        // A queued run is told to end as well: its end may have to make the run for its failure.
        var state = session.Value(
            "UPDATE runs SET stop=$2, due_ms=min(due_ms, $3) WHERE id=$1 AND state<2 AND parent IS NULL "
            + "RETURNING state", run, (int)reason, nowMs);
        return state is long value ? (RunState)value : null;
    }

    public static bool End(SqliteSession session, long run, RunEnding ending)
    {
        var id = (string?)session.Value(
            """
            UPDATE runs SET state=2, outcome=$2, exit_code=$3, message=$4, cpu_ms=$5, memory_peak=$6, ended_ms=$7,
                   lease_owner=NULL, lease_until_ms=NULL
            WHERE number=$1 AND state<>2 RETURNING id
            """,
            run, (int)ending.Outcome, ending.ExitCode, ending.Message, ending.CpuMs, ending.MemoryBytesPeak,
            ending.EndedMs);
        if (id is null) return false;
        EndChildrenOf(session, run, ending.EndedMs);
        if (ending.FailureEvent is { } failure)
        {
            InsertRun(session, ending.FailureRun!, InsertEvent(session, failure), FailureRank, id, ending.EndedMs);
        }
        return true;
    }

    public static void EndChild(SqliteSession session, string id, RunEnding ending)
    {
        if (session.Value("SELECT number FROM runs WHERE id=$1", id) is long number) End(session, number, ending);
    }

    /// <summary>Numbers of child runs, their child runs, and so on.</summary>
    public static List<long> Below(SqliteSession session, long run) =>
        session.All($"{BelowRun} SELECT number FROM below", row => row.GetInt64(0), run);

    static void EndChildrenOf(SqliteSession session, long run, long nowMs) => session.Run(
        $"""
        {BelowRun}
        UPDATE runs SET state=2, outcome=$2, message='The caller has ended.', ended_ms=$3
        WHERE state<>2 AND number IN (SELECT number FROM below)
        """,
        run, (int)RunOutcome.Lost, nowMs);

    static List<string> Supersede(SqliteSession session, NewRun run, long nowMs)
    {
        session.Run(
            """
            UPDATE runs SET state=2, outcome=$3, ended_ms=$4, message='A later event took its place.'
            WHERE name=$1 AND partition=$2 AND state=0 AND attempts=0 AND stop=0 AND failure_of IS NULL
            """,
            run.Flow, run.Partition, (int)RunOutcome.Superseded, nowMs);
        // One that was executed before may have writes to settle; it ends when they are.
        return session.All(
            """
            UPDATE runs SET stop=$3 WHERE name=$1 AND partition=$2 AND stop=0 AND failure_of IS NULL
              AND ((state=0 AND attempts>0) OR (state=1 AND $4)) RETURNING id
            """,
            row => row.GetString(0), run.Flow, run.Partition, (int)StopReason.Superseded,
            run.Concurrency == Concurrency.CancelRunning ? 1 : 0);
    }

    static long InsertEvent(SqliteSession session, NewEvent newEvent)
    {
        var (body, hash) = session.Split(newEvent.Body);
        return (long)session.Value(
            """
            INSERT INTO events(source, delivery_id, type, envelope, body, body_hash, received_ms)
            VALUES($1, $2, $3, $4, $5, $6, $7) RETURNING id
            """,
            newEvent.Source, newEvent.DeliveryId, newEvent.Type, newEvent.Envelope, body, hash, newEvent.ReceivedMs)!;
    }

    static void InsertRun(
        SqliteSession session, NewRun run, long eventId, int rank, string? failureOf, long nowMs) => session.Run(
        """
        INSERT INTO runs(id, event, name, version, partition, rank, state, seed, created_ms, failure_of)
        VALUES($1, $2, $3, $4, $5, $6, 0, $7, $8, $9)
        """,
        run.Id, eventId, run.Flow, run.Version, run.Partition, rank, run.Seed, nowMs, failureOf);
}
