using Millrace.Nn;

namespace Millrace.Inference.TensorFlowLite.Format;

/// <summary>Sizes of elements, and the border's names for them.</summary>
static class ElementTypes
{
    public static int Bytes(LiteType type) => type switch
    {
        LiteType.UInt8 or LiteType.Int8 or LiteType.Bool or LiteType.Int4 => 1,
        LiteType.Float16 or LiteType.Int16 or LiteType.UInt16 or LiteType.BFloat16 => 2,
        LiteType.Float32 or LiteType.Int32 or LiteType.UInt32 => 4,
        LiteType.Float64 or LiteType.Int64 or LiteType.UInt64 or LiteType.Complex64 => 8,
        LiteType.Complex128 => 16,
        // A variable's handle is its number.
        LiteType.Resource => 4,
        _ => throw new NnException(NnErrno.UnsupportedOperation, $"tensors of {type} are not supported"),
    };

    public static TensorType? Border(LiteType type) => type switch
    {
        LiteType.Float16 => TensorType.F16,
        LiteType.Float32 => TensorType.F32,
        LiteType.Float64 => TensorType.F64,
        LiteType.UInt8 => TensorType.U8,
        LiteType.Int8 => TensorType.I8,
        LiteType.UInt16 => TensorType.U16,
        LiteType.Int16 => TensorType.I16,
        LiteType.UInt32 => TensorType.U32,
        LiteType.Int32 => TensorType.I32,
        LiteType.UInt64 => TensorType.U64,
        LiteType.Int64 => TensorType.I64,
        LiteType.Bool => TensorType.Bool,
        _ => null,
    };
}
