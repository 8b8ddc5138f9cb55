namespace Millrace.Wasm.Binary;

/// <summary>Which feature brought a type.</summary>
static class ValueTypeFeatures
{
    public static WasmFeatures Features(this ValueType type) => type.Kind switch
    {
        ValueKind.V128 => WasmFeatures.Simd,
        ValueKind.Ref => OfReference(type),
        _ => WasmFeatures.None,
    };

    static WasmFeatures OfReference(ValueType type) =>
        WasmFeatures.ReferenceTypes
        | (type.IsNullable ? WasmFeatures.None : WasmFeatures.TypedReferences)
        | type.Heap switch
        {
            HeapKind.Func or HeapKind.Extern => WasmFeatures.None,
            HeapKind.Defined => WasmFeatures.TypedReferences,
            HeapKind.Exn or HeapKind.NoExn => WasmFeatures.Exceptions,
            _ => WasmFeatures.Gc,
        };
}
