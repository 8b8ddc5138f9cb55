using Millrace.Nn;

namespace Millrace.Inference.TensorFlowLite.Format;

/// <summary>The numbers of the schema.</summary>
enum LiteType
{
    Float32 = 0,
    Float16 = 1,
    Int32 = 2,
    UInt8 = 3,
    Int64 = 4,
    Text = 5,
    Bool = 6,
    Int16 = 7,
    Complex64 = 8,
    Int8 = 9,
    Float64 = 10,
    Complex128 = 11,
    UInt64 = 12,
    Resource = 13,
    Variant = 14,
    UInt32 = 15,
    UInt16 = 16,
    Int4 = 17,
    BFloat16 = 18,
}

/// <summary>value = scale * (stored - zero point), one pair for all or one an index of the axis.</summary>
sealed record Quantization(float[] Scales, int[] ZeroPoints, int Axis)
{
    public float Scale => Scales[0];

    public int ZeroPoint => ZeroPoints[0];

    public bool IsPerChannel => Scales.Length > 1;
}

/// <summary>A tensor as the model declares it.</summary>
/// <param name="Shape">The sizes it was converted with.</param>
/// <param name="Signature">The same with -1 where a size is open.</param>
/// <param name="Constant">Its elements, where the model holds them.</param>
sealed record TensorSpec(
    string Name, LiteType Type, int[] Shape, int[] Signature, ArraySegment<byte> Constant, Quantization? Quantization, bool IsVariable)
{
    public bool IsConstant => Constant.Array is not null;
}

/// <summary>One step of a subgraph.</summary>
/// <param name="Inputs">Tensors by number; -1 where an optional one is absent.</param>
sealed record OperatorSpec(
    int Code, string Name, int Version, int[] Inputs, int[] Outputs, int[] Intermediates, FlatTable Options,
    ArraySegment<byte> CustomOptions);

sealed record Subgraph(string Name, TensorSpec[] Tensors, int[] Inputs, int[] Outputs, OperatorSpec[] Operators);

sealed record LiteModel(Subgraph[] Subgraphs)
{
    const long CopiesBytesMax = 4L << 30;

    long _copies;

    /// <summary>Counts a copy of constants that lives as long as the model: many operators may read the same.</summary>
    /// <exception cref="NnException">There are too many.</exception>
    public void CountCopy(long bytes)
    {
        _copies += bytes;
        if (_copies > CopiesBytesMax)
            throw new NnException(NnErrno.TooLarge, $"the model needs more than {CopiesBytesMax >> 20} MiB for its weights");
    }
}
