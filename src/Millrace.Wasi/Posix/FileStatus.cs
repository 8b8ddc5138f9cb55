using System.Buffers.Binary;
using Microsoft.Win32.SafeHandles;
using Millrace.Wasi.Abi;

namespace Millrace.Wasi.Posix;

/// <summary>What the kernel tells of and lets change about an open file, even one opened as a mere place.</summary>
static unsafe class FileStatus
{
    public static Errno Read(int fd, out Filestat stat)
    {
        var buffer = stackalloc byte[Native.StatxByteLength];
        stat = default;
        if (Native.Statx(fd, "", Native.AtEmptyPath, Native.StatxBasic, buffer) != 0) return PosixErrno.Last();
        stat = Parse(new(buffer, Native.StatxByteLength));
        return Errno.Success;
    }

    public static Errno SetTimes(SafeFileHandle handle, bool isPlace, FileTimes times)
    {
        var both = stackalloc Native.Timespec[2];
        both[0] = Timespec(times.AccessedNs);
        both[1] = Timespec(times.ModifiedNs);
        var fd = (int)handle.DangerousGetHandle();
        var result = isPlace
            ? Native.Utimensat(fd, "", both, Native.AtEmptyPath)
            : Native.Futimens(fd, both);
        return result != 0 ? PosixErrno.Last() : Errno.Success;
    }

    public static Filetype TypeOf(int mode) => (mode & 0xf000) switch
    {
        0x4000 => Filetype.Directory,
        0x8000 => Filetype.RegularFile,
        0xa000 => Filetype.SymbolicLink,
        0x2000 => Filetype.CharacterDevice,
        0x6000 => Filetype.BlockDevice,
        0xc000 => Filetype.SocketStream,
        _ => Filetype.Unknown,
    };

    // Offsets of struct statx, the same on every architecture.
    static Filestat Parse(ReadOnlySpan<byte> statx) => new(
        ((ulong)U32(statx, 136) << 32) | U32(statx, 140), U64(statx, 32),
        TypeOf(BinaryPrimitives.ReadUInt16LittleEndian(statx[28..])), U32(statx, 16), U64(statx, 40),
        Nanoseconds(statx[64..]), Nanoseconds(statx[112..]), Nanoseconds(statx[96..]));

    static ulong Nanoseconds(ReadOnlySpan<byte> timestamp) =>
        (ulong)Math.Max(0, (long)U64(timestamp, 0)) * 1_000_000_000 + U32(timestamp, 8);

    static uint U32(ReadOnlySpan<byte> bytes, int at) => BinaryPrimitives.ReadUInt32LittleEndian(bytes[at..]);

    static ulong U64(ReadOnlySpan<byte> bytes, int at) => BinaryPrimitives.ReadUInt64LittleEndian(bytes[at..]);

    static Native.Timespec Timespec(ulong? time) => time switch
    {
        null => new() { Nanoseconds = Native.UtimeOmit },
        FileTimes.Now => new() { Nanoseconds = Native.UtimeNow },
        { } at => new() { Seconds = (long)(at / 1_000_000_000), Nanoseconds = (long)(at % 1_000_000_000) },
    };
}
