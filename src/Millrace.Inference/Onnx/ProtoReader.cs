using System.Buffers.Binary;
using System.Text;
using Millrace.Nn;

namespace Millrace.Inference.Onnx;

/// <summary>Reads the fields of one protobuf message, one after the other. Whatever the bytes are, it stays inside them.</summary>
ref struct ProtoReader(ReadOnlyMemory<byte> message, string what)
{
    readonly ReadOnlyMemory<byte> _message = message;
    readonly string _what = what;
    int _at;
    int _wire;
    ulong _number;
    ReadOnlyMemory<byte> _bytes;

    /// <summary>The current field.</summary>
    public int Field { get; private set; }

    /// <summary>The current field as a number.</summary>
    public readonly long Number => _wire is 0 or 1 or 5 ? (long)_number : throw Damaged($"field {Field} is not a number");

    /// <summary>The current field as a single-precision number.</summary>
    public readonly float Single =>
        _wire == 5 ? BitConverter.UInt32BitsToSingle((uint)_number) : throw Damaged($"field {Field} is not a float");

    /// <summary>The current field as bytes: a string, a message or packed numbers.</summary>
    public readonly ReadOnlyMemory<byte> Bytes => _wire == 2 ? _bytes : throw Damaged($"field {Field} holds no bytes");

    /// <summary>The current field as UTF-8.</summary>
    public readonly string Text => Encoding.UTF8.GetString(Bytes.Span);

    /// <summary>The current field as a message of its own.</summary>
    public readonly ProtoReader Message => new(Bytes, _what);

    /// <summary>The current field as numbers: one, or many packed.</summary>
    public readonly void Numbers(List<long> into)
    {
        if (_wire != 2)
        {
            into.Add(Number);
            return;
        }

        var packed = new ProtoReader(_bytes, _what);
        while (packed._at < packed._message.Length) into.Add((long)packed.Varint());
    }

    /// <summary>The current field as single-precision numbers: one, or many packed.</summary>
    public readonly void Singles(List<float> into)
    {
        if (_wire != 2)
        {
            into.Add(Single);
            return;
        }

        if (_bytes.Length % 4 != 0) throw Damaged($"field {Field} ends inside a number");
        for (var i = 0; i < _bytes.Length; i += 4) into.Add(BinaryPrimitives.ReadSingleLittleEndian(_bytes.Span[i..]));
    }

    /// <summary>The current field as double-precision numbers: one, or many packed.</summary>
    public readonly void Doubles(List<double> into)
    {
        if (_wire == 1)
        {
            into.Add(BitConverter.UInt64BitsToDouble(_number));
            return;
        }

        if (Bytes.Length % 8 != 0) throw Damaged($"field {Field} ends inside a number");
        for (var i = 0; i < _bytes.Length; i += 8) into.Add(BinaryPrimitives.ReadDoubleLittleEndian(_bytes.Span[i..]));
    }

    /// <summary>Goes to the next field; false at the end.</summary>
    /// <exception cref="NnException">The message ends inside a field, or is no protobuf.</exception>
    public bool Next()
    {
        if (_at == _message.Length) return false;
        var tag = Varint();
        Field = (int)Math.Min(tag >> 3, int.MaxValue);
        _wire = (int)(tag & 7);
        if (Field == 0) throw Damaged("there is a field 0");
        switch (_wire)
        {
            case 0: _number = Varint(); break;
            case 1: _number = BinaryPrimitives.ReadUInt64LittleEndian(Take(8).Span); break;
            case 2: _bytes = Take(Varint()); break;
            case 5: _number = BinaryPrimitives.ReadUInt32LittleEndian(Take(4).Span); break;
            default: throw Damaged($"wire type {_wire} is not known");
        }

        return true;
    }

    ulong Varint()
    {
        ulong value = 0;
        for (var shift = 0; shift < 64; shift += 7)
        {
            var next = Take(1).Span[0];
            value |= (ulong)(next & 0x7f) << shift;
            if (next < 0x80) return value;
        }

        throw Damaged("a number is longer than 64 bits");
    }

    ReadOnlyMemory<byte> Take(ulong length)
    {
        if (length > (ulong)(_message.Length - _at)) throw Damaged("it ends inside a field");
        var taken = _message.Slice(_at, (int)length);
        _at += (int)length;
        return taken;
    }

    readonly NnException Damaged(string why) => new(NnErrno.InvalidEncoding, $"{_what} is damaged: {why} (byte {_at} of its message)");
}
