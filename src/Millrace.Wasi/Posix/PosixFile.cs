using Microsoft.Win32.SafeHandles;
using Millrace.Wasi.Abi;
using Millrace.Wasi.Files;

namespace Millrace.Wasi.Posix;

/// <summary>An open file of the host.</summary>
sealed unsafe class PosixFile(SafeFileHandle handle, Filetype type, Fdflags flags) : OpenFile
{
    const Fdflags Changeable = Fdflags.Append | Fdflags.Nonblock;

    Fdflags _flags = flags;

    public override Filetype Type { get; } = type;

    public override Fdflags Flags => _flags;

    int Fd => (int)handle.DangerousGetHandle();

    public override Errno Read(Span<byte> buffer, out int count)
    {
        fixed (byte* start = buffer)
        {
            var (at, length) = ((nint)start, (nuint)buffer.Length);
            var errno = PosixErrno.Repeat(() => Native.Read(Fd, (byte*)at, length), out var result);
            count = (int)Math.Max(0, result);
            return errno;
        }
    }

    public override Errno Write(ReadOnlySpan<byte> bytes, out int count)
    {
        fixed (byte* start = bytes)
        {
            var (at, length) = ((nint)start, (nuint)bytes.Length);
            var errno = PosixErrno.Repeat(() => Native.Write(Fd, (byte*)at, length), out var result);
            count = (int)Math.Max(0, result);
            return errno;
        }
    }

    public override Errno ReadAt(Span<byte> buffer, ulong offset, out int count)
    {
        fixed (byte* start = buffer)
        {
            var (at, length) = ((nint)start, (nuint)buffer.Length);
            var errno = PosixErrno.Repeat(() => Native.Pread(Fd, (byte*)at, length, (long)offset), out var result);
            count = (int)Math.Max(0, result);
            return errno;
        }
    }

    public override Errno WriteAt(ReadOnlySpan<byte> bytes, ulong offset, out int count)
    {
        count = 0;
        // Linux appends on pwrite too, when the file is open for appending; POSIX and preview 1 write at the offset.
        var isAppending = _flags.HasFlag(Fdflags.Append);
        if (isAppending && Native.Fcntl(Fd, Native.FSetfl, ToNative(_flags & ~Fdflags.Append)) != 0)
            return PosixErrno.Last();
        Errno errno;
        fixed (byte* start = bytes)
        {
            var (at, length) = ((nint)start, (nuint)bytes.Length);
            errno = PosixErrno.Repeat(() => Native.Pwrite(Fd, (byte*)at, length, (long)offset), out var result);
            count = (int)Math.Max(0, result);
        }

        if (isAppending && Native.Fcntl(Fd, Native.FSetfl, ToNative(_flags)) != 0) return PosixErrno.Last();
        return errno;
    }

    public override Errno Seek(long delta, Whence whence, out ulong position)
    {
        var result = Native.Lseek(Fd, delta, (int)whence);
        position = (ulong)Math.Max(0, result);
        return result < 0 ? PosixErrno.Last() : Errno.Success;
    }

    public override Errno SetSize(ulong size) => Check(Native.Ftruncate(Fd, (long)size));

    public override Errno Allocate(ulong offset, ulong length) =>
        PosixErrno.From(Native.PosixFallocate(Fd, (long)offset, (long)length));

    public override Errno Advise(ulong offset, ulong length, int advice) =>
        PosixErrno.From(Native.PosixFadvise(Fd, (long)offset, (long)length, ToNative(advice)));

    public override Errno SetFlags(Fdflags flags)
    {
        // Linux cannot change how writes are synchronised once a file is open.
        if (((flags ^ _flags) & ~Changeable) != 0) return Errno.Notsup;
        var errno = Check(Native.Fcntl(Fd, Native.FSetfl, ToNative(flags)));
        if (errno == Errno.Success) _flags = flags;
        return errno;
    }

    public override Errno Stat(out Filestat stat) => FileStatus.Read(Fd, out stat);

    public override Errno SetTimes(FileTimes times) => FileStatus.SetTimes(handle, false, times);

    public override Errno Sync(bool isDataOnly) => Check(isDataOnly ? Native.Fdatasync(Fd) : Native.Fsync(Fd));

    protected override void Close() => handle.Dispose();

    /// <summary>Preview 1's descriptor flags as open flags.</summary>
    public static int ToNative(Fdflags flags) =>
        (flags.HasFlag(Fdflags.Append) ? Native.OAppend : 0)
        | (flags.HasFlag(Fdflags.Nonblock) ? Native.ONonblock : 0)
        | (flags.HasFlag(Fdflags.Dsync) ? Native.ODsync : 0)
        | ((flags & (Fdflags.Sync | Fdflags.Rsync)) != 0 ? Native.OSync : 0);

    // normal, sequential, random, willneed, dontneed, noreuse: Linux has random before sequential.
    static int ToNative(int advice) => advice switch { 1 => 2, 2 => 1, _ => advice };

    static Errno Check(int result) => result != 0 ? PosixErrno.Last() : Errno.Success;
}
