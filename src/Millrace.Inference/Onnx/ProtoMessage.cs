using System.Buffers.Binary;
using System.Text;

namespace Millrace.Inference.Onnx;

/// <summary>
/// A protobuf message while it is written. Long byte fields are kept by reference until <see cref="ToArray"/>, so weights
/// are copied once however deep they lie.
/// </summary>
sealed class ProtoMessage
{
    const int Varint = 0;
    const int Delimited = 2;
    const int Fixed32 = 5;
    const int CopiedBytesMax = 256;

    readonly List<ReadOnlyMemory<byte>> _parts = [];
    byte[] _tail = new byte[32];
    int _tailLength;
    long _partsLength;

    /// <summary>Bytes so far.</summary>
    public long Length => _partsLength + _tailLength;

    /// <summary>A number; enumerations and booleans are numbers too.</summary>
    public ProtoMessage Number(int field, long value)
    {
        Tag(field, Varint);
        WriteVarint((ulong)value);
        return this;
    }

    /// <summary>A single-precision number.</summary>
    public ProtoMessage Single(int field, float value)
    {
        Tag(field, Fixed32);
        BinaryPrimitives.WriteSingleLittleEndian(Room(4), value);
        _tailLength += 4;
        return this;
    }

    /// <summary>A string, UTF-8.</summary>
    public ProtoMessage Text(int field, string value) => Bytes(field, Encoding.UTF8.GetBytes(value));

    /// <summary>A byte string; not copied where it is long.</summary>
    public ProtoMessage Bytes(int field, ReadOnlyMemory<byte> value)
    {
        Tag(field, Delimited);
        WriteVarint((ulong)value.Length);
        Append(value);
        return this;
    }

    /// <summary>Repeated numbers, packed.</summary>
    public ProtoMessage Numbers(int field, ReadOnlySpan<long> values)
    {
        var packed = new ProtoMessage();
        foreach (var value in values) packed.WriteVarint((ulong)value);
        return Message(field, packed);
    }

    /// <summary>Repeated single-precision numbers, packed.</summary>
    public ProtoMessage Singles(int field, ReadOnlySpan<float> values)
    {
        var packed = new byte[values.Length * 4];
        for (var i = 0; i < values.Length; i++) BinaryPrimitives.WriteSingleLittleEndian(packed.AsSpan(i * 4), values[i]);
        return Bytes(field, packed);
    }

    /// <summary>A message inside this one. It must not be written to any more.</summary>
    public ProtoMessage Message(int field, ProtoMessage value)
    {
        Tag(field, Delimited);
        WriteVarint((ulong)value.Length);
        return Append(value);
    }

    /// <summary>All fields of another message. It must not be written to any more.</summary>
    public ProtoMessage Append(ProtoMessage fields)
    {
        foreach (var part in fields._parts) Append(part);
        Append(fields._tail.AsMemory(0, fields._tailLength));
        return this;
    }

    /// <summary>All bytes.</summary>
    public byte[] ToArray()
    {
        var bytes = new byte[Length];
        var at = 0;
        foreach (var part in _parts)
        {
            part.Span.CopyTo(bytes.AsSpan(at));
            at += part.Length;
        }

        _tail.AsSpan(0, _tailLength).CopyTo(bytes.AsSpan(at));
        return bytes;
    }

    void Append(ReadOnlyMemory<byte> bytes)
    {
        if (bytes.Length <= CopiedBytesMax)
        {
            bytes.Span.CopyTo(Room(bytes.Length));
            _tailLength += bytes.Length;
            return;
        }

        if (_tailLength > 0) _parts.Add(_tail.AsMemory(0, _tailLength));
        _parts.Add(bytes);
        _partsLength += _tailLength + bytes.Length;
        (_tail, _tailLength) = (new byte[32], 0);
    }

    void Tag(int field, int wire) => WriteVarint((ulong)(field << 3 | wire));

    void WriteVarint(ulong value)
    {
        var room = Room(10);
        var length = 0;
        for (; value >= 0x80; value >>= 7) room[length++] = (byte)(value | 0x80);
        room[length++] = (byte)value;
        _tailLength += length;
    }

    Span<byte> Room(int bytes)
    {
        if (_tail.Length - _tailLength < bytes) Array.Resize(ref _tail, Math.Max(_tail.Length * 2, _tailLength + bytes));
        return _tail.AsSpan(_tailLength);
    }
}
