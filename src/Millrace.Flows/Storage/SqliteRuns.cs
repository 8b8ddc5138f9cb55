using System.Collections.Immutable;
using Microsoft.Data.Sqlite;
using Millrace.Sandbox;

namespace Millrace.Flows.Storage;

/// <summary>Reading runs, their events and their outputs.</summary>
static class SqliteRuns
{
    public const string Columns =
        "number, id, event, parent, parent_sequence, name, version, operation, connection, branch, partition, state, "
        + "stop, outcome, exit_code, message, attempts, lost, former_lease_ms, seed, created_ms, started_ns, "
        + "wall_used_ms, ended_ms, respond_status, respond_headers, failure_of, cpu_ms, memory_peak, "
        + "(SELECT type FROM events WHERE events.id=runs.event)";

    public static RunRow? ById(SqliteSession session, string id) =>
        session.First($"SELECT {Columns} FROM runs WHERE id=$1", Map, id);

    public static ImmutableArray<RunRow> Children(SqliteSession session, long run, long? sequence) =>
    [
        .. session.All(
            $"SELECT {Columns} FROM runs WHERE parent=$1 AND ($2 IS NULL OR parent_sequence=$2) ORDER BY number",
            Map, run, sequence),
    ];

    public static ImmutableArray<RunRow> List(SqliteSession session, string? flow, string? beforeId, int limit) =>
    [
        .. session.All(
            $"""
            SELECT {Columns} FROM runs WHERE parent IS NULL AND ($1 IS NULL OR name=$1)
              AND ($2 IS NULL OR number < (SELECT number FROM runs WHERE id=$2))
            ORDER BY number DESC LIMIT $3
            """,
            Map, flow, beforeId, limit),
    ];

    public static (string, byte[]) Event(SqliteSession session, long id) => session.First(
        "SELECT envelope, body, body_hash FROM events WHERE id=$1",
        row => (row.GetString(0), session.Join(row.Bytes(1), row.Bytes(2))), id);

    public static ImmutableArray<OutputRow> Output(
        SqliteSession session, long run, OutputStream stream, long offset, int limit) =>
    [
        .. session.All(
            "SELECT stream, offset, bytes, at_ms FROM outputs WHERE run=$1 AND stream=$2 AND offset>=$3 "
            + "ORDER BY offset LIMIT $4",
            row => new OutputRow(
                (OutputStream)row.GetInt32(0), row.GetInt64(1), row.GetFieldValue<byte[]>(2), row.GetInt64(3)),
            run, (int)stream, offset, limit),
    ];

    public static RunRow Map(SqliteDataReader row) => new()
    {
        Number = row.GetInt64(0),
        Id = row.GetString(1),
        Event = row.Long(2),
        Parent = row.Long(3),
        ParentSequence = row.Long(4),
        Name = row.GetString(5),
        Version = row.GetInt32(6),
        Operation = row.Text(7),
        Connection = row.Text(8),
        Branch = row.GetInt32(9),
        Partition = row.Text(10),
        State = (RunState)row.GetInt32(11),
        Stop = (StopReason)row.GetInt32(12),
        Outcome = (RunOutcome?)(int?)row.Long(13),
        ExitCode = row.GetInt32(14),
        Message = row.GetString(15),
        Attempts = row.GetInt32(16),
        Lost = row.GetInt32(17),
        FormerLeaseMs = row.Long(18),
        Seed = row.GetFieldValue<byte[]>(19),
        CreatedMs = row.GetInt64(20),
        StartedNs = row.Long(21),
        WallUsedMs = row.GetInt64(22),
        EndedMs = row.Long(23),
        RespondStatus = (int?)row.Long(24),
        RespondHeaders = row.Text(25),
        FailureOf = row.Text(26),
        CpuMs = row.GetInt64(27),
        MemoryBytesPeak = row.GetInt64(28),
        EventType = row.Text(29),
    };
}
