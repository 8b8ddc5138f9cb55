using Millrace.Wasi.Abi;

namespace Millrace.Wasi.Files;

/// <summary>What bytes flow through without a position: a stream, a socket.</summary>
abstract class UnseekableFile : OpenFile
{
    public override bool IsSeekable => false;

    public override Errno ReadAt(Span<byte> buffer, ulong offset, out int count)
    {
        count = 0;
        return Errno.Spipe;
    }

    public override Errno WriteAt(ReadOnlySpan<byte> bytes, ulong offset, out int count)
    {
        count = 0;
        return Errno.Spipe;
    }

    public override Errno Seek(long delta, Whence whence, out ulong position)
    {
        position = 0;
        return Errno.Spipe;
    }

    public override Errno SetSize(ulong size) => Errno.Inval;

    public override Errno Allocate(ulong offset, ulong length) => Errno.Spipe;

    public override Errno Stat(out Filestat stat)
    {
        stat = new(0, 0, Type, 1, 0, 0, 0, 0);
        return Errno.Success;
    }

    public override Errno SetTimes(FileTimes times) => Errno.Notsup;
}
