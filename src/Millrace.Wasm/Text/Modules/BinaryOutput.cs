using System.Buffers.Binary;
using System.Text;

namespace Millrace.Wasm.Text.Modules;

/// <summary>A growing buffer that writes the binary format's numbers (core specification, section 5.2).</summary>
sealed class BinaryOutput
{
    byte[] _bytes = new byte[64];

    public int Length { get; private set; }

    public ReadOnlySpan<byte> Span => _bytes.AsSpan(0, Length);

    public void Byte(int value) => Reserve(1)[0] = (byte)value;

    public void Bytes(ReadOnlySpan<byte> bytes) => bytes.CopyTo(Reserve(bytes.Length));

    public void Unsigned(ulong value)
    {
        while (value >= 0x80)
        {
            Byte((int)(value & 0x7F) | 0x80);
            value >>= 7;
        }

        Byte((int)value);
    }

    public void Signed(long value)
    {
        while (value is < -64 or > 63)
        {
            Byte((int)(value & 0x7F) | 0x80);
            value >>= 7;
        }

        Byte((int)(value & 0x7F));
    }

    public void Fixed32(uint value) => BinaryPrimitives.WriteUInt32LittleEndian(Reserve(4), value);

    public void Fixed64(ulong value) => BinaryPrimitives.WriteUInt64LittleEndian(Reserve(8), value);

    /// <summary>A length and that many bytes.</summary>
    public void Sized(ReadOnlySpan<byte> bytes)
    {
        Unsigned((ulong)bytes.Length);
        Bytes(bytes);
    }

    public void Name(string name) => Sized(Encoding.UTF8.GetBytes(name));

    /// <summary>Takes back and answers everything behind <paramref name="start"/>.</summary>
    public byte[] CutFrom(int start)
    {
        var tail = _bytes.AsSpan(start, Length - start).ToArray();
        Length = start;
        return tail;
    }

    public void Clear() => Length = 0;

    Span<byte> Reserve(int count)
    {
        if (_bytes.Length - Length < count) Array.Resize(ref _bytes, Math.Max(_bytes.Length * 2, Length + count));
        var span = _bytes.AsSpan(Length, count);
        Length += count;
        return span;
    }
}
