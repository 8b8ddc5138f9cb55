namespace Millrace.Flows;

/// <summary>What went wrong with the platform itself.</summary>
public enum PlatformError
{
    /// <summary>Another server has the data folder.</summary>
    DataFolderLocked,
    /// <summary>The database is no database, or is damaged.</summary>
    DatabaseDamaged,
    /// <summary>The database was written by a later Millrace.</summary>
    DatabaseTooNew,
    /// <summary>The disk is full.</summary>
    DiskFull,
    /// <summary>Any other failure of reading or writing.</summary>
    StorageFailed,
    /// <summary>No such flow, run or operation.</summary>
    NotFound,
    /// <summary>The package cannot be deployed.</summary>
    PackageInvalid,
    /// <summary>The platform has been closed.</summary>
    Closed,
}

/// <summary>The platform cannot do what was asked; the message says what to do next.</summary>
public sealed class PlatformException(PlatformError error, string message, Exception? inner = null)
    : Exception(message, inner)
{
    /// <summary>What went wrong.</summary>
    public PlatformError Error { get; } = error;
}
