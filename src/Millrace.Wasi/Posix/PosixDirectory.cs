using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text;
using Microsoft.Win32.SafeHandles;
using Millrace.Wasi.Abi;
using Millrace.Wasi.Files;

namespace Millrace.Wasi.Posix;

/// <summary>
/// An open directory of the host. The kernel walks every path (openat2, RESOLVE_BENEATH) and what is done by name is
/// done in the parent directory that it opened: between check and use there is no moment in which a name could be
/// made to mean something else.
/// </summary>
sealed unsafe class PosixDirectory(SafeFileHandle handle) : OpenDirectory
{
    const int DirectoryMode = 0x1ff; // 0777, less the process' umask
    const int FileMode = 0x1b6; // 0666

    static readonly Lazy<bool> Supported = new(() =>
    {
        if (!OperatingSystem.IsLinux() || !Environment.Is64BitProcess) return false;
        if (PosixErrno.OpenBeneath(Native.AtFdcwd, ".", Native.OPath, 0, out var fd) != Errno.Success) return false;
        new SafeFileHandle(fd, true).Dispose();
        return true;
    });

    /// <summary>Whether the kernel knows openat2 (Linux 5.6).</summary>
    public static bool IsSupported => Supported.Value;

    int Fd => (int)handle.DangerousGetHandle();

    /// <summary>Opens a directory by its path on the host.</summary>
    public static PosixDirectory OpenRoot(string path)
    {
        var fd = Native.Open(path, Native.ORdonly | Native.ODirectory | Native.OCloexec, 0);
        return fd >= 0
            ? new(new(fd, true))
            : throw new IOException($"cannot open directory '{path}': {Marshal.GetLastPInvokeErrorMessage()}");
    }

    public override Errno Open(string path, OpenMode mode, out OpenNode? node)
    {
        node = null;
        var flags = mode switch
        {
            { CanRead: true, CanWrite: true } => Native.ORdwr,
            { CanWrite: true } => Native.OWronly,
            // Linux truncates only what is open for writing; the descriptor's rights keep the guest from more.
            _ => mode.Oflags.HasFlag(Oflags.Trunc) ? Native.ORdwr : Native.ORdonly,
        };
        if (mode.Oflags.HasFlag(Oflags.Creat)) flags |= Native.OCreat;
        if (mode.Oflags.HasFlag(Oflags.Excl)) flags |= Native.OExcl;
        if (mode.Oflags.HasFlag(Oflags.Trunc)) flags |= Native.OTrunc;
        if (mode.Oflags.HasFlag(Oflags.Directory)) flags |= Native.ODirectory;
        if (!mode.Follow) flags |= Native.ONofollow;
        if (mode.Oflags.HasFlag(Oflags.Creat | Oflags.Directory)) return Errno.Inval;
        flags |= Native.ONoctty | PosixFile.ToNative(mode.Fdflags);
        var fileMode = mode.Oflags.HasFlag(Oflags.Creat) ? FileMode : 0;
        var errno = PosixErrno.OpenBeneath(Fd, path, flags, fileMode, out var fd);
        if (errno != Errno.Success) return errno;
        var opened = new SafeFileHandle(fd, true);
        errno = FileStatus.Read(fd, out var stat);
        if (errno != Errno.Success)
        {
            opened.Dispose();
            return errno;
        }

        node = stat.Type == Filetype.Directory
            ? new PosixDirectory(opened)
            : new PosixFile(opened, stat.Type, mode.Fdflags);
        return Errno.Success;
    }

    public override Errno Stat(out Filestat stat) => FileStatus.Read(Fd, out stat);

    public override Errno SetTimes(FileTimes times) => FileStatus.SetTimes(handle, false, times);

    public override Errno Sync(bool isDataOnly) => Check(isDataOnly ? Native.Fdatasync(Fd) : Native.Fsync(Fd));

    public override Errno List(out List<DirectoryEntry> entries)
    {
        entries = [];
        if (Native.Lseek(Fd, 0, (int)Whence.Set) < 0) return PosixErrno.Last();
        var buffer = new byte[32 * 1024];
        fixed (byte* start = buffer)
        {
            while (true)
            {
                var length = (int)Native.Getdents64(Fd, start, (nuint)buffer.Length);
                if (length < 0) return PosixErrno.Last();
                if (length == 0) return Errno.Success;
                Parse(buffer.AsSpan(0, length), entries);
            }
        }
    }

    public override Errno CreateDirectory(string path) =>
        InParent(path, static (parent, name) => Native.Mkdirat(parent, name, DirectoryMode));

    public override Errno RemoveDirectory(string path) =>
        InParent(path, static (parent, name) => Native.Unlinkat(parent, name, Native.AtRemovedir));

