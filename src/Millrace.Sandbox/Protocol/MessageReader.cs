using System.Buffers.Binary;
using System.Text;

namespace Millrace.Sandbox.Protocol;

/// <summary>Reads a message's content; whatever does not fit throws <see cref="ProtocolException"/>.</summary>
sealed class MessageReader(Verb verb, ReadOnlyMemory<byte> content)
{
    static readonly UTF8Encoding StrictUtf8 = new(false, throwOnInvalidBytes: true);

    ReadOnlyMemory<byte> _left = content;

    /// <summary>Bytes not read yet.</summary>
    public int Left => _left.Length;

    public byte Byte() => Take(1).Span[0];

    /// <summary>One of the values of a closed list that begins with 0.</summary>
    public T Choice<T>()
        where T : struct, Enum
    {
        var value = (T)Enum.ToObject(typeof(T), Byte());
        return Enum.IsDefined(value) ? value : throw Fault($"{value} is no {typeof(T).Name}");
    }

    public int Int() => BinaryPrimitives.ReadInt32LittleEndian(Take(4).Span);

    public long Long() => BinaryPrimitives.ReadInt64LittleEndian(Take(8).Span);

    /// <summary>A number that counts something.</summary>
    public int Count(int max)
    {
        var count = Int();
        return count >= 0 && count <= max ? count : throw Fault($"{count} is more than {max}");
    }

    /// <summary>A number that is at least 0.</summary>
    public long Amount()
    {
        var amount = Long();
        return amount >= 0 ? amount : throw Fault($"{amount} is less than nothing");
    }

    public ReadOnlyMemory<byte> Bytes(int max) => Take(Count(max));

    public string Text(int bytesMax)
    {
        try
        {
            return StrictUtf8.GetString(Bytes(bytesMax).Span);
        }
        catch (DecoderFallbackException)
        {
            throw Fault("a text is not UTF-8");
        }
    }

    /// <summary>Bytes whose number both sides know.</summary>
    public ReadOnlyMemory<byte> Fixed(int count) => Take(count);

    public ReadOnlyMemory<byte> Rest() => Take(_left.Length);

    /// <summary>Nothing may be left.</summary>
    public void End()
    {
        if (_left.Length > 0) throw Fault($"{_left.Length} bytes too many");
    }

    public ProtocolException Fault(string what) => new($"in a message '{verb}': {what}");

    ReadOnlyMemory<byte> Take(int count)
    {
        if (count > _left.Length) throw Fault($"it ends {count - _left.Length} bytes too early");
        var taken = _left[..count];
        _left = _left[count..];
        return taken;
    }
}
