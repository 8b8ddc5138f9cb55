using Millrace.Nn;

namespace Millrace.Inference.Onnx;

/// <summary>Element types: the numbers of <c>TensorProto.DataType</c>, which ONNX Runtime's C API shares.</summary>
enum OnnxType
{
    F32 = 1,
    U8 = 2,
    I8 = 3,
    U16 = 4,
    I16 = 5,
    I32 = 6,
    I64 = 7,
    String = 8,
    Bool = 9,
    F16 = 10,
    F64 = 11,
    U32 = 12,
    U64 = 13,
    BF16 = 16,
}

/// <summary>Between the border's element types and ONNX's.</summary>
static class OnnxTypes
{
    static readonly (TensorType Tensor, OnnxType Onnx)[] Pairs =
    [
        (TensorType.F16, OnnxType.F16), (TensorType.F32, OnnxType.F32), (TensorType.F64, OnnxType.F64),
        (TensorType.U8, OnnxType.U8), (TensorType.I8, OnnxType.I8), (TensorType.U16, OnnxType.U16), (TensorType.I16, OnnxType.I16),
        (TensorType.U32, OnnxType.U32), (TensorType.I32, OnnxType.I32), (TensorType.U64, OnnxType.U64), (TensorType.I64, OnnxType.I64),
        (TensorType.Bool, OnnxType.Bool),
    ];

    /// <summary>ONNX's number for a type of the border.</summary>
    public static OnnxType ToOnnx(this TensorType type) => Array.Find(Pairs, pair => pair.Tensor == type).Onnx;

    /// <summary>Whether the elements are whole numbers (or yes and no, which count as 1 and 0).</summary>
    public static bool IsWhole(this TensorType type) => type is not (TensorType.F16 or TensorType.F32 or TensorType.F64);

    /// <summary>The border's type; null where it has none (strings, bfloat16 and narrower floats).</summary>
    public static TensorType? ToTensorType(this OnnxType type)
    {
        var at = Array.FindIndex(Pairs, pair => pair.Onnx == type);
        return at < 0 ? null : Pairs[at].Tensor;
    }
}
