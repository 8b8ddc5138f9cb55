using System.Collections.Immutable;
using System.Runtime.InteropServices;
using Millrace.Nn;

namespace Millrace.Inference.Onnx;

/// <summary>Constants as numbers, and numbers as constants.</summary>
static class Numbers
{
    /// <summary>
    /// A tensor of these elements; one element fills all. Of whole numbers the low bits are taken, of others the next there is.
    /// </summary>
    public static Tensor Tensor<T>(TensorType type, ImmutableArray<long> sizes, params ReadOnlySpan<T> values)
        where T : System.Numerics.INumber<T>
    {
        var count = Nn.Tensor.Count(sizes);
        var bytes = new byte[count * Nn.Tensor.Bytes(type)];
        for (var i = 0; i < count; i++) Write(type, values[values.Length == 1 ? 0 : i], bytes.AsSpan(i * Nn.Tensor.Bytes(type)));
        return new(type, sizes, bytes);
    }

    /// <summary>Elements as whole numbers.</summary>
    public static long[] Ints(Tensor tensor)
    {
        if (!tensor.Type.IsWhole()) return [.. Floats(tensor).Select(number => (long)number)];
        var numbers = new long[Nn.Tensor.Count(tensor.Dimensions)];
        for (var i = 0; i < numbers.Length; i++)
        {
            var bytes = tensor.Data.Span[(i * Nn.Tensor.Bytes(tensor.Type))..];
            numbers[i] = tensor.Type switch
            {
                TensorType.U64 => (long)MemoryMarshal.Read<ulong>(bytes),
                TensorType.I32 => MemoryMarshal.Read<int>(bytes),
                TensorType.U32 => MemoryMarshal.Read<uint>(bytes),
                TensorType.I16 => MemoryMarshal.Read<short>(bytes),
                TensorType.U16 => MemoryMarshal.Read<ushort>(bytes),
                TensorType.I8 => (sbyte)bytes[0],
                TensorType.U8 or TensorType.Bool => bytes[0],
                _ => MemoryMarshal.Read<long>(bytes),
            };
        }

        return numbers;
    }

    /// <summary>Elements as numbers.</summary>
    public static double[] Floats(Tensor tensor)
    {
        if (tensor.Type.IsWhole()) return [.. Ints(tensor).Select(number => (double)number)];
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
            case TensorType.F16: MemoryMarshal.Write(to, Half.CreateTruncating(value)); break;
            case TensorType.F32: MemoryMarshal.Write(to, float.CreateTruncating(value)); break;
            case TensorType.F64: MemoryMarshal.Write(to, double.CreateTruncating(value)); break;
            case TensorType.I64: MemoryMarshal.Write(to, long.CreateTruncating(value)); break;
            case TensorType.U64: MemoryMarshal.Write(to, ulong.CreateTruncating(value)); break;
            case TensorType.I32: MemoryMarshal.Write(to, int.CreateTruncating(value)); break;
            case TensorType.U32: MemoryMarshal.Write(to, uint.CreateTruncating(value)); break;
            case TensorType.I16: MemoryMarshal.Write(to, short.CreateTruncating(value)); break;
            case TensorType.U16: MemoryMarshal.Write(to, ushort.CreateTruncating(value)); break;
            case TensorType.I8: MemoryMarshal.Write(to, sbyte.CreateTruncating(value)); break;
            default: MemoryMarshal.Write(to, byte.CreateTruncating(value)); break;
        }
    }
}
