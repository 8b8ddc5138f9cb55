using Millrace.Wasi.Abi;

namespace Millrace.Wasi.Files;

/// <summary>Standard input, output or error: a stream without a position.</summary>
sealed class StreamFile(Stream stream, bool isTerminal) : UnseekableFile
{
    Fdflags _flags;

    public override Filetype Type => isTerminal ? Filetype.CharacterDevice : Filetype.Unknown;

    public override Fdflags Flags => _flags;

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

    public override Errno SetFlags(Fdflags flags)
    {
        _flags = flags;
        return Errno.Success;
    }

    public override Errno Sync(bool isDataOnly) => Errno.Success;
}
