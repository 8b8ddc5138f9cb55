using System.Buffers;
using System.Buffers.Binary;
using System.Text;

namespace Millrace.Sandbox.Protocol;

/// <summary>One message as it is put together: small fields are copied, large bytes are kept as they are.</summary>
sealed class MessageWriter(Verb verb, uint run)
{
    const int CopiedMax = 4096;

    readonly List<ReadOnlyMemory<byte>> _before = [];
    ArrayBufferWriter<byte> _fields = new(64);
    long _length;

    public Verb Verb { get; } = verb;

    public uint Run { get; } = run;

    /// <summary>Bytes of its content.</summary>
    public long Length => _length + _fields.WrittenCount;

    public MessageWriter Byte(byte value)
    {
        _fields.GetSpan(1)[0] = value;
        _fields.Advance(1);
        return this;
    }

    public MessageWriter Int(int value)
    {
        BinaryPrimitives.WriteInt32LittleEndian(_fields.GetSpan(4), value);
        _fields.Advance(4);
        return this;
    }

    public MessageWriter Long(long value)
    {
        BinaryPrimitives.WriteInt64LittleEndian(_fields.GetSpan(8), value);
        _fields.Advance(8);
        return this;
    }

    public MessageWriter Text(string value) => Bytes(Encoding.UTF8.GetBytes(value));

    /// <summary>Bytes with their length before them. They must stay as they are until the message is sent.</summary>
    public MessageWriter Bytes(ReadOnlyMemory<byte> value)
    {
        Int(value.Length);
        if (value.Length <= CopiedMax)
        {
            _fields.Write(value.Span);
            return this;
        }

        Close();
        _before.Add(value);
        _length += value.Length;
        return this;
    }

    /// <summary>Bytes whose number both sides know. They are copied.</summary>
    public MessageWriter Raw(ReadOnlySpan<byte> value)
    {
        _fields.Write(value);
        return this;
    }

    /// <summary>The content, piece by piece.</summary>
    public IReadOnlyList<ReadOnlyMemory<byte>> Pieces()
    {
        if (_fields.WrittenCount > 0) Close();
        return _before;
    }

    void Close()
    {
        _before.Add(_fields.WrittenMemory);
        _length += _fields.WrittenCount;
        _fields = new(64);
    }
}
