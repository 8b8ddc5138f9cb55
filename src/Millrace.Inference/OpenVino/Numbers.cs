using System.Collections.Immutable;
using System.Runtime.InteropServices;
using Millrace.Nn;

namespace Millrace.Inference.OpenVino;

/// <summary>Constants as numbers, and numbers as constants.</summary>
static class Numbers
{
    /// <summary>A tensor of these elements; one element fills all.</summary>
    public static Tensor Tensor<T>(TensorType type, ImmutableArray<long> sizes, params ReadOnlySpan<T> values)
        where T : System.Numerics.INumber<T>
    {
        var count = Nn.Tensor.Count(sizes);
        var bytes = new byte[count * Nn.Tensor.Bytes(type)];
        for (var i = 0; i < count; i++) Write(type, values[values.Length == 1 ? 0 : i], bytes.AsSpan(i * Nn.Tensor.Bytes(type)));
        return new(type, sizes, bytes);
    }

    /// <summary>Elements as whole numbers.</summary>
    public static long[] Ints(Tensor tensor, IrLayer layer)
    {
        if (Conversion.IsFloat(tensor.Type)) return [.. Floats(tensor, layer).Select(number => (long)number)];
        var numbers = new long[Nn.Tensor.Count(tensor.Dimensions)];
        for (var i = 0; i < numbers.Length; i++)
        {
            var bytes = tensor.Data.Span[(i * Nn.Tensor.Bytes(tensor.Type))..];
            numbers[i] = tensor.Type switch
            {
                TensorType.I64 => MemoryMarshal.Read<long>(bytes),
                TensorType.U64 => (long)MemoryMarshal.Read<ulong>(bytes),
                TensorType.I32 => MemoryMarshal.Read<int>(bytes),
                TensorType.U32 => MemoryMarshal.Read<uint>(bytes),
                TensorType.I16 => MemoryMarshal.Read<short>(bytes),
                TensorType.U16 => MemoryMarshal.Read<ushort>(bytes),
                TensorType.I8 => (sbyte)bytes[0],
                TensorType.U8 or TensorType.Bool => bytes[0],
                _ => throw layer.Malformed($"{tensor.Type} is no type for it"),
            };
        }

        return numbers;
    }

    /// <summary>Elements as numbers.</summary>
    public static double[] Floats(Tensor tensor, IrLayer layer)
    {
        if (!Conversion.IsFloat(tensor.Type)) return [.. Ints(tensor, layer).Select(number => (double)number)];
        var numbers = new double[Nn.Tensor.Count(tensor.Dimensions)];
        for (var i = 0; i < numbers.Length; i++)
        {
            var bytes = tensor.Data.Span[(i * Nn.Tensor.Bytes(tensor.Type))..];
            numbers[i] = tensor.Type switch
            {
                TensorType.F16 => (double)MemoryMarshal.Read<Half>(bytes),
                TensorType.F32 => MemoryMarshal.Read<float>(bytes),
                _ => MemoryMarshal.Read<double>(bytes),
            };
        }

        return numbers;
    }

    static void Write<T>(TensorType type, T value, Span<byte> to) where T : System.Numerics.INumber<T>
    {
        switch (type)
        {
            case TensorType.F16: MemoryMarshal.Write(to, Half.CreateSaturating(value)); break;
            case TensorType.F32: MemoryMarshal.Write(to, float.CreateSaturating(value)); break;
            case TensorType.F64: MemoryMarshal.Write(to, double.CreateSaturating(value)); break;
            case TensorType.I64: MemoryMarshal.Write(to, long.CreateSaturating(value)); break;
            case TensorType.U64: MemoryMarshal.Write(to, ulong.CreateSaturating(value)); break;
            case TensorType.I32: MemoryMarshal.Write(to, int.CreateSaturating(value)); break;
            case TensorType.U32: MemoryMarshal.Write(to, uint.CreateSaturating(value)); break;
            case TensorType.I16: MemoryMarshal.Write(to, short.CreateSaturating(value)); break;
            case TensorType.U16: MemoryMarshal.Write(to, ushort.CreateSaturating(value)); break;
            case TensorType.I8: MemoryMarshal.Write(to, sbyte.CreateSaturating(value)); break;
            default: MemoryMarshal.Write(to, byte.CreateSaturating(value)); break;
        }
    }
}
