using System.Runtime.InteropServices;
using System.Security.Cryptography;
using Microsoft.Data.Sqlite;

namespace Millrace.Flows.Storage;

/// <summary>One connection with its prepared statements. Parameters are $1, $2, …; for one thread at a time.</summary>
sealed class SqliteSession : IDisposable
{
    /// <summary>Longer values are stored once, by hash.</summary>
    public const int InlineBytesMax = 64 * 1024;

    readonly SqliteConnection _connection;
    readonly Dictionary<string, SqliteCommand> _commands = [];

    public SqliteSession(string path, bool isWriter)
    {
        _connection = new(new SqliteConnectionStringBuilder
        {
            DataSource = path,
            Mode = SqliteOpenMode.ReadWrite,
            Pooling = false,
            DefaultTimeout = 10,
        }.ToString());
        try
        {
            _connection.Open();
            Execute("PRAGMA busy_timeout=10000");
            if (!isWriter)
            {
                Execute("PRAGMA query_only=1");
                return;
            }
            Execute("PRAGMA journal_mode=WAL");
            // NORMAL passes every kill and still loses data at a power cut.
            Execute("PRAGMA synchronous=FULL");
            Execute("PRAGMA wal_autocheckpoint=1000");
        }
        catch
        {
            _connection.Dispose();
            throw;
        }
    }

    /// <summary>Runs statements that are not worth preparing.</summary>
    public void Execute(string sql)
    {
        using var command = _connection.CreateCommand();
        command.CommandText = sql;
        command.ExecuteNonQuery();
    }

    /// <summary>Runs a statement; answers how many rows it changed.</summary>
    public int Run(string sql, params ReadOnlySpan<object?> arguments) => Bind(sql, arguments).ExecuteNonQuery();

    /// <summary>The single value that a query answers, or null.</summary>
    public object? Value(string sql, params ReadOnlySpan<object?> arguments)
    {
        var value = Bind(sql, arguments).ExecuteScalar();
        return value is DBNull ? null : value;
    }

    /// <summary>The first row, or the default.</summary>
    public T? First<T>(string sql, Func<SqliteDataReader, T> map, params ReadOnlySpan<object?> arguments)
    {
        using var reader = Bind(sql, arguments).ExecuteReader();
        return reader.Read() ? map(reader) : default;
    }

    /// <summary>All rows.</summary>
    public List<T> All<T>(string sql, Func<SqliteDataReader, T> map, params ReadOnlySpan<object?> arguments)
    {
        using var reader = Bind(sql, arguments).ExecuteReader();
        var rows = new List<T>();
        while (reader.Read()) rows.Add(map(reader));
        return rows;
    }

    /// <summary>A value and its hash as two columns take them: one of them is null.</summary>
    public (byte[]? Inline, byte[]? Hash) Split(ReadOnlyMemory<byte> bytes)
    {
        if (bytes.Length <= InlineBytesMax) return (AsArray(bytes), null);
        return (null, PutBlob(bytes));
    }

    /// <summary>Stores bytes by hash, once.</summary>
    public byte[] PutBlob(ReadOnlyMemory<byte> bytes)
    {
        var hash = SHA256.HashData(bytes.Span);
        Run("INSERT INTO blobs(hash, bytes) VALUES($1, $2) ON CONFLICT DO NOTHING", hash, AsArray(bytes));
        return hash;
    }

    /// <summary>The value of two columns that <see cref="Split"/> filled.</summary>
    public byte[] Join(byte[]? inline, byte[]? hash) =>
        inline ?? (hash is null ? [] : Blob(hash) ?? throw new InvalidDataException("A stored body is missing."));

    public byte[]? Blob(byte[] hash) => (byte[]?)Value("SELECT bytes FROM blobs WHERE hash=$1", hash);

    public void Dispose()
    {
        foreach (var command in _commands.Values) command.Dispose();
        _connection.Dispose();
    }

    SqliteCommand Bind(string sql, ReadOnlySpan<object?> arguments)
    {
        if (!_commands.TryGetValue(sql, out var command))
        {
            command = _connection.CreateCommand();
            command.CommandText = sql;
            for (var i = 1; i <= arguments.Length; i++) command.Parameters.Add(new() { ParameterName = $"${i}" });
            _commands.Add(sql, command);
        }
        for (var i = 0; i < arguments.Length; i++) command.Parameters[i].Value = arguments[i] ?? DBNull.Value;
        return command;
    }

    static byte[] AsArray(ReadOnlyMemory<byte> bytes) =>
        MemoryMarshal.TryGetArray(bytes, out var segment) && segment.Offset == 0
        && segment.Array is { } array && array.Length == segment.Count
            ? array
            : bytes.ToArray();
}

/// <summary>Columns that may be null.</summary>
static class SqliteColumns
{
    public static string? Text(this SqliteDataReader row, int column) =>
        row.IsDBNull(column) ? null : row.GetString(column);

    public static long? Long(this SqliteDataReader row, int column) =>
        row.IsDBNull(column) ? null : row.GetInt64(column);

    public static byte[]? Bytes(this SqliteDataReader row, int column) =>
        row.IsDBNull(column) ? null : row.GetFieldValue<byte[]>(column);
}
