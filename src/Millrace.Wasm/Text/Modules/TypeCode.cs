namespace Millrace.Wasm.Text.Modules;

/// <summary>Types to their bytes (core specification, section 5.3).</summary>
static class TypeCode
{
    public const int Func = 0x60;
    public const int Struct = 0x5F;
    public const int Array = 0x5E;
    public const int Sub = 0x50;
    public const int SubFinal = 0x4F;
    public const int Rec = 0x4E;
    public const int I8 = 0x78;
    public const int I16 = 0x77;
    public const int EmptyBlock = 0x40;

    public static void Write(BinaryOutput output, ValueType type)
    {
        if (type.Kind == ValueKind.Ref) WriteReference(output, type);
        else output.Byte(NumberCode(type.Kind));
    }

    /// <summary>The heap type alone, as <c>ref.null</c> and the casts carry it.</summary>
    public static void WriteHeap(BinaryOutput output, ValueType reference)
    {
        if (reference.Heap == HeapKind.Defined) output.Signed((uint)reference.TypeIndex);
        else output.Byte(HeapCode(reference.Heap));
    }

    public static void Write(BinaryOutput output, FunctionType type)
    {
        output.Byte(Func);
        WriteAll(output, type.Parameters.AsSpan());
        WriteAll(output, type.Results.AsSpan());
    }

    public static void WriteAll(BinaryOutput output, ReadOnlySpan<ValueType> types)
    {
        output.Unsigned((ulong)types.Length);
        foreach (var type in types) Write(output, type);
    }

    static void WriteReference(BinaryOutput output, ValueType type)
    {
        if (!type.IsNullable) output.Byte(0x64);
        else if (type.Heap == HeapKind.Defined) output.Byte(0x63);
        WriteHeap(output, type);
    }

    static int NumberCode(ValueKind kind) => kind switch
    {
        ValueKind.I32 => 0x7F,
        ValueKind.I64 => 0x7E,
        ValueKind.F32 => 0x7D,
        ValueKind.F64 => 0x7C,
        ValueKind.V128 => 0x7B,
        _ => throw new ArgumentOutOfRangeException(nameof(kind), kind, null),
    };

    static int HeapCode(HeapKind heap) => heap switch
    {
        HeapKind.NoExn => 0x74,
        HeapKind.NoFunc => 0x73,
        HeapKind.NoExtern => 0x72,
        HeapKind.None => 0x71,
        HeapKind.Func => 0x70,
        HeapKind.Extern => 0x6F,
        HeapKind.Any => 0x6E,
        HeapKind.Eq => 0x6D,
        HeapKind.I31 => 0x6C,
        HeapKind.Struct => 0x6B,
        HeapKind.Array => 0x6A,
        HeapKind.Exn => 0x69,
        _ => throw new ArgumentOutOfRangeException(nameof(heap), heap, null),
    };
}
