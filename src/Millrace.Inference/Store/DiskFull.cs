namespace Millrace.Inference.Store;

/// <summary>Tells a full disk from other failures.</summary>
static class DiskFull
{
    // On Unix .NET puts the system's number into HResult: ENOSPC, EDQUOT (Linux, macOS). On Windows ERROR_DISK_FULL.
    static readonly int[] Codes = [28, 122, 69, unchecked((int)0x80070070)];

    public static bool Is(Exception exception) => exception is IOException && Codes.Contains(exception.HResult);
}
