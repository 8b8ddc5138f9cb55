using System.Buffers.Binary;
using System.Text;
using Millrace.Nn;

namespace Millrace.Inference.TensorFlowLite.Format;

/// <summary>The bytes of a flatbuffer, every offset checked.</summary>
sealed class FlatBuffer(byte[] bytes)
{
    // Offsets may point at the same vector again and again, so that a small file could ask for much work.
    long _budget = 4096 + bytes.Length * 4L;

    public byte[] Bytes => bytes;

    public FlatTable Root() => TableAt(Offset(0));

    public FlatTable TableAt(int position)
    {
        var vtable = position - (long)Int32(position);
        if (vtable is < 0 or > int.MaxValue) throw Damaged(position);
        var size = UInt16((int)vtable);
        if (size < 4 || vtable + size > bytes.Length) throw Damaged(position);
        Spend(1);
        return new FlatTable(this, position, (int)vtable, size);
    }

    public sbyte Int8(int position) => (sbyte)Span(position, 1)[0];

    public ushort UInt16(int position) => BinaryPrimitives.ReadUInt16LittleEndian(Span(position, 2));

    public int Int32(int position) => BinaryPrimitives.ReadInt32LittleEndian(Span(position, 4));

    public long Int64(int position) => BinaryPrimitives.ReadInt64LittleEndian(Span(position, 8));

    public float Single(int position) => BinaryPrimitives.ReadSingleLittleEndian(Span(position, 4));

    /// <summary>Where the reference at a position points to.</summary>
    public int Offset(int position)
    {
        var target = position + (long)(uint)Int32(position);
        return target < bytes.Length ? (int)target : throw Damaged(position);
    }

    /// <summary>Start and number of the elements of the vector at a position.</summary>
    public (int Start, int Count) Vector(int position, int elementBytes)
    {
        var count = (long)(uint)Int32(position);
        if (position + 4 + count * elementBytes > bytes.Length) throw Damaged(position);
        return (position + 4, (int)count);
    }

    public string Text(int position)
    {
        var (start, count) = Vector(position, 1);
        Spend(count);
        return Encoding.UTF8.GetString(bytes, start, count);
    }

    public void Spend(long elements)
    {
        _budget -= elements;
        if (_budget < 0) throw new NnException(NnErrno.InvalidEncoding, "the TensorFlow Lite model refers to the same parts too often");
    }

    public static NnException Damaged(int position) =>
        new(NnErrno.InvalidEncoding, $"the TensorFlow Lite model is damaged or cut off at byte {position}");

    ReadOnlySpan<byte> Span(int position, int count) =>
        position >= 0 && position <= bytes.Length - count ? bytes.AsSpan(position, count) : throw Damaged(position);
}

/// <summary>A table of a flatbuffer: fields by their number, each with what holds where it is absent.</summary>
readonly struct FlatTable(FlatBuffer buffer, int position, int vtable, int vtableSize)
{
    public bool IsPresent => buffer is not null;

    public bool Has(int field) => Find(field) != 0;

    public bool Bool(int field, bool absent = false) => Find(field) is var at and not 0 ? buffer.Int8(at) != 0 : absent;

    public int Byte(int field, int absent = 0) => Find(field) is var at and not 0 ? buffer.Int8(at) : absent;

    public int Int(int field, int absent = 0) => Find(field) is var at and not 0 ? buffer.Int32(at) : absent;

    public long Long(int field, long absent = 0) => Find(field) is var at and not 0 ? buffer.Int64(at) : absent;

    public float Single(int field, float absent = 0) => Find(field) is var at and not 0 ? buffer.Single(at) : absent;

    public string Text(int field) => Find(field) is var at and not 0 ? buffer.Text(buffer.Offset(at)) : "";

    public FlatTable Table(int field) => Find(field) is var at and not 0 ? buffer.TableAt(buffer.Offset(at)) : default;

    public (int Start, int Count) Vector(int field, int elementBytes) =>
        Find(field) is var at and not 0 ? buffer.Vector(buffer.Offset(at), elementBytes) : (0, 0);

    public int[] Ints(int field)
    {
        var (start, count) = Vector(field, 4);
        if (count == 0) return [];
        buffer.Spend(count);
        var values = new int[count];
        for (var i = 0; i < count; i++) values[i] = buffer.Int32(start + i * 4);
        return values;
    }

    public long[] Longs(int field)
    {
        var (start, count) = Vector(field, 8);
        if (count == 0) return [];
        buffer.Spend(count);
        var values = new long[count];
        for (var i = 0; i < count; i++) values[i] = buffer.Int64(start + i * 8);
        return values;
    }

    public float[] Singles(int field)
    {
        var (start, count) = Vector(field, 4);
        if (count == 0) return [];
        buffer.Spend(count);
        var values = new float[count];
        for (var i = 0; i < count; i++) values[i] = buffer.Single(start + i * 4);
        return values;
    }

    public FlatTable[] Tables(int field)
    {
        var (start, count) = Vector(field, 4);
        if (count == 0) return [];
        buffer.Spend(count);
        var values = new FlatTable[count];
        for (var i = 0; i < count; i++) values[i] = buffer.TableAt(buffer.Offset(start + i * 4));
        return values;
    }

    int Find(int field)
    {
        var slot = 4 + field * 2;
        if (buffer is null || slot + 2 > vtableSize) return 0;
        var offset = buffer.UInt16(vtable + slot);
        return offset == 0 ? 0 : position + offset;
    }
}
