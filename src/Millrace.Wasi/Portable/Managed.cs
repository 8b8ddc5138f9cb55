using System.Security.Cryptography;
using System.Text;
using Millrace.Wasi.Abi;

namespace Millrace.Wasi.Portable;

/// <summary>.NET's file errors and times in preview 1's words.</summary>
static class Managed
{
    public static Errno Try(Action call)
    {
        try
        {
            call();
            return Errno.Success;
        }
        catch (Exception e) when (TryErrno(e, out _))
        {
            TryErrno(e, out var errno);
            return errno;
        }
    }

    public static bool TryErrno(Exception exception, out Errno errno)
    {
        errno = exception switch
        {
            FileNotFoundException or DirectoryNotFoundException => Errno.Noent,
            PathTooLongException => Errno.Nametoolong,
            UnauthorizedAccessException => Errno.Acces,
            NotSupportedException => Errno.Notsup,
            IOException io => FromHResult(io),
            _ => Errno.Success,
        };
        return errno != Errno.Success;
    }

    // On Unix .NET puts the system's number into HResult.
    static Errno FromHResult(IOException exception) =>
        OperatingSystem.IsWindows() ? Errno.Io : Posix.PosixErrno.From(exception.HResult);

    public static ulong Nanoseconds(DateTime time) =>
        (ulong)Math.Max(0, (time - DateTime.UnixEpoch).Ticks) * (ulong)TimeSpan.NanosecondsPerTick;

    public static DateTime? Time(ulong? ns) => ns switch
    {
        null => null,
        FileTimes.Now => TimeProvider.System.GetUtcNow().UtcDateTime,
        { } at => DateTime.UnixEpoch.AddTicks((long)(at / (ulong)TimeSpan.NanosecondsPerTick)),
    };

    /// <summary>.NET tells no inodes: the path's digest stands in, the same as long as the file stays.</summary>
    public static Filestat Stat(string path, Filestat known) => known with
    {
        Inode = BitConverter.ToUInt64(SHA256.HashData(Encoding.UTF8.GetBytes(path))),
        ChangedNs = known.ModifiedNs,
    };
}
