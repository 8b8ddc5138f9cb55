using System.Buffers;
using System.Buffers.Binary;
using System.Net.Sockets;

namespace Millrace.Sandbox.Protocol;

/// <summary>A message that came in.</summary>
readonly record struct Received(Verb Verb, uint Run, ReadOnlyMemory<byte> Content);

/// <summary>
/// Messages over a socket. A frame is a length (u32, little-endian, of what follows it), a verb, a run's number (u32)
/// and content; it has at most 1 MiB. A longer message is frames of <see cref="Verb.Part"/> and a last one with its
/// verb, without others between them. Only blocking calls are made: an answer wakes the thread that waits for it
/// straight from the kernel.
/// </summary>
sealed class Channel(Socket socket, long messageBytesMax) : IDisposable
{
    public const int FrameBytesMax = 1 << 20;
    const int LengthBytes = 4;
    const int HeadBytes = LengthBytes + FixedBytes;
    const int FixedBytes = 5;
    const int ContentBytesMax = FrameBytesMax - FixedBytes;

    // What the kernel surely takes at once from a socket that says it can be written to.
    const int SmallBytesMax = 32 << 10;

    readonly byte[] _buffer = new byte[64 << 10];
    readonly byte[] _small = new byte[SmallBytesMax];
    readonly Lock _sending = new();
    int _start;
    int _end;

    /// <summary>The next message; null when the other side is gone.</summary>
    /// <exception cref="ProtocolException">These are no messages.</exception>
    /// <exception cref="SocketException">The socket fails.</exception>
    public Received? Receive()
    {
        ArrayBufferWriter<byte>? parts = null;
        var partsRun = 0u;
        while (true)
        {
            if (!Fill(HeadBytes)) return null;
            var head = _buffer.AsSpan(_start, HeadBytes);
            var length = BinaryPrimitives.ReadUInt32LittleEndian(head);
            if (length is < FixedBytes or > FrameBytesMax) throw new ProtocolException($"a frame of {length} bytes");
            var verb = (Verb)head[LengthBytes];
            var run = BinaryPrimitives.ReadUInt32LittleEndian(head[(LengthBytes + 1)..]);
            _start += HeadBytes;
            var count = (int)length - FixedBytes;
            if (parts is not null && run != partsRun) throw new ProtocolException("a message within another one");
            if ((parts?.WrittenCount ?? 0) + (long)count > messageBytesMax)
                throw new ProtocolException($"a message of more than {messageBytesMax} bytes");
            if (verb != Verb.Part && parts is null)
            {
                var content = count == 0 ? [] : GC.AllocateUninitializedArray<byte>(count);
                return Read(content) ? new(verb, run, content) : null;
            }

            parts ??= new(2 * count + 1);
            partsRun = run;
            if (!Read(parts.GetSpan(count + 1)[..count])) return null;
            parts.Advance(count);
            if (verb != Verb.Part) return new(verb, run, parts.WrittenMemory);
        }
    }

    /// <summary>Whether a message can be sent this moment without waiting for the other side.</summary>
    public bool CanSendNow(MessageWriter message) =>
        message.Length + HeadBytes <= SmallBytesMax && socket.Poll(0, SelectMode.SelectWrite);

    /// <summary>Sends a message; blocks while the other side does not read.</summary>
    /// <exception cref="SocketException">The other side is gone, or does not read within the time-out.</exception>
    public void Send(MessageWriter message)
    {
        lock (_sending)
        {
            if (message.Length + HeadBytes <= SmallBytesMax) SendSmall(message);
            else SendLarge(message);
        }
    }

    /// <summary>Wakes whoever is blocked in it, with the end.</summary>
    public void Dispose()
    {
        try
        {
            socket.Shutdown(SocketShutdown.Both);
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // The other side was quicker.
        }

        socket.Dispose();
    }

    void SendSmall(MessageWriter message)
    {
        var at = Head(_small, message.Verb, message.Run, (int)message.Length);
        foreach (var piece in message.Pieces())
        {
            piece.Span.CopyTo(_small.AsSpan(at));
            at += piece.Length;
        }

        SendAll(_small.AsSpan(0, at));
    }

    void SendLarge(MessageWriter message)
    {
        var left = message.Length;
        var room = 0;
        foreach (var piece in message.Pieces())
        {
            for (var rest = piece; rest.Length > 0;)
            {
                if (room == 0)
                {
                    room = (int)Math.Min(left, ContentBytesMax);
                    var verb = left > ContentBytesMax ? Verb.Part : message.Verb;
                    SendAll(_small.AsSpan(0, Head(_small, verb, message.Run, room)));
                }

                var count = Math.Min(room, rest.Length);
                SendAll(rest.Span[..count]);
                rest = rest[count..];
                room -= count;
                left -= count;
            }
        }
    }

    static int Head(Span<byte> target, Verb verb, uint run, int count)
    {
        BinaryPrimitives.WriteInt32LittleEndian(target, count + FixedBytes);
        target[LengthBytes] = (byte)verb;
        BinaryPrimitives.WriteUInt32LittleEndian(target[(LengthBytes + 1)..], run);
        return HeadBytes;
    }

    void SendAll(ReadOnlySpan<byte> bytes)
    {
        while (bytes.Length > 0) bytes = bytes[socket.Send(bytes)..];
    }

    /// <summary>Has at least so many bytes in the buffer. False: the other side is gone.</summary>
    bool Fill(int count)
    {
        if (_end - _start >= count) return true;
        _buffer.AsSpan(_start, _end - _start).CopyTo(_buffer);
        (_start, _end) = (0, _end - _start);
        while (_end < count)
        {
            var got = socket.Receive(_buffer.AsSpan(_end));
            if (got == 0) return false;
            _end += got;
        }

        return true;
    }

    bool Read(Span<byte> target)
    {
        var buffered = Math.Min(target.Length, _end - _start);
        _buffer.AsSpan(_start, buffered).CopyTo(target);
        _start += buffered;
        for (target = target[buffered..]; target.Length > 0;)
        {
            var got = socket.Receive(target);
            if (got == 0) return false;
            target = target[got..];
        }

        return true;
    }
}
