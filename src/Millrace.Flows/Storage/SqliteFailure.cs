using Microsoft.Data.Sqlite;

namespace Millrace.Flows.Storage;

/// <summary>What SQLite's error codes mean to a person.</summary>
static class SqliteFailure
{
    const int NoMemory = 7;
    const int Io = 10;
    const int Corrupt = 11;
    const int Full = 13;
    const int NotADatabase = 26;

    /// <summary>Whether the failure is the file's, not the statement's.</summary>
    public static bool IsFatal(Exception exception) =>
        exception is SqliteException { SqliteErrorCode: NoMemory or Io or Corrupt or Full or NotADatabase };

    public static Exception Of(Exception exception) => exception switch
    {
        PlatformException => exception,
        SqliteException { SqliteErrorCode: Full } => new PlatformException(PlatformError.DiskFull,
            "The disk of the data folder is full. Nothing that was accepted is lost; free some space.", exception),
        SqliteException { SqliteErrorCode: Corrupt or NotADatabase } => Damaged(exception),
        SqliteException sqlite => new PlatformException(PlatformError.StorageFailed,
            $"millrace.db cannot be read or written ({sqlite.Message.TrimEnd('.')}).", exception),
        IOException or UnauthorizedAccessException => new PlatformException(PlatformError.StorageFailed,
            $"millrace.db cannot be opened ({exception.Message.TrimEnd('.')}).", exception),
        _ => new PlatformException(PlatformError.StorageFailed, "A write to millrace.db failed.", exception),
    };

    public static PlatformException Damaged(Exception? cause) => new(PlatformError.DatabaseDamaged,
        "millrace.db is damaged or no Millrace database. It was left as it is: "
        + "restore a backup, or move the file away to start afresh.", cause);
}
