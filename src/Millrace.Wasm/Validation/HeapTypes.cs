namespace Millrace.Wasm.Validation;

/// <summary>Heap types that validation needs beyond those a module can name.</summary>
static class HeapTypes
{
    /// <summary>Below every heap type: what a reference out of unreachable code refers to.</summary>
    public const HeapKind Bottom = (HeapKind)0xFF;

    /// <summary>A reference of which nothing is known.</summary>
    public static readonly ValueType BottomReference = ValueType.Reference(Bottom, isNullable: false);

    public static readonly ValueType AnyRef = ValueType.Reference(HeapKind.Any, isNullable: true);
    public static readonly ValueType EqRef = ValueType.Reference(HeapKind.Eq, isNullable: true);
    public static readonly ValueType I31Ref = ValueType.Reference(HeapKind.I31, isNullable: true);
    public static readonly ValueType ArrayRef = ValueType.Reference(HeapKind.Array, isNullable: true);
    public static readonly ValueType ExnRef = ValueType.Reference(HeapKind.Exn, isNullable: true);

    /// <summary>Whether a local, field or table element of this type can start without a value.</summary>
    public static bool IsDefaultable(this ValueType type) => type.Kind != ValueKind.Ref || type.IsNullable;

    public static bool IsNumberOrVector(this ValueType type) => type.Kind is not (ValueKind.Ref or ValueKind.Bottom);
}
