using Millrace.Nn;

namespace Millrace.Inference.OpenVino;

/// <summary>Reads constants out of the weights file.</summary>
static class IrConstants
{
    /// <summary>The tensor of a layer of type Const.</summary>
    public static Tensor Read(IrLayer layer, ReadOnlyMemory<byte> weights)
    {
        var name = layer.Attributes.GetValueOrDefault("element_type") ?? throw layer.Malformed("element_type is missing");
        var type = IrReader.Type(name) ?? throw layer.Refused($"with elements of type {name}");
        var sizes = Attributes.Ints(layer, "shape") ?? throw layer.Malformed("shape is missing");
        var (offset, size) = (Attributes.Int(layer, "offset"), Attributes.Int(layer, "size"));
        if (offset < 0 || size < 0 || offset > weights.Length - size)
            throw layer.Malformed($"its {size} bytes at {offset} lie outside of the weights, which have {weights.Length}");
        var bytes = weights.Slice((int)offset, (int)size);
        var count = Tensor.Count([.. sizes]);
        var bits = name.ToLowerInvariant() switch { "u4" or "i4" => 4, "u1" or "bin" => 1, _ => 8 * Tensor.Bytes(type) };
        if (count > 0 && size != ((long)count * bits + 7) / 8)
            throw layer.Malformed($"it has {size} bytes, and {count} elements of {name}");
        // Of nothing, OpenVINO writes one byte.
        if (count == 0) return new(type, [.. sizes], default);
        return new(type, [.. sizes], bits switch
        {
            4 => Nibbles(bytes.Span, count, isSigned: type == TensorType.I8),
            1 => Bits(bytes.Span, count),
            _ => bytes,
        });
    }

    // The first element lies in the low half of the byte.
    static byte[] Nibbles(ReadOnlySpan<byte> packed, int count, bool isSigned)
    {
        var bytes = new byte[count];
        for (var i = 0; i < count; i++)
        {
            var nibble = (packed[i / 2] >> (4 * (i % 2))) & 15;
            bytes[i] = (byte)(isSigned && nibble > 7 ? nibble - 16 : nibble);
        }

        return bytes;
    }

    // The first element lies in the highest bit.
    static byte[] Bits(ReadOnlySpan<byte> packed, int count)
    {
        var bytes = new byte[count];
        for (var i = 0; i < count; i++) bytes[i] = (byte)((packed[i / 8] >> (7 - i % 8)) & 1);
        return bytes;
    }
}
