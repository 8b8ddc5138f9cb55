using System.Runtime.InteropServices;
using Millrace.Inference.TensorFlowLite.Format;
using Millrace.Nn;

namespace Millrace.Inference.TensorFlowLite.Execution;

/// <summary>A tensor of a running computation: its sizes at the moment, and its elements while they are needed.</summary>
sealed class LiteTensor(TensorSpec spec)
{
    ArraySegment<byte> _bytes = spec.Constant;

    public TensorSpec Spec => spec;

    public LiteType Type => spec.Type;

    public string Name => spec.Name;

    public int[] Shape { get; private set; } = spec.Shape;

    public int Rank => Shape.Length;

    /// <summary>Elements, by the sizes.</summary>
    public int Count { get; private set; } = Elements(spec.Shape);

    public bool HasElements => _bytes.Array is not null;

    public Quantization Quantization => spec.Quantization
        ?? throw new NnException(NnErrno.InvalidEncoding, $"the tensor {spec.Name} is an integer one and has no quantization");

    public ReadOnlySpan<T> Read<T>() where T : unmanaged => MemoryMarshal.Cast<byte, T>(Bytes);

    public Span<T> Write<T>() where T : unmanaged
    {
        if (spec.IsConstant) throw new NnException(NnErrno.InvalidEncoding, $"the constant tensor {spec.Name} is an operator's output");
        return MemoryMarshal.Cast<byte, T>(Bytes);
    }

    public Span<byte> Bytes => HasElements ? _bytes.AsSpan()
        : throw new NnException(NnErrno.InvalidArgument, $"the tensor {spec.Name} has not been given or computed");

    /// <summary>Takes room in a block, which may be longer.</summary>
    public void Place(byte[] block, int[] shape)
    {
        Shape = shape;
        Count = Elements(shape);
        _bytes = new ArraySegment<byte>(block, 0, Length(shape));
    }

    /// <summary>Gives the block back; null where the tensor has none of its own.</summary>
    public byte[]? Release()
    {
        if (spec.IsConstant || spec.IsVariable) return null;
        var block = _bytes.Array;
        _bytes = default;
        return block;
    }

    /// <summary>Bytes of a tensor of this type and these sizes.</summary>
    public int Length(int[] shape)
    {
        var bytes = (long)Elements(shape) * ElementTypes.Bytes(spec.Type);
        return bytes <= Array.MaxLength ? (int)bytes : throw TooLarge(shape);
    }

    static int Elements(int[] shape)
    {
        long count = 1;
        foreach (var size in shape)
        {
            if (size < -1) throw new NnException(NnErrno.InvalidArgument, $"a tensor has a size of {size}");
            count *= Math.Max(size, 0);
            if (count > Array.MaxLength) throw TooLarge(shape);
        }

        return (int)count;
    }

    static NnException TooLarge(int[] shape) => new(NnErrno.TooLarge, $"a tensor of [{string.Join(", ", shape)}] is too large");
}
