using System.Collections.Immutable;
using System.Runtime.InteropServices;
using Millrace.Nn;

namespace Millrace.Inference.Tests.Backends;

/// <summary>Tensors in tests.</summary>
static class Tensors
{
    /// <summary>A tensor of these elements.</summary>
    public static Tensor Of<T>(TensorType type, ImmutableArray<long> dimensions, params T[] elements) where T : unmanaged =>
        new(type, dimensions, MemoryMarshal.AsBytes(elements.AsSpan()).ToArray());

    /// <summary>Null where the elements are equal, or near enough where they are no whole numbers; else what differs.</summary>
    public static string? Difference(Tensor want, Tensor got, double atol, double rtol, double integers = 0)
    {
        if (want.Type != got.Type) return $"is {got.Type}, not {want.Type}";
        if (!want.Dimensions.SequenceEqual(got.Dimensions))
            return $"is of [{string.Join(",", got.Dimensions)}], not [{string.Join(",", want.Dimensions)}]";
        if (want.Data.Length != got.Data.Length) return $"has {got.Data.Length} bytes, not {want.Data.Length}";
        var (wrong, worst, at) = (0, 0.0, 0);
        var count = Tensor.Count(want.Dimensions);
        var isFloat = want.Type is TensorType.F16 or TensorType.F32 or TensorType.F64;
        for (var i = 0; i < count; i++)
        {
            var (a, b) = (Element(want, i), Element(got, i));
            if (a.Equals(b)) continue;
            var far = Math.Abs(a - b);
            if (isFloat ? far <= atol + rtol * Math.Abs(a) : far <= integers) continue;
            if (wrong++ == 0 || far > worst) (worst, at) = (far, i);
        }

        return wrong == 0 ? null : $"{wrong} of {count} elements differ, at most element {at}: {Element(got, at)} instead of {Element(want, at)}";
    }

    static double Element(Tensor tensor, int index)
    {
        var bytes = tensor.Data.Span[(index * Tensor.Bytes(tensor.Type))..];
        return tensor.Type switch
        {
            TensorType.F16 => (double)MemoryMarshal.Read<Half>(bytes),
            TensorType.F32 => MemoryMarshal.Read<float>(bytes),
            TensorType.F64 => MemoryMarshal.Read<double>(bytes),
            TensorType.U8 or TensorType.Bool => bytes[0],
            TensorType.I8 => (sbyte)bytes[0],
            TensorType.U16 => MemoryMarshal.Read<ushort>(bytes),
            TensorType.I16 => MemoryMarshal.Read<short>(bytes),
            TensorType.U32 => MemoryMarshal.Read<uint>(bytes),
            TensorType.I32 => MemoryMarshal.Read<int>(bytes),
            TensorType.U64 => MemoryMarshal.Read<ulong>(bytes),
            _ => MemoryMarshal.Read<long>(bytes),
        };
    }
}
