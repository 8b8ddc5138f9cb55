using System.Runtime.InteropServices;

namespace Millrace.Wasi.Posix;

/// <summary>The C library's calls, name for name. Linux, 64 bit.</summary>
static unsafe partial class Native
{
    const string C = "libc";

    public const int AtFdcwd = -100;
    public const int AtRemovedir = 0x200;
    public const int AtSymlinkFollow = 0x400;
    public const int AtEmptyPath = 0x1000;

    public const int ORdonly = 0;
    public const int OWronly = 1;
    public const int ORdwr = 2;
    public const int OCreat = 0x40;
    public const int OExcl = 0x80;
    public const int ONoctty = 0x100;
    public const int OTrunc = 0x200;
    public const int OAppend = 0x400;
    public const int ONonblock = 0x800;
    public const int ODsync = 0x1000;
    public const int OSync = 0x101000;
    public const int OCloexec = 0x80000;
    public const int OPath = 0x200000;

    // The two flags that arm and x86 number differently.
    static readonly bool IsArm = RuntimeInformation.ProcessArchitecture == Architecture.Arm64;
    public static readonly int ODirectory = IsArm ? 0x4000 : 0x10000;
    public static readonly int ONofollow = IsArm ? 0x8000 : 0x20000;

    public const int FSetfl = 4;

    public const long UtimeNow = 0x3fffffff;
    public const long UtimeOmit = 0x3ffffffe;

    public const int StatxBasic = 0x7ff;
    public const int StatxByteLength = 256;

    /// <summary>openat2 has one number on all architectures, and no function in older C libraries.</summary>
    const long SysOpenat2 = 437;
    const ulong ResolveNoMagiclinks = 0x02;
    const ulong ResolveBeneath = 0x08;

    [StructLayout(LayoutKind.Sequential)]
    struct OpenHow
    {
        public ulong Flags;
        public ulong Mode;
        public ulong Resolve;
    }

    [StructLayout(LayoutKind.Sequential)]
    public struct Timespec
    {
        public long Seconds;
        public long Nanoseconds;
    }

    /// <summary>Opens a path that may not leave the directory, as the kernel walks it: no check to race.</summary>
    public static long OpenBeneath(int directory, string path, int flags, int mode)
    {
        const ulong Beneath = ResolveBeneath | ResolveNoMagiclinks;
        var how = new OpenHow { Flags = (uint)flags, Mode = (uint)mode, Resolve = Beneath };
        return Syscall(SysOpenat2, directory, path, &how, (nuint)sizeof(OpenHow));
    }

    [LibraryImport(C, EntryPoint = "syscall", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial long Syscall(long number, long directory, string path, OpenHow* how, nuint size);

    [LibraryImport(C, EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int Open(string path, int flags, int mode);

    [LibraryImport(C, EntryPoint = "read", SetLastError = true)]
    public static partial nint Read(int fd, byte* buffer, nuint count);

    [LibraryImport(C, EntryPoint = "write", SetLastError = true)]
    public static partial nint Write(int fd, byte* buffer, nuint count);

    [LibraryImport(C, EntryPoint = "pread", SetLastError = true)]
    public static partial nint Pread(int fd, byte* buffer, nuint count, long offset);

    [LibraryImport(C, EntryPoint = "pwrite", SetLastError = true)]
    public static partial nint Pwrite(int fd, byte* buffer, nuint count, long offset);

    [LibraryImport(C, EntryPoint = "lseek", SetLastError = true)]
    public static partial long Lseek(int fd, long offset, int whence);

    [LibraryImport(C, EntryPoint = "ftruncate", SetLastError = true)]
    public static partial int Ftruncate(int fd, long length);

    [LibraryImport(C, EntryPoint = "posix_fallocate")]
    public static partial int PosixFallocate(int fd, long offset, long length);

    [LibraryImport(C, EntryPoint = "posix_fadvise")]
    public static partial int PosixFadvise(int fd, long offset, long length, int advice);

    [LibraryImport(C, EntryPoint = "fsync", SetLastError = true)]
    public static partial int Fsync(int fd);

    [LibraryImport(C, EntryPoint = "fdatasync", SetLastError = true)]
    public static partial int Fdatasync(int fd);

    [LibraryImport(C, EntryPoint = "fcntl", SetLastError = true)]
    public static partial int Fcntl(int fd, int command, long argument);

    [LibraryImport(C, EntryPoint = "futimens", SetLastError = true)]
    public static partial int Futimens(int fd, Timespec* times);

    [LibraryImport(C, EntryPoint = "utimensat", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int Utimensat(int directory, string path, Timespec* times, int flags);

    [LibraryImport(C, EntryPoint = "statx", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int Statx(int directory, string path, int flags, uint mask, byte* buffer);

    [LibraryImport(C, EntryPoint = "getdents64", SetLastError = true)]
    public static partial nint Getdents64(int fd, byte* buffer, nuint count);

    [LibraryImport(C, EntryPoint = "mkdirat", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int Mkdirat(int directory, string path, int mode);

    [LibraryImport(C, EntryPoint = "unlinkat", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int Unlinkat(int directory, string path, int flags);

    [LibraryImport(C, EntryPoint = "renameat", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int Renameat(int directory, string path, int target, string targetPath);

    [LibraryImport(C, EntryPoint = "linkat", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int Linkat(int directory, string path, int target, string targetPath, int flags);

    [LibraryImport(C, EntryPoint = "symlinkat", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int Symlinkat(string content, int directory, string path);

    [LibraryImport(C, EntryPoint = "readlinkat", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial nint Readlinkat(int directory, string path, byte* buffer, nuint count);
}