    public override Errno Unlink(string path) =>
        InParent(path, static (parent, name) => Native.Unlinkat(parent, name, 0));

    public override Errno Symlink(string content, string path) =>
        InParent(path, (parent, name) => Native.Symlinkat(content, parent, name));

    public override Errno StatAt(string path, bool follow, out Filestat stat)
    {
        stat = default;
        var errno = OpenPlace(path, follow, out var place);
        if (errno != Errno.Success) return errno;
        using (place) return FileStatus.Read((int)place.DangerousGetHandle(), out stat);
    }

    public override Errno SetTimesAt(string path, bool follow, FileTimes times)
    {
        var errno = OpenPlace(path, follow, out var place);
        if (errno != Errno.Success) return errno;
        using (place) return FileStatus.SetTimes(place, true, times);
    }

    public override Errno ReadLink(string path, out byte[] content)
    {
        content = [];
        var errno = OpenPlace(path, false, out var place);
        if (errno != Errno.Success) return errno;
        using (place)
        {
            var buffer = stackalloc byte[PathText.PathLengthMax];
            var length = Native.Readlinkat((int)place.DangerousGetHandle(), "", buffer, PathText.PathLengthMax);
            // Linux says "no entry" of a place that is no link; the specification's word is inval.
            if (length < 0) return PosixErrno.Last() is var last && last == Errno.Noent ? Errno.Inval : last;
            content = new ReadOnlySpan<byte>(buffer, (int)length).ToArray();
            return Errno.Success;
        }
    }

    public override Errno Link(string path, bool follow, OpenDirectory target, string targetPath)
    {
        if (target is not PosixDirectory other) return Errno.Xdev;
        if (path.EndsWith('/'))
        {
            // linkat would follow a link with a slash behind it, and tell of what is outside; this walk does not.
            var seen = StatAt(path, true, out _);
            return seen != Errno.Success ? seen : Errno.Perm;
        }

        if (!follow)
        {
            return InParent(path, (parent, name) => other.InParent(
                targetPath, (targetParent, targetName) => Native.Linkat(parent, name, targetParent, targetName, 0)));
        }

        // The link is followed by the walk, not by linkat, which knows no border; where it led is named by descriptor.
        var errno = OpenPlace(path, true, out var place);
        if (errno != Errno.Success) return errno;
        using (place)
        {
            var source = $"/proc/self/fd/{place.DangerousGetHandle()}";
            return other.InParent(targetPath, (targetParent, targetName) =>
                Native.Linkat(Native.AtFdcwd, source, targetParent, targetName, Native.AtSymlinkFollow));
        }
    }

    public override Errno Rename(string path, OpenDirectory target, string targetPath)
    {
        if (target is not PosixDirectory other) return Errno.Xdev;
        return InParent(path, (parent, name) => other.InParent(
            targetPath, (targetParent, targetName) => Native.Renameat(parent, name, targetParent, targetName)));
    }

    protected override void Close() => handle.Dispose();

    Errno OpenPlace(string path, bool follow, out SafeFileHandle place)
    {
        var flags = Native.OPath | (follow ? 0 : Native.ONofollow);
        var errno = PosixErrno.OpenBeneath(Fd, path, flags, 0, out var fd);
        place = new(fd, true);
        return errno;
    }

    Errno InParent(string path, Func<int, string, int> call) =>
        InParent(path, (parent, name) => Check(call(parent, name)));

    /// <summary>Opens the directory of a path's last name and does something in it.</summary>
    Errno InParent(string path, Func<int, string, Errno> call)
    {
        var (parent, name) = PathText.Split(path);
        var errno = PosixErrno.OpenBeneath(Fd, parent, Native.OPath | Native.ODirectory, 0, out var fd);
        if (errno != Errno.Success) return errno;
        using var opened = new SafeFileHandle(fd, true);
        return call(fd, name);
    }

    // struct linux_dirent64: ino, off, reclen, type, name with its zero.
    static void Parse(ReadOnlySpan<byte> records, List<DirectoryEntry> entries)
    {
        while (records.Length > 0)
        {
            var length = BinaryPrimitives.ReadUInt16LittleEndian(records[16..]);
            var name = records[19..length];
            name = name[..name.IndexOf((byte)0)];
            if (!name.SequenceEqual("."u8) && !name.SequenceEqual(".."u8))
            {
                entries.Add(new(
                    Encoding.UTF8.GetString(name), BinaryPrimitives.ReadUInt64LittleEndian(records),
                    FileStatus.TypeOf(records[18] << 12)));
            }

            records = records[length..];
        }
    }

    static Errno Check(int result) => result != 0 ? PosixErrno.Last() : Errno.Success;
}
