using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using System.Text;

namespace Millrace.Wasm.Binary;

/// <summary>
/// Walks the bytes of a module: LEB128 integers with the specification's exact bounds, names, types. Offsets in its
/// errors count from the first byte of the module.
/// </summary>
/// <remarks>
/// A section or function that stops inside an integer is reported as the suite expects it from a decoder that looks
/// at sizes last: the integer is read to its end, beyond the section's, and what is wrong with it comes first.
/// </remarks>
ref struct ByteReader(ReadOnlySpan<byte> bytes, int start, int end)
{
    static readonly UTF8Encoding StrictUtf8 = new(false, throwOnInvalidBytes: true);

    readonly ReadOnlySpan<byte> _bytes = bytes;

    /// <summary>Offset of the next byte.</summary>
    public int Position = start;

    /// <summary>Offset behind the last byte.</summary>
    public readonly int End = end;

    /// <summary>Bytes left.</summary>
    public readonly int Left => End - Position;

    /// <summary>Whether all is read.</summary>
    public readonly bool AtEnd => Position >= End;

    /// <summary>The next byte without taking it.</summary>
    public readonly byte Peek() => Position < End ? _bytes[Position] : throw UnexpectedEnd();

    public byte Byte() => Position < End ? _bytes[Position++] : throw UnexpectedEnd();

    /// <summary>An unsigned 32-bit LEB128 integer.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public uint U32()
    {
        if (Position < End && _bytes[Position] < 0x80) return _bytes[Position++];
        var result = (uint)Unsigned(32);
        CheckEnd();
        return result;
    }

    /// <summary>An index. Values above <see cref="int.MaxValue"/> come out negative: compare as unsigned.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public int Index() => (int)U32();

    public ulong U64()
    {
        var result = Unsigned(64);
        CheckEnd();
        return result;
    }

    public int S32() => (int)Signed(32);

    public long S33() => Signed(33);

    public long S64() => Signed(64);

    /// <summary>Four bytes, little-endian.</summary>
    public uint Fixed32() => BinaryPrimitives.ReadUInt32LittleEndian(Bytes(4));

    /// <summary>Eight bytes, little-endian.</summary>
    public ulong Fixed64() => BinaryPrimitives.ReadUInt64LittleEndian(Bytes(8));

    /// <summary>The next <paramref name="count"/> bytes.</summary>
    public ReadOnlySpan<byte> Bytes(int count)
    {
        if ((uint)count > (uint)Left) throw UnexpectedEnd();
        var span = _bytes.Slice(Position, count);
        Position += count;
        return span;
    }

    /// <summary>A byte count that must fit into what is left.</summary>
    public int Length()
    {
        var at = Position;
        var length = Unsigned(32);
        if (length > (ulong)(_bytes.Length - Position)) throw new MalformedException("length out of bounds", at);
        CheckEnd();
        return length <= (ulong)Left ? (int)length : throw new MalformedException("length out of bounds", at);
    }

    /// <summary>The number of entries of a vector, each of which takes a byte at least.</summary>
    public int Count(int max, string what)
    {
        var at = Position;
        var count = U32();
        if (count > (uint)max) throw new MalformedException($"too many {what}: {count}, the limit is {max}", at);
        return count <= (uint)Left
            ? (int)count
            : throw new MalformedException("unexpected end of section or function", at);
    }

    /// <summary>A name: a byte count and UTF-8.</summary>
    public string Name()
    {
        var length = Length();
        var at = Position;
        try
        {
            return StrictUtf8.GetString(Bytes(length));
        }
        catch (ArgumentException)
        {
            throw new MalformedException("malformed UTF-8 encoding", at);
        }
    }

    /// <summary>A value type.</summary>
    public ValueType ValueType()
    {
        var at = Position;
        switch (Byte())
        {
            case 0x7F: return Wasm.ValueType.I32;
            case 0x7E: return Wasm.ValueType.I64;
            case 0x7D: return Wasm.ValueType.F32;
            case 0x7C: return Wasm.ValueType.F64;
            case 0x7B: return Wasm.ValueType.V128;
            case 0x70: return Wasm.ValueType.FuncRef;
            case 0x6F: return Wasm.ValueType.ExternRef;
            default:
                Position = at;
                return TryReferenceType(out var type) ? type : throw new MalformedException("malformed value type", at);
        }
    }

    /// <summary>A reference type.</summary>
    public ValueType ReferenceType()
    {
        var at = Position;
        return TryReferenceType(out var type) ? type : throw new MalformedException("malformed reference type", at);
    }

    /// <summary>A heap type, as a reference to it.</summary>
    public ValueType HeapType(bool isNullable)
    {
        var at = Position;
        var code = S33();
        if (code >= 0) return Wasm.ValueType.Reference((int)(uint)code, isNullable);
        return code >= -64 && Abstract((byte)(code & 0x7F)) is { } heap
            ? Wasm.ValueType.Reference(heap, isNullable)
            : throw new MalformedException("malformed heap type", at);
    }

    public readonly MalformedException UnexpectedEnd() => new("unexpected end of section or function", Position);

    bool TryReferenceType(out ValueType type)
    {
        var code = Byte();
        if (code is 0x63 or 0x64)
        {
            type = HeapType(isNullable: code == 0x63);
            return true;
        }
        var heap = Abstract(code);
        type = heap is { } kind ? Wasm.ValueType.Reference(kind, isNullable: true) : default;
        return heap is not null;
    }

    static HeapKind? Abstract(byte code) => code switch
    {
        0x74 => HeapKind.NoExn,
        0x73 => HeapKind.NoFunc,
        0x72 => HeapKind.NoExtern,
        0x71 => HeapKind.None,
        0x70 => HeapKind.Func,
        0x6F => HeapKind.Extern,
        0x6E => HeapKind.Any,
        0x6D => HeapKind.Eq,
        0x6C => HeapKind.I31,
        0x6B => HeapKind.Struct,
        0x6A => HeapKind.Array,
        0x69 => HeapKind.Exn,
        _ => null,
    };

    readonly void CheckEnd()
    {
        if (Position > End) throw new MalformedException("unexpected end of section or function", End);
    }

    byte Group() => Position < _bytes.Length ? _bytes[Position++] : throw UnexpectedEnd();

    // Leaves CheckEnd to its callers.
    ulong Unsigned(int bits)
    {
        var at = Position;
        var result = 0UL;
        for (var shift = 0; ; shift += 7)
        {
            var group = Group();
            if (shift + 7 > bits) CheckLast(group, bits - shift, isSigned: false, at);
            result |= (ulong)(group & 0x7F) << shift;
            if (group < 0x80) return result;
        }
    }

    long Signed(int bits)
    {
        var at = Position;
        var result = 0L;
        for (var shift = 0; ; shift += 7)
        {
            var group = Group();
            if (shift + 7 > bits) CheckLast(group, bits - shift, isSigned: true, at);
            result |= (long)(group & 0x7F) << shift;
            if (group >= 0x80) continue;
            CheckEnd();
            return shift + 7 < 64 && (group & 0x40) != 0 ? result | (-1L << (shift + 7)) : result;
        }
    }

    // The last group that a width allows: no continuation, and its unused bits repeat the sign (or are zero).
    static void CheckLast(byte group, int usedBits, bool isSigned, int at)
    {
        if (group >= 0x80) throw new MalformedException("integer representation too long", at);
        var unused = group >> (isSigned ? usedBits - 1 : usedBits);
        var ones = 0x7F >> (isSigned ? usedBits - 1 : usedBits);
        if (unused != 0 && !(isSigned && unused == ones)) throw new MalformedException("integer too large", at);
    }
}
