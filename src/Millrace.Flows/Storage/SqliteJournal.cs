using Microsoft.Data.Sqlite;
using Millrace.Sandbox;

namespace Millrace.Flows.Storage;

/// <summary>Rows of operations, deliveries and outputs.</summary>
static class SqliteJournal
{
    public static void Apply(SqliteSession session, long run, int branch, JournalChange change)
    {
        switch (change)
        {
            case OperationAsked asked:
                Ask(session, run, branch, asked.Row);
                break;
            case AskCounted asked:
                session.Run(
                    "UPDATE operations SET state=$4, asks=$5, tokens=$6, reserved=$7 "
                    + "WHERE run=$1 AND branch=$2 AND sequence=$3",
                    run, branch, asked.Sequence, (int)asked.State, asked.Asks, asked.Tokens, asked.Reserved);
                break;
            case OperationEnded ended:
                End(session, run, branch, ended);
                break;
            case RoundBegun round:
                session.Run(
                    "UPDATE operations SET rounds=$4 WHERE run=$1 AND branch=$2 AND sequence=$3",
                    run, branch, round.Sequence, round.Round);
                break;
            case Delivered delivered:
                var (kind, sequence, atNs) = delivered.Delivery;
                session.Run(
                    "INSERT INTO deliveries(run, branch, position, kind, sequence, at_ns) "
                    + "VALUES($1, $2, $3, $4, $5, $6)",
                    run, branch, delivered.Position, (int)kind, sequence, atNs);
                break;
            case Wrote wrote:
                session.Run(
                    "INSERT INTO outputs(run, stream, offset, bytes, at_ms) VALUES($1, $2, $3, $4, $5)",
                    run, (int)wrote.Stream, wrote.Offset, wrote.Bytes, wrote.AtMs);
                break;
            case Responded responded:
                session.Run(
                    "UPDATE runs SET respond_status=$2, respond_headers=$3 WHERE number=$1",
                    run, responded.Status, responded.Headers);
                break;
            case ChildEnded ended:
                SqliteQueue.EndChild(session, ended.Id, ended.Ending);
                break;
            default:
                throw new ArgumentOutOfRangeException(nameof(change), change, "No such change.");
        }
    }

    public static JournalRows Load(SqliteSession session, long run, int branch)
    {
        var operations = session.All(
            """
            SELECT sequence, name, digest, kind, state, head, head_hash, body, body_hash, result_state, result_head,
                   result_head_hash, result_body, result_body_hash, completed_ns, tokens, reserved, asks, rounds,
                   started_ns, duration_ms
            FROM operations WHERE run=$1 AND branch=$2 ORDER BY sequence
            """,
            row => Map(session, row), run, branch);
        var deliveries = session.All(
            "SELECT kind, sequence, at_ns FROM deliveries WHERE run=$1 AND branch=$2 ORDER BY position",
            row => new Delivery((DeliveryKind)row.GetInt32(0), row.GetInt64(1), row.GetInt64(2)), run, branch);
        return new([.. operations], [.. deliveries],
            Length(session, run, OutputStream.Result), Length(session, run, OutputStream.Log));
    }

    public static bool Resolve(
        SqliteSession session, long run, int branch, long sequence, OperationState state, OperationResult? result)
    {
        var isUnknown = session.Value(
            "SELECT 1 FROM operations WHERE run=$1 AND branch=$2 AND sequence=$3 AND state=$4",
            run, branch, sequence, (int)OperationState.Unknown) is not null;
        if (isUnknown) End(session, run, branch, new(sequence, state, result, 0, 0));
        return isUnknown;
    }

    static void Ask(SqliteSession session, long run, int branch, OperationRow row)
    {
        var (head, headHash) = session.Split(row.Head);
        var (body, bodyHash) = session.Split(row.Body);
        session.Run(
            """
            INSERT INTO operations(run, branch, sequence, name, digest, kind, state, head, head_hash, body, body_hash,
                                   tokens, reserved, asks, started_ns)
            VALUES($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)
            ON CONFLICT(run, branch, sequence) DO NOTHING
            """,
            run, branch, row.Sequence, row.Name, row.Digest, (int)row.Kind, (int)row.State, head, headHash, body,
            bodyHash, row.Tokens, row.Reserved, row.Asks, row.StartedNs);
        if (row.Result is { } result)
            End(session, run, branch, new(row.Sequence, row.State, result, row.Tokens, row.DurationMs));
    }

    static void End(SqliteSession session, long run, int branch, OperationEnded ended)
    {
        (byte[]? Inline, byte[]? Hash) head = default, body = default;
        if (ended.Result is { } result) (head, body) = (session.Split(result.Head), session.Split(result.Body));
        session.Run(
            """
            UPDATE operations SET state=$4, result_state=$5, result_head=$6, result_head_hash=$7, result_body=$8,
                   result_body_hash=$9, completed_ns=$10, tokens=$11, reserved=0, duration_ms=$12
            WHERE run=$1 AND branch=$2 AND sequence=$3
            """,
            run, branch, ended.Sequence, (int)ended.State, (int?)ended.Result?.State, head.Inline, head.Hash,
            body.Inline, body.Hash, ended.Result?.CompletedAtNs, ended.Tokens, ended.DurationMs);
    }

    public static long BeginChild(SqliteSession session, long run, int branch, NewChild child) => (long)session.Value(
        """
        INSERT INTO runs(id, parent, parent_branch, parent_sequence, name, version, operation, connection, state,
                         attempts, seed, created_ms, started_ns, attempt_ns)
        VALUES($1, $2, $3, $4, $5, $6, $7, $8, 1, 1, $9, $10, $11, $11) RETURNING number
        """,
        child.Id, run, branch, child.ParentSequence, child.Integration, child.Version, child.Operation,
        child.Connection, child.Seed, child.StartedNs / 1_000_000, child.StartedNs)!;

    static long Length(SqliteSession session, long run, OutputStream stream) => (long?)session.Value(
        "SELECT offset + length(bytes) FROM outputs WHERE run=$1 AND stream=$2 ORDER BY offset DESC LIMIT 1",
        run, (int)stream) ?? 0;

    static OperationRow Map(SqliteSession session, SqliteDataReader row) => new()
    {
        Sequence = row.GetInt64(0),
        Name = row.GetString(1),
        Digest = row.GetFieldValue<byte[]>(2),
        Kind = (OperationKind)row.GetInt32(3),
        State = (OperationState)row.GetInt32(4),
        Head = session.Join(row.Bytes(5), row.Bytes(6)),
        Body = session.Join(row.Bytes(7), row.Bytes(8)),
        Result = row.IsDBNull(9) ? null : new(
            (ResultState)row.GetInt32(9), session.Join(row.Bytes(10), row.Bytes(11)),
            session.Join(row.Bytes(12), row.Bytes(13)), row.GetInt64(14)),
        Tokens = row.GetInt64(15),
        Reserved = row.GetInt64(16),
        Asks = row.GetInt32(17),
        Rounds = row.GetInt32(18),
        StartedNs = row.GetInt64(19),
        DurationMs = row.GetInt64(20),
    };
}
