using Millrace.Wasi.Abi;

namespace Millrace.Wasi.Files;

/// <summary>Standard input, output or error: a stream without a position.</summary>
sealed class StreamFile(Stream stream, bool isTerminal) : OpenFile
{
    Fdflags _flags;

    public override Filetype Type => isTerminal ? Filetype.CharacterDevice : Filetype.Unknown;

    public override Fdflags Flags => _flags;

    public override bool IsSeekable => false;

    public override Errno Read(Span<byte> buffer, out int count)
    {
        count = 0;
        try
        {
            count = stream.Read(buffer);
            return Errno.Success;
        }
        catch (IOException)
        {
            return Errno.Io;
        }
    }

    public override Errno Write(ReadOnlySpan<byte> bytes, out int count)
    {
        count = 0;
        try
        {
            // A stream with a cap takes what fits; the guest learns of the rest at its next write.
            if (stream is IRoomStream { Room: var room })
            {
                if (room == 0 && bytes.Length > 0) return Errno.Fbig;
                bytes = bytes[..(int)Math.Min(room, bytes.Length)];
            }

            stream.Write(bytes);
            stream.Flush();
            count = bytes.Length;
            return Errno.Success;
        }
        catch (IOException)
        {
            return Errno.Pipe;
        }
    }

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

    public override Errno SetFlags(Fdflags flags)
    {
        _flags = flags;
        return Errno.Success;
    }

    public override Errno SetSize(ulong size) => Errno.Inval;

    public override Errno Allocate(ulong offset, ulong length) => Errno.Spipe;

    public override Errno Stat(out Filestat stat)
    {
        stat = new(0, 0, Type, 1, 0, 0, 0, 0);
        return Errno.Success;
    }

    public override Errno SetTimes(FileTimes times) => Errno.Notsup;

    public override Errno Sync(bool isDataOnly) => Errno.Success;
}
