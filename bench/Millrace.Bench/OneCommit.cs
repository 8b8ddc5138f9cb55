using System.Diagnostics;
using Microsoft.Data.Sqlite;

namespace Millrace.Bench;

/// <summary>
/// The least that accepting an event can cost: its two rows in one SQLite transaction, with the tables, indexes and
/// settings of the server's own database, on the same disk, and nothing around it.
/// </summary>
sealed class OneCommit : IDisposable
{
    readonly SqliteConnection _connection;
    readonly SqliteCommand _begin;
    readonly SqliteCommand _event;
    readonly SqliteCommand _run;
    readonly SqliteCommand _commit;
    long _next;

    /// <param name="path">The file to be made.</param>
    /// <param name="like">The server's database.</param>
    public OneCommit(string path, string like)
    {
        _connection = new($"Data Source={path};Pooling=False");
        _connection.Open();
        Execute("PRAGMA journal_mode=WAL");
        Execute("PRAGMA synchronous=FULL");
        Execute("PRAGMA wal_autocheckpoint=1000");
        foreach (var statement in Schema(like)) Execute(statement);
        _begin = Command("BEGIN IMMEDIATE");
        _event = Command(
            """
            INSERT INTO events(source, delivery_id, type, envelope, body, received_ms)
            VALUES('hooks/github/gh', $1, 'github.pull_request', $2, $3, $4) RETURNING id
            """);
        _run = Command(
            """
            INSERT INTO runs(id, event, name, version, partition, rank, state, seed, created_ms)
            VALUES($1, $2, 'receiver', 1, 'Codertocat/Hello-World#2', 1, 2, $3, $4)
            """);
        _commit = Command("COMMIT");
    }

    /// <summary>Commits an event with its run.</summary>
    public TimeSpan Run(string envelope, byte[] body)
    {
        var (delivery, now, seed) = ($"delivery-{++_next}", TimeProvider.System.GetUtcNow(), new byte[32]);
        var began = Stopwatch.GetTimestamp();
        _begin.ExecuteNonQuery();
        Bind(_event, delivery, envelope, body, now.ToUnixTimeMilliseconds());
        var id = (long)_event.ExecuteScalar()!;
        Bind(_run, $"{now.Ticks:x16}{_next:x16}", id, seed, now.ToUnixTimeMilliseconds());
        _run.ExecuteNonQuery();
        _commit.ExecuteNonQuery();
        return Stopwatch.GetElapsedTime(began);
    }

    static List<string> Schema(string path)
    {
        using var connection = new SqliteConnection($"Data Source={path};Mode=ReadWrite;Pooling=False");
        connection.Open();
        using var command = connection.CreateCommand();
        command.CommandText = "SELECT sql FROM sqlite_master WHERE tbl_name IN ('events', 'runs') AND sql IS NOT NULL";
        using var reader = command.ExecuteReader();
        var statements = new List<string>();
        while (reader.Read()) statements.Add(reader.GetString(0));
        return statements;
    }

    void Execute(string sql)
    {
        using var command = _connection.CreateCommand();
        command.CommandText = sql;
        command.ExecuteNonQuery();
    }

    SqliteCommand Command(string sql)
    {
        var command = _connection.CreateCommand();
        command.CommandText = sql;
        return command;
    }

    static void Bind(SqliteCommand command, params object[] values)
    {
        for (var i = 0; i < values.Length; i++)
        {
            if (command.Parameters.Count == i) command.Parameters.Add(new() { ParameterName = $"${i + 1}" });
            command.Parameters[i].Value = values[i];
        }
    }

    public void Dispose()
    {
        foreach (var command in (SqliteCommand[])[_begin, _event, _run, _commit]) command.Dispose();
        _connection.Dispose();
    }
}
