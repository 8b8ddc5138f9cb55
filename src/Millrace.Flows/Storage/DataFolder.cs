namespace Millrace.Flows.Storage;

/// <summary>The data folder, for one server at a time.</summary>
static class DataFolder
{
    /// <summary>Makes the folder when it is absent, and locks it until the result is disposed.</summary>
    public static IDisposable Lock(string folder)
    {
        try
        {
            const UnixFileMode Owner = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;
            if (OperatingSystem.IsWindows()) Directory.CreateDirectory(folder);
            else Directory.CreateDirectory(folder, Owner);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new PlatformException(PlatformError.StorageFailed,
                $"The data folder '{folder}' cannot be made ({exception.Message}).", exception);
        }
        try
        {
            return new FileStream(
                Path.Combine(folder, "lock"), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (IOException exception)
        {
            throw new PlatformException(PlatformError.DataFolderLocked,
                $"Another server has the data folder '{folder}': stop it, or name another folder with --data.",
                exception);
        }
        catch (UnauthorizedAccessException exception)
        {
            throw new PlatformException(PlatformError.StorageFailed,
                $"The data folder '{folder}' cannot be written.", exception);
        }
    }
}
