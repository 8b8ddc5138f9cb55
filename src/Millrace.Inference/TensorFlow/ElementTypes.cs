using Millrace.Nn;

namespace Millrace.Inference.TensorFlow;

/// <summary>The numbers of <c>types.proto</c>, and what of the border they are.</summary>
static class ElementTypes
{
    static readonly (TensorType? Type, string Name)[] Rows =
    [
        (null, "invalid"), (TensorType.F32, "float32"), (TensorType.F64, "float64"), (TensorType.I32, "int32"),
        (TensorType.U8, "uint8"), (TensorType.I16, "int16"), (TensorType.I8, "int8"), (null, "string"), (null, "complex64"),
        (TensorType.I64, "int64"), (TensorType.Bool, "bool"), (null, "qint8"), (null, "quint8"), (null, "qint32"),
        (null, "bfloat16"), (null, "qint16"), (null, "quint16"), (TensorType.U16, "uint16"), (null, "complex128"),
        (TensorType.F16, "float16"), (null, "resource"), (null, "variant"), (TensorType.U32, "uint32"), (TensorType.U64, "uint64"),
    ];

    /// <summary>The border's type; null where it has none.</summary>
    public static TensorType? Find(long number) => number >= 0 && number < Rows.Length ? Rows[number].Type : null;

    /// <summary>A type's name for messages.</summary>
    public static string Name(long number) => number >= 0 && number < Rows.Length ? Rows[number].Name : $"type {number}";
}
