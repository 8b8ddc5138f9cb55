using Microsoft.Win32.SafeHandles;
using Millrace.Wasi.Abi;
using Millrace.Wasi.Files;

namespace Millrace.Wasi.Portable;

/// <summary>An open file of the host, by .NET's own means.</summary>
sealed class ManagedFile(SafeFileHandle handle, string path, Fdflags flags) : OpenFile
{
    Fdflags _flags = flags;
    long _position;

    public override Filetype Type => Filetype.RegularFile;

    public override Fdflags Flags => _flags;

    public override Errno Read(Span<byte> buffer, out int count)
    {
        var errno = ReadAt(buffer, (ulong)_position, out count);
        _position += count;
        return errno;
    }

    public override Errno Write(ReadOnlySpan<byte> bytes, out int count)
    {
        if (_flags.HasFlag(Fdflags.Append)) _position = RandomAccess.GetLength(handle);
        var errno = WriteAt(bytes, (ulong)_position, out count);
        _position += count;
        return errno;
    }

    public override Errno ReadAt(Span<byte> buffer, ulong offset, out int count)
    {
        count = 0;
        try
        {
            count = RandomAccess.Read(handle, buffer, (long)offset);
            return Errno.Success;
        }
        catch (Exception e) when (Managed.TryErrno(e, out _))
        {
            Managed.TryErrno(e, out var errno);
            return errno;
        }
    }

    public override Errno WriteAt(ReadOnlySpan<byte> bytes, ulong offset, out int count)
    {
        count = 0;
        try
        {
            RandomAccess.Write(handle, bytes, (long)offset);
        }
        catch (Exception e) when (Managed.TryErrno(e, out _))
        {
            Managed.TryErrno(e, out var errno);
            return errno;
        }

        count = bytes.Length;
        return Errno.Success;
    }

    public override Errno Seek(long delta, Whence whence, out ulong position)
    {
        var from = whence switch { Whence.Set => 0, Whence.Cur => _position, _ => RandomAccess.GetLength(handle) };
        position = (ulong)_position;
        if (delta > 0 && from > long.MaxValue - delta) return Errno.Overflow;
        if (from + delta < 0) return Errno.Inval;
        _position = from + delta;
        position = (ulong)_position;
        return Errno.Success;
    }

    public override Errno SetSize(ulong size) => Managed.Try(() => RandomAccess.SetLength(handle, (long)size));

    public override Errno Allocate(ulong offset, ulong length) => Managed.Try(() =>
    {
        if (RandomAccess.GetLength(handle) < (long)(offset + length))
            RandomAccess.SetLength(handle, (long)(offset + length));
    });

    public override Errno SetFlags(Fdflags flags)
    {
        if (((flags ^ _flags) & ~(Fdflags.Append | Fdflags.Nonblock)) != 0) return Errno.Notsup;
        _flags = flags;
        return Errno.Success;
    }

    public override Errno Stat(out Filestat stat)
    {
        var size = 0UL;
        var times = default(Filestat);
        var errno = Managed.Try(() =>
        {
            size = (ulong)RandomAccess.GetLength(handle);
            times = Managed.Stat(path, new(
                0, 0, Filetype.RegularFile, 1, size, Managed.Nanoseconds(File.GetLastAccessTimeUtc(handle)),
                Managed.Nanoseconds(File.GetLastWriteTimeUtc(handle)), 0));
        });
        stat = times;
        return errno;
    }

    public override Errno SetTimes(FileTimes times) => Managed.Try(() =>
    {
        if (Managed.Time(times.AccessedNs) is { } accessed) File.SetLastAccessTimeUtc(handle, accessed);
        if (Managed.Time(times.ModifiedNs) is { } modified) File.SetLastWriteTimeUtc(handle, modified);
    });

    public override Errno Sync(bool isDataOnly) => Managed.Try(() => RandomAccess.FlushToDisk(handle));

    protected override void Close() => handle.Dispose();
}
