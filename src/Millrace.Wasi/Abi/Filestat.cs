namespace Millrace.Wasi.Abi;

/// <summary>What is known of a file; times in nanoseconds since the Unix epoch.</summary>
readonly record struct Filestat(
    ulong Device, ulong Inode, Filetype Type, ulong Links, ulong Size,
    ulong AccessedNs, ulong ModifiedNs, ulong ChangedNs)
{
    public const int ByteLength = 64;

    public void Write(Span<byte> target)
    {
        target[..ByteLength].Clear();
        BitConverter.TryWriteBytes(target, Device);
        BitConverter.TryWriteBytes(target[8..], Inode);
        target[16] = (byte)Type;
        BitConverter.TryWriteBytes(target[24..], Links);
        BitConverter.TryWriteBytes(target[32..], Size);
        BitConverter.TryWriteBytes(target[40..], AccessedNs);
        BitConverter.TryWriteBytes(target[48..], ModifiedNs);
        BitConverter.TryWriteBytes(target[56..], ChangedNs);
    }
}

/// <summary>Which times to set: null leaves one as it is, <see cref="Now"/> means the host's clock.</summary>
readonly record struct FileTimes(ulong? AccessedNs, ulong? ModifiedNs)
{
    public const ulong Now = ulong.MaxValue;

    /// <summary>Reads the flags of <c>fd_filestat_set_times</c>; both ways of saying one time is an error.</summary>
    public static bool TryParse(ulong accessedNs, ulong modifiedNs, Fstflags flags, out FileTimes times)
    {
        times = new(
            flags.HasFlag(Fstflags.AtimNow) ? Now : flags.HasFlag(Fstflags.Atim) ? accessedNs : null,
            flags.HasFlag(Fstflags.MtimNow) ? Now : flags.HasFlag(Fstflags.Mtim) ? modifiedNs : null);
        return (flags & ~Fstflags.All) == 0
            && (flags & (Fstflags.Atim | Fstflags.AtimNow)) != (Fstflags.Atim | Fstflags.AtimNow)
            && (flags & (Fstflags.Mtim | Fstflags.MtimNow)) != (Fstflags.Mtim | Fstflags.MtimNow);
    }
}
